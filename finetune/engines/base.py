"""What an engine is and what it is given to train; light to import, as every engine's description.

A plan asks engines what they can train and what that costs before anything heavy is loaded. Only
`Engine.train` loads what it computes with.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from finetune.models.summary import NetworkSummary
from finetune.spec.study import StudySpec
from finetune.spec.training import Curves
from finetune.spec.variants import VariantSpec

if TYPE_CHECKING:
    import pandas as pd

# What training may use beside the libraries where nothing else is given: bytes, and in words.
DEFAULT_MEMORY = 2 * 10**9
DEFAULT_MEMORY_SIZE = f"{DEFAULT_MEMORY // 10**9}GB"


@dataclass(frozen=True)
class Task:
    """A grid of runs to train: every variant for every seed.

    Attributes:
        spec: The study, whose network and training are those of all the variants.
        variants: Those to train; the engine can train them all. Of their overrides, each may have
            a learning rate of its own.
        seeds: Those to train.
        engine: Name of the engine that trains them.
        replicate: Chooses an independent batch order for the same seeds (the A/A check).
        memory: What training may use beside the libraries, in bytes.
        curves: The splits that must be evaluated after every epoch; the others need be only for
            the weights that a run ends with, and their curves may be NaN before.
    """

    spec: StudySpec
    variants: tuple[VariantSpec, ...]
    seeds: tuple[int, ...]
    engine: str
    replicate: int = 0
    memory: int = DEFAULT_MEMORY
    curves: Curves = "all"

    def learning_rate(self, variant: VariantSpec) -> float:
        """Return the learning rate of a variant's optimizer: its own, else the study's."""
        own = variant.learning_rate
        return self.spec.training.optimizer.learning_rate if own is None else own

    def recipe(self, variant: VariantSpec) -> str:
        """Return the recipe of a variant's runs."""
        return self.spec.recipe(variant, self.engine, replicate=self.replicate, curves=self.curves)

    @property
    def runs(self) -> list[tuple[VariantSpec, int]]:
        """The runs in the order of every result's run axis: seed by seed, all variants of each."""
        return [(variant, seed) for seed in self.seeds for variant in self.variants]


class TaskTables(NamedTuple):
    """Results as tables: `runs`, a row a run; `epochs`, a row a run and epoch (`tabulate`).

    `rows_trained` counts the epochs that rows of weights were trained for; runs that share a row
    share its epochs. `notes` are sentences for the user on how the task was trained, and `network`
    says what was.
    """

    runs: "pd.DataFrame"
    epochs: "pd.DataFrame"
    rows_trained: int
    notes: tuple[str, ...] = ()
    network: NetworkSummary | None = None


@dataclass(frozen=True)
class Workload:
    """Sizes that decide how long an epoch of one run takes."""

    n_rows: int
    n_weights: int
    batch_size: int

    @property
    def steps(self) -> int:
        """Optimizer steps in an epoch."""
        return math.ceil(self.n_rows / self.batch_size)


# The founding study: 600 training rows; Dense layers of 64, 32, 16 and 1 units over 10 features.
FOUNDING_WORKLOAD = Workload(n_rows=600, n_weights=3329, batch_size=32)

ProgressCallback = Callable[[float], None]


def silent(share: float) -> None:
    """Ignore progress."""


class Engine(ABC):
    """Trains the runs of tasks: it reads nothing but the task, and writes nothing.

    To add one, write a class like `engines.keras_fit.KerasEngine` and enter it in
    `engines.registry`; `tests/contracts/test_engines.py` then holds it to the reference engine.

    Attributes:
        name: As `--engine` takes it and as it stands in recipes; changing it orphans stored runs.
    """

    name: ClassVar[str]

    @abstractmethod
    def why_not(self, variant: VariantSpec, spec: StudySpec) -> str | None:
        """Return why this engine cannot train a study's variant, in words; None if it can."""

    @abstractmethod
    def seeds_per_task(self, n_variants: int, n_seeds: int, *, workers: int) -> int:
        """Return how many seeds a task should have, at least 1.

        Args:
            n_variants: Variants of each seed.
            n_seeds: Seeds to train in all.
            workers: How many tasks are trained at once.
        """

    @abstractmethod
    def seconds_per_epoch(self, workload: Workload) -> float:
        """Estimate the seconds that one epoch of one run takes on two cores."""

    @abstractmethod
    def train(self, task: Task, progress: ProgressCallback = silent) -> TaskTables:
        """Train every run of the task; call `progress` with the share that is done, 0 to 1.

        Raises:
            FinetuneError: The study cannot be trained as it is.
        """
