"""A block: every one of some variants for every one of some seeds, and the tasks it is cut into."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from finetune.engines.base import FOUNDING_WORKLOAD, Engine, Task
from finetune.engines.registry import engine_for
from finetune.spec.study import StudySpec
from finetune.spec.variants import VariantSpec

if TYPE_CHECKING:
    from finetune.store.base import Store


@dataclass(frozen=True)
class RunCount:
    """How many runs one engine trains, each for how many epochs at most."""

    engine: Engine
    n_runs: int
    epochs: int

    @property
    def run_epochs(self) -> int:
        """Epochs of all runs together, if none stops early."""
        return self.n_runs * self.epochs


@dataclass(frozen=True)
class Block:
    """Runs to train: every variant for every seed.

    Attributes:
        spec: The study, for all but its variants and seeds.
        variants: Those to train.
        seeds: Those to train; a range where there may be more than can be listed.
        engine: Name of the wanted engine; variants that it cannot train are trained by the
            reference engine (`engine_for`).
        replicate: See `Task`.
    """

    spec: StudySpec
    variants: tuple[VariantSpec, ...]
    seeds: Sequence[int]
    engine: str
    replicate: int = 0

    @property
    def recipes(self) -> dict[str, str]:
        """The recipe of each variant, by its name."""
        return {
            v.name: self.spec.recipe(v, engine_for(v, self.engine).name, replicate=self.replicate)
            for v in self.variants
        }

    @property
    def run_counts(self) -> list[RunCount]:
        """How many runs each engine trains."""
        epochs = self.spec.training.epochs
        return [
            RunCount(engine, len(variants) * len(self.seeds), epochs)
            for engine, variants in self._by_engine().items()
        ]

    @property
    def n_runs(self) -> int:
        """Number of runs."""
        return len(self.variants) * len(self.seeds)

    def slice(self, number: int, of: int) -> "Block":
        """Return the block of every `of`-th seed, from the one at `number` (from 1).

        Slices of different numbers share no run.
        """
        return replace(self, seeds=self.seeds[number - 1 :: of])

    def tasks(self, store: "Store", *, workers: int, memory: int) -> Iterator[Task]:
        """Yield tasks of one engine each that together train every run the store does not hold.

        Args:
            store: What need not be trained again.
            workers: How many tasks are trained at once.
            memory: What each may use, in bytes.
        """
        # The slowest engine first: its tasks would else be what everything waits for at the end,
        # and the user's own code, which may fail, is known to work before the rest is trained.
        by_engine = self._by_engine()
        for engine in sorted(by_engine, key=_slowness, reverse=True):
            alone = replace(self, variants=by_engine[engine], engine=engine.name)
            yield from alone._tasks(engine, store, workers=workers, memory=memory)

    def _by_engine(self) -> dict[Engine, tuple[VariantSpec, ...]]:
        groups: dict[Engine, tuple[VariantSpec, ...]] = {}
        for variant in self.variants:
            engine = engine_for(variant, self.engine)
            groups[engine] = (*groups.get(engine, ()), variant)
        return groups

    def _tasks(
        self, engine: Engine, store: "Store", *, workers: int, memory: int
    ) -> Iterator[Task]:
        size = engine.seeds_per_task(len(self.variants), len(self.seeds), workers=workers)
        by_variants: dict[tuple[str, ...], list[int]] = {}
        for seed, names in store.missing(self.recipes, self.seeds).items():
            by_variants.setdefault(tuple(names), []).append(seed)
        for names, seeds in by_variants.items():
            variants = tuple(v for v in self.variants if v.name in names)
            for start in range(0, len(seeds), size):
                chunk = tuple(seeds[start : start + size])
                yield Task(self.spec, variants, chunk, engine.name, self.replicate, memory)


def _slowness(engine: Engine) -> float:
    return engine.seconds_per_epoch(FOUNDING_WORKLOAD)
