"""The checks of a study: runs beside its own that the trust in its verdict rests on."""

from finetune.engines.registry import REFERENCE, engine_for
from finetune.planning.block import Block
from finetune.spec.study import StudySpec
from finetune.spec.variants import SetLRSpec, VariantSpec

# How the probe goes on: from the last epoch, at the base learning rate beside the run's own.
PROBE_EPOCHS = 10
PROBE_ARMS = ("resumed at the base LR", "going on at its own LR")
_PROBE_SEEDS = 40

# How many seeds train again with one source of randomness varied at a time.
_VARIANCE_SEEDS = 20

# How the parity certificate samples the study: this many variants of one seed, so many epochs.
_PARITY_VARIANTS = 3
_PARITY_EPOCHS = 20


def replicate_block(spec: StudySpec, engine: str) -> Block | None:
    """Plan the claim's control once more, in another batch order (the A/A check).

    None without a claim, and where the batch order does not vary.
    """
    if spec.claim is None or "order" not in spec.vary:
        return None
    control = spec.variant(spec.claim.control)
    return Block(spec, (control,), range(spec.seeds), engine, replicate=1)


def probe_block(spec: StudySpec, engine: str) -> Block | None:
    """Plan the treatment's training with more epochs, in which only the probe sets the LR.

    None where the treatment does not reduce the LR, or need not last until the last epoch.
    """
    treatment = spec.variant(spec.claim.treatment) if spec.claim else None
    if treatment is None or treatment.reduce_lr is None or treatment.early_stopping:
        return None
    # What the user's own callbacks do is not known, and so not whether they would end.
    if treatment.callbacks or treatment.set_lr:
        return None
    training = spec.resolve(treatment).training
    end, base = training.epochs, training.optimizer.learning_rate
    last = min(treatment.reduce_lr.until_epoch or end, end)
    # Both arms stop reducing where the study ends, so that they share their rows until then.
    ended = treatment.reduce_lr.model_copy(update={"until_epoch": last})
    raised = SetLRSpec(epoch=end, learning_rate=base)
    arms = tuple(
        treatment.model_copy(update={"name": name, "reduce_lr": ended, "set_lr": set_lr})
        for name, set_lr in zip(PROBE_ARMS, (raised, None), strict=True)
    )
    seeds = range(min(spec.seeds, _PROBE_SEEDS))
    return Block(spec, arms, seeds, engine, epochs=end + PROBE_EPOCHS)


def parity_block(spec: StudySpec, engine: str) -> Block | None:
    """Choose runs that the reference engine trains again, those that cut or stop early first.

    None where it trains all of them anyway.
    """
    others = [v for v in spec.variants if engine_for(v, spec, engine) is not REFERENCE]
    chosen = sorted(others, key=_first_possible_cut)[:_PARITY_VARIANTS]
    if not chosen:
        return None
    epochs = min(_PARITY_EPOCHS, *(spec.resolve(one).training.epochs for one in chosen))
    return Block(spec, tuple(chosen), range(1), REFERENCE.name, epochs=epochs)


def _first_possible_cut(variant: VariantSpec) -> tuple[float, bool]:
    cut, first = variant.reduce_lr, 0 if variant.schedule else float("inf")
    return cut.start_from_epoch + cut.patience if cut else first, not variant.early_stopping


def variance_blocks(spec: StudySpec, engine: str) -> tuple[Block, ...]:
    """Plan the claim's two variants once for each source that varies, in which it alone varies.

    Without a claim these are the first two variants. Empty where one source alone varies: that is
    the study itself.
    """
    sources = tuple(dict.fromkeys(spec.vary))
    if len(sources) < 2:
        return ()
    names = (spec.claim.treatment, spec.claim.control) if spec.claim else ()
    variants = tuple(map(spec.variant, names)) or spec.variants[:2]
    seeds = range(min(spec.seeds, _VARIANCE_SEEDS))
    return tuple(
        Block(spec.model_copy(update={"vary": (source,)}), variants, seeds, engine)
        for source in sources
    )
