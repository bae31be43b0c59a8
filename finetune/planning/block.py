"""A block: every one of some variants for every one of some seeds, and the tasks it is cut into."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from finetune.engines.base import FOUNDING_WORKLOAD, Engine, Task
from finetune.engines.registry import engine_for
from finetune.spec.study import StudySpec
from finetune.spec.training import Curves
from finetune.spec.variants import VariantSpec

if TYPE_CHECKING:
    from finetune.store.base import Store


@dataclass(frozen=True)
class RunCount:
    """How many runs of a study one engine trains."""

    engine: Engine
    spec: StudySpec
    n_runs: int

    @property
    def run_epochs(self) -> int:
        """Epochs of all runs together, if none stops early."""
        return self.n_runs * self.spec.training.epochs


@dataclass(frozen=True)
class ProblemGroup:
    """Variants of a block that train the same problem, and so in one graph.

    Attributes:
        spec: The study with their network and training as its own.
        variants: With their policies, and the LR where it is not the study's.
    """

    spec: StudySpec
    variants: tuple[VariantSpec, ...]


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
        epochs: For how many every run is trained; None for as many as its variant has.
        curves: See `Task`.
    """

    spec: StudySpec
    variants: tuple[VariantSpec, ...]
    seeds: Sequence[int]
    engine: str
    replicate: int = 0
    epochs: int | None = None
    curves: Curves = "all"

    @property
    def recipes(self) -> dict[str, str]:
        """The recipe of each variant, by its name."""
        found = {
            v.name: group.spec.recipe(
                v,
                engine_for(v, group.spec, self.engine).name,
                replicate=self.replicate,
                curves=self.curves,
            )
            for group in self.problem_groups
            for v in group.variants
        }
        return {variant.name: found[variant.name] for variant in self.variants}

    @property
    def run_counts(self) -> list[RunCount]:
        """How many runs each engine trains of each problem."""
        return [
            RunCount(engine, group.spec, len(group.variants) * len(self.seeds))
            for engine, groups in self._by_engine().items()
            for group in groups
        ]

    @property
    def problem_groups(self) -> list[ProblemGroup]:
        """The block's variants by the problem that they train.

        A learning rate of its own makes no other problem: rows of one graph have each their own.
        """
        groups: dict[str, ProblemGroup] = {}
        for variant in self.variants:
            spec, alone = self._own_problem(variant)
            found = groups.get(spec.problem, ProblemGroup(spec, ()))
            groups[spec.problem] = replace(found, variants=(*found.variants, alone))
        return list(groups.values())

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
            for group in by_engine[engine]:
                yield from self._tasks(engine, group, store, workers=workers, memory=memory)

    def _own_problem(self, variant: VariantSpec) -> tuple[StudySpec, VariantSpec]:
        """Return the study with a variant's problem as its own, and what is left of the variant."""
        spec, usual = self.spec.resolve(variant), self.spec.training.optimizer.learning_rate
        rate = spec.training.optimizer.learning_rate
        own = {"optimizer": {"learning_rate": rate}} if rate != usual else {}
        spec = spec.with_learning_rate(usual)
        if self.epochs is not None:
            spec = spec.with_epochs(self.epochs)
        return spec, variant.model_copy(update={"model": {}, "training": own})

    def _by_engine(self) -> dict[Engine, list[ProblemGroup]]:
        engines: dict[Engine, list[ProblemGroup]] = {}
        for group in self.problem_groups:
            variants: dict[Engine, tuple[VariantSpec, ...]] = {}
            for variant in group.variants:
                engine = engine_for(variant, group.spec, self.engine)
                variants[engine] = (*variants.get(engine, ()), variant)
            for engine, some in variants.items():
                engines.setdefault(engine, []).append(replace(group, variants=some))
        return engines

    def _tasks(
        self, engine: Engine, group: ProblemGroup, store: "Store", *, workers: int, memory: int
    ) -> Iterator[Task]:
        alone = replace(self, spec=group.spec, variants=group.variants, engine=engine.name)
        missing = store.missing(alone.recipes, self.seeds)
        size = engine.seeds_per_task(len(group.variants), len(missing), workers=workers)
        by_variants: dict[tuple[str, ...], list[int]] = {}
        for seed, names in missing.items():
            by_variants.setdefault(tuple(names), []).append(seed)
        for names, seeds in by_variants.items():
            variants = tuple(v for v in group.variants if v.name in names)
            for start in range(0, len(seeds), size):
                chunk = tuple(seeds[start : start + size])
                yield Task(
                    group.spec,
                    variants,
                    chunk,
                    engine.name,
                    self.replicate,
                    memory,
                    curves=self.curves,
                )


def _slowness(engine: Engine) -> float:
    return engine.seconds_per_epoch(FOUNDING_WORKLOAD)
