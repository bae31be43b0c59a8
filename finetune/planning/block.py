"""A block: every one of some variants for every one of some seeds, and the tasks it is cut into."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from finetune.engines.base import Task
from finetune.spec.study import ENGINES, EngineName, StudySpec, engine_for
from finetune.spec.variants import VariantSpec
from finetune.store.results import ResultStore

# Runs that train together: enough for the processor to be busy, few enough for its cache.
_RUNS_PER_TASK = 320


@dataclass(frozen=True)
class Block:
    """Runs that a study wants: every variant for every seed, by the engine that is wanted.

    Variants that this engine cannot train are trained by the one that can (`engine_for`).
    """

    spec: StudySpec
    variants: tuple[VariantSpec, ...]
    seeds: tuple[int, ...]
    engine: EngineName
    replicate: int = 0

    @property
    def recipes(self) -> dict[str, str]:
        """The recipe of each variant, by its name."""
        return {
            v.name: self.spec.recipe(v, self.engine, replicate=self.replicate)
            for v in self.variants
        }

    def part(self, number: int, of: int) -> "Block":
        """Give every `of`-th seed, from the one at `number` (from 1): parts share no run."""
        return replace(self, seeds=self.seeds[number - 1 :: of])

    def tasks(self, store: ResultStore, *, workers: int, memory: int) -> Iterator[Task]:
        """Give tasks of one engine each that together train every run the store does not hold.

        Args:
            store: What need not be trained again.
            workers: How many tasks are trained at once.
            memory: What each may use, in bytes.
        """
        # Runs by `fit` come first: they take longest, and the user's own code may fail there.
        for engine in ENGINES:
            variants = tuple(v for v in self.variants if engine_for(v, self.engine) == engine)
            if variants:
                one = replace(self, variants=variants, engine=engine)
                yield from one._tasks(store, workers=workers, memory=memory)

    def _tasks(self, store: ResultStore, *, workers: int, memory: int) -> Iterator[Task]:
        size = self._seeds_per_task(workers)
        by_variants: dict[tuple[str, ...], list[int]] = {}
        for seed, names in store.missing(self.recipes, self.seeds).items():
            by_variants.setdefault(tuple(names), []).append(seed)
        for names, seeds in by_variants.items():
            variants = tuple(v for v in self.variants if v.name in names)
            for start in range(0, len(seeds), size):
                chunk = tuple(seeds[start : start + size])
                yield Task(self.spec, variants, chunk, self.engine, self.replicate, memory)

    def _seeds_per_task(self, workers: int) -> int:
        # A run by `fit` takes long: one seed a task, so that little is lost and progress shows.
        if self.engine == "keras":
            return 1
        in_cache = max(1, _RUNS_PER_TASK // len(self.variants))
        return min(in_cache, -(-len(self.seeds) // workers))
