"""What a study trains: its runs, and the few more that its report rests on."""

from collections.abc import Iterator
from dataclasses import dataclass

from finetune.engines.base import Task
from finetune.spec import EngineName, StudySpec, VariantSpec
from finetune.store import ResultStore

# Seeds whose runs train together: enough for the processor to be busy, few enough for its cache.
_SEEDS_PER_TASK = 64

# How the parity certificate samples the study: this many variants of one seed, so many epochs.
_PARITY_VARIANTS = 3
_PARITY_EPOCHS = 20


@dataclass(frozen=True)
class Block:
    """Runs that a study wants: every variant for every seed, by one engine."""

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

    def tasks(self, store: ResultStore, *, workers: int) -> Iterator[Task]:
        """Give tasks that together train every run that the store does not hold."""
        size = self._seeds_per_task(workers)
        by_variants: dict[tuple[str, ...], list[int]] = {}
        for seed, names in store.missing(self.recipes, self.seeds).items():
            by_variants.setdefault(tuple(names), []).append(seed)
        for names, seeds in by_variants.items():
            variants = tuple(v for v in self.variants if v.name in names)
            for start in range(0, len(seeds), size):
                chunk = tuple(seeds[start : start + size])
                yield Task(self.spec, variants, chunk, self.engine, self.replicate)

    def _seeds_per_task(self, workers: int) -> int:
        # A run by `fit` takes long: one seed a task, so that little is lost and progress shows.
        if self.engine == "keras":
            return 1
        return min(_SEEDS_PER_TASK, -(-len(self.seeds) // max(workers, 1)))


@dataclass(frozen=True)
class Plan:
    """What a study trains: its runs, the control once more, and some runs by `keras.Model.fit`."""

    runs: Block
    same_again: Block | None
    parity: Block | None

    @classmethod
    def of(cls, spec: StudySpec, engine: EngineName) -> "Plan":
        """Plan a study."""
        seeds = tuple(range(spec.seeds))
        runs = Block(spec, spec.variants, seeds, engine)
        if engine == "keras":
            return cls(runs, None, None)
        again = None
        if spec.claim and "order" in spec.vary:
            control = tuple(v for v in spec.variants if v.name == spec.claim.control)
            again = Block(spec, control, seeds, engine, replicate=1)
        return cls(runs, again, _parity_block(spec))

    @property
    def blocks(self) -> list[Block]:
        """All blocks, those that take longest first."""
        return [block for block in (self.runs, self.same_again, self.parity) if block]


def _parity_block(spec: StudySpec) -> Block:
    """Choose the runs that `keras.Model.fit` trains again, those that cut or stop early first."""
    epochs = min(_PARITY_EPOCHS, spec.training.epochs)
    training = spec.training.model_copy(update={"epochs": epochs})
    chosen = sorted(spec.variants, key=_first_possible_cut)[:_PARITY_VARIANTS]
    return Block(spec.model_copy(update={"training": training}), tuple(chosen), (0,), "keras")


def _first_possible_cut(variant: VariantSpec) -> tuple[float, bool]:
    cut = variant.reduce_lr
    return cut.start_from_epoch + cut.patience if cut else float("inf"), not variant.early_stopping
