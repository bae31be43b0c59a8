"""What a study trains: its runs, and the few more that its report rests on."""

from dataclasses import dataclass

from finetune.planning.block import Block
from finetune.spec.study import EngineName, StudySpec, engine_for
from finetune.spec.variants import SetLRSpec, VariantSpec
from finetune.store.results import ResultStore

# How the probe goes on: from the last epoch, at the base learning rate beside the run's own.
PROBE_EPOCHS = 10
PROBE_ARMS = ("resumed at the base LR", "going on at its own LR")
_PROBE_SEEDS = 40

# How many seeds train again with one source of randomness varied at a time.
_VARIANCE_SEEDS = 20

# How the parity certificate samples the study: this many variants of one seed, so many epochs.
_PARITY_VARIANTS = 3
_PARITY_EPOCHS = 20


@dataclass(frozen=True)
class Plan:
    """What a study trains: its runs, and the few more that its report rests on.

    Attributes:
        runs: The study's own.
        same_again: The claim's control once more, in another batch order (the A/A check).
        probe: The claim's treatment going on after training: `PROBE_ARMS`, in this order.
        parity: Some of the runs by `keras.Model.fit`, for fewer epochs.
        variance: The claim's two variants again, a block for each source that the study varies,
            in which that source alone does.
    """

    runs: Block
    same_again: Block | None = None
    probe: Block | None = None
    parity: Block | None = None
    variance: tuple[Block, ...] = ()

    @classmethod
    def of(cls, spec: StudySpec, engine: EngineName) -> "Plan":
        """Plan a study."""
        seeds = tuple(range(spec.seeds))
        runs = Block(spec, spec.variants, seeds, engine)
        # The reference engine trains the study alone: it is slow, and the parity of itself.
        if engine == "keras":
            return cls(runs)
        again = None
        if spec.claim and "order" in spec.vary:
            control = (spec.variant(spec.claim.control),)
            again = Block(spec, control, seeds, engine, replicate=1)
        return cls(runs, again, _probe_block(spec), _parity_block(spec), _variance_blocks(spec))

    def stored(self, store: ResultStore) -> "Plan":
        """Give the plan without those of its further blocks that a store does not hold whole.

        The blocks of `variance` are compared with each other, so they stay or go together.
        """

        def kept(block: Block | None) -> Block | None:
            missing = block and store.missing(block.recipes, block.seeds)
            return None if missing else block

        variance = self.variance if all(kept(block) for block in self.variance) else ()
        extras = (kept(self.same_again), kept(self.probe), kept(self.parity))
        return Plan(self.runs, *extras, variance)

    @property
    def blocks(self) -> list[Block]:
        """All blocks, those that take longest first."""
        blocks = (self.runs, self.same_again, self.probe, *self.variance, self.parity)
        return [block for block in blocks if block]


def _probe_block(spec: StudySpec) -> Block | None:
    """Plan the treatment's training with more epochs, in which only the probe sets the LR."""
    treatment = spec.variant(spec.claim.treatment) if spec.claim else None
    if treatment is None or treatment.reduce_lr is None or treatment.early_stopping:
        return None
    # What the user's own callbacks do is not known, and so not whether they would end.
    if treatment.callbacks or treatment.set_lr:
        return None
    end, base = spec.training.epochs, spec.training.optimizer.learning_rate
    last = min(treatment.reduce_lr.until_epoch or end, end)
    ended = treatment.reduce_lr.model_copy(update={"until_epoch": last})
    raised = SetLRSpec(epoch=end, learning_rate=base)
    arms = tuple(
        treatment.model_copy(update={"name": name, "reduce_lr": ended, "set_lr": set_lr})
        for name, set_lr in zip(PROBE_ARMS, (raised, None), strict=True)
    )
    seeds = tuple(range(min(spec.seeds, _PROBE_SEEDS)))
    return Block(spec.with_epochs(end + PROBE_EPOCHS), arms, seeds, "population")


def _parity_block(spec: StudySpec) -> Block | None:
    """Choose the runs that `keras.Model.fit` trains again, those that cut or stop early first.

    None where it trains all of them anyway.
    """
    epochs = min(_PARITY_EPOCHS, spec.training.epochs)
    others = [v for v in spec.variants if engine_for(v, "population") == "population"]
    chosen = sorted(others, key=_first_possible_cut)[:_PARITY_VARIANTS]
    if not chosen:
        return None
    return Block(spec.with_epochs(epochs), tuple(chosen), (0,), "keras")


def _first_possible_cut(variant: VariantSpec) -> tuple[float, bool]:
    cut, first = variant.reduce_lr, 0 if variant.schedule else float("inf")
    return cut.start_from_epoch + cut.patience if cut else first, not variant.early_stopping


def _variance_blocks(spec: StudySpec) -> tuple[Block, ...]:
    """Plan what is compared, without a claim the first two variants, one varied source a block."""
    sources = tuple(dict.fromkeys(spec.vary))
    # One source alone is the study itself.
    if len(sources) < 2:
        return ()
    names = (spec.claim.treatment, spec.claim.control) if spec.claim else ()
    variants = tuple(map(spec.variant, names)) or spec.variants[:2]
    seeds = tuple(range(min(spec.seeds, _VARIANCE_SEEDS)))
    return tuple(
        Block(spec.model_copy(update={"vary": (source,)}), variants, seeds, "population")
        for source in sources
    )
