"""What every engine is given and gives back, so that one can stand in for another."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
import pandas as pd

from finetune.spec.study import EngineName, StudySpec
from finetune.spec.variants import VariantSpec

METRICS = ("train_loss", "train_accuracy", "val_loss", "val_accuracy", "test_loss", "test_accuracy")


@dataclass(frozen=True)
class Task:
    """A grid of runs to train: every variant for every seed.

    `replicate` chooses an independent batch order for the same seeds (the A/A check). `memory` is
    what training may use beside the libraries, in bytes.
    """

    spec: StudySpec
    variants: tuple[VariantSpec, ...]
    seeds: tuple[int, ...]
    engine: EngineName
    replicate: int = 0
    memory: int = 2 * 2**30

    @property
    def runs(self) -> list[tuple[VariantSpec, int]]:
        """The runs in the order of every result's run axis: seed by seed, all variants of each."""
        return [(variant, seed) for seed in self.seeds for variant in self.variants]


class TaskTables(NamedTuple):
    """Results as tables: `runs`, a row a run; `epochs`, a row a run and epoch (`tabulate`).

    `rows_trained` counts the epochs that rows of weights were trained for; runs that share a row
    share its epochs. `notes` is what the user should know of how it was done.
    """

    runs: pd.DataFrame
    epochs: pd.DataFrame
    rows_trained: int
    notes: tuple[str, ...] = ()


ProgressCallback = Callable[[float], None]


def silent(share: float) -> None:
    """Ignore progress."""


class Engine(Protocol):
    """Trains the runs of a task. It reads nothing but the task and writes nothing."""

    def train(self, task: Task, report: ProgressCallback = silent) -> TaskTables:
        """Train every run of the task; `report` is told the share of it that is done."""
        ...


@dataclass(frozen=True)
class Training:
    """What training a task measured; the run axis follows `Task.runs`.

    Attributes:
        curves: `loss` and every one of `METRICS`, each (run, epoch): after each epoch.
        learning_rate: (run, epoch), in use during each epoch.
        next_learning_rate: (run, epoch), as the policies left it after each epoch.
        epochs_run: (run,), epochs trained; later entries of the curves are not read.
        best_epoch: (run,), whose weights early stopping kept, else that of lowest `val_loss`.
        final: Every one of `METRICS`, each (run,), for the weights the run ends with.
        rows_trained: Epochs that rows of weights were trained for.
        notes: What the user should know of how it was done.
    """

    curves: Mapping[str, np.ndarray]
    learning_rate: np.ndarray
    next_learning_rate: np.ndarray
    epochs_run: np.ndarray
    best_epoch: np.ndarray
    final: Mapping[str, np.ndarray]
    rows_trained: int
    notes: tuple[str, ...] = ()


def tabulate(task: Task, training: Training) -> TaskTables:
    """Turn what was measured into tables with the columns that the store keeps.

    A run in which a loss became NaN or infinite has the status "failed"; its numbers stay.
    """
    epochs = np.arange(training.learning_rate.shape[1])
    trained = epochs < training.epochs_run[:, None]
    cut = trained & (training.next_learning_rate < training.learning_rate)
    keys = _keys(task)
    runs = keys.assign(
        status=np.where(_finite(training, trained), "ok", "failed"),
        **training.final,
        epochs_run=training.epochs_run,
        best_epoch=training.best_epoch,
        lr_reductions=cut.sum(axis=1),
        first_reduction_epoch=pd.array(
            [int(row.argmax()) if row.any() else pd.NA for row in cut], dtype="Int64"
        ),
        final_lr=training.next_learning_rate[np.arange(len(keys)), training.epochs_run - 1],
    )
    run, epoch = np.nonzero(trained)
    dtype = task.spec.training.dtype
    curves = {name: v[run, epoch].astype(dtype) for name, v in training.curves.items()}
    long = keys.iloc[run].reset_index(drop=True)
    long = long.assign(
        epoch=epoch.astype(np.int32), **curves, learning_rate=training.learning_rate[run, epoch]
    )
    return TaskTables(runs, long, training.rows_trained, training.notes)


def _keys(task: Task) -> pd.DataFrame:
    names = [variant.name for variant in task.variants]
    recipes = [task.spec.recipe(v, task.engine, replicate=task.replicate) for v in task.variants]
    return pd.DataFrame(
        {
            "recipe": pd.Categorical.from_codes(_tiled(task), recipes),
            "variant": pd.Categorical.from_codes(_tiled(task), names),
            "seed": np.repeat(np.array(task.seeds, np.int64), len(task.variants)),
        }
    )


def _tiled(task: Task) -> np.ndarray:
    return np.tile(np.arange(len(task.variants)), len(task.seeds))


def _finite(training: Training, trained: np.ndarray) -> np.ndarray:
    losses: Sequence[np.ndarray] = [
        np.where(trained, training.curves[name], 0.0).sum(axis=1)
        for name in ("train_loss", "val_loss", "test_loss")
    ]
    return np.asarray(np.isfinite(losses).all(axis=0))


def lowest(values: np.ndarray) -> np.ndarray:
    """Give the position of the lowest value of each row, (run,); NaN counts as infinite."""
    return np.where(np.isnan(values), np.inf, values).argmin(axis=1)


def join(parts: Sequence[Training]) -> Training:
    """Join runs along the run axis; curves of fewer epochs are filled up with NaN."""
    width = max(part.learning_rate.shape[1] for part in parts)

    def flat(pick: Callable[[Training], np.ndarray]) -> np.ndarray:
        return np.concatenate([pick(part) for part in parts])

    def curve(pick: Callable[[Training], np.ndarray]) -> np.ndarray:
        def filled(values: np.ndarray) -> np.ndarray:
            return np.pad(values, [(0, 0), (0, width - values.shape[1])], constant_values=np.nan)

        return np.concatenate([filled(pick(part)) for part in parts])

    return Training(
        curves={name: curve(lambda p, n=name: p.curves[n]) for name in parts[0].curves},
        learning_rate=curve(lambda p: p.learning_rate),
        next_learning_rate=curve(lambda p: p.next_learning_rate),
        epochs_run=flat(lambda p: p.epochs_run),
        best_epoch=flat(lambda p: p.best_epoch),
        final={name: flat(lambda p, n=name: p.final[n]) for name in parts[0].final},
        rows_trained=sum(part.rows_trained for part in parts),
        notes=tuple(sorted({note for part in parts for note in part.notes})),
    )
