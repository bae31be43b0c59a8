"""The checks of a study: runs beside its own that the trust in its verdict rests on.

Each is planned at as many seeds as `[checks]` has, or else as is usual; `check_sizes` fits them to
the study.
"""

from collections.abc import Mapping

from finetune.engines.registry import REFERENCE, engine_for
from finetune.planning.block import Block
from finetune.spec.study import StudySpec
from finetune.spec.variants import SetLRSpec, VariantSpec

# How the probe goes on: from the last epoch, at the base learning rate beside the run's own.
PROBE_EPOCHS = 10
PROBE_ARMS = ("resumed at the base LR", "going on at its own LR")

# At how many seeds a check is trained where the study does not say; others at all of them.
_USUAL_SEEDS: Mapping[str, int] = {"probe": 40, "parity": 1, "variance": 20}

# How the parity certificate samples the study: this many variants for so many epochs.
_PARITY_VARIANTS = 3
_PARITY_EPOCHS = 20


def check_blocks(spec: StudySpec, engine: str) -> dict[str, tuple[Block, ...]]:
    """Plan each check that the study wants, by its name in `[checks]`.

    Empty are those that do not apply to the study and those that it does not want.
    """
    blocks = {
        "same_again": _replicate_blocks(spec, engine),
        "probe": _probe_blocks(spec, engine),
        "parity": _parity_blocks(spec, engine),
        "variance": _variance_blocks(spec, engine),
    }
    return {name: some if getattr(spec.checks, name) else () for name, some in blocks.items()}


def _seeds(spec: StudySpec, check: str) -> range:
    wanted = getattr(spec.checks, check)
    usual = _USUAL_SEEDS.get(check, spec.n_seeds)
    return range(min(spec.n_seeds, usual if wanted is True else wanted))


def _replicate_blocks(spec: StudySpec, engine: str) -> tuple[Block, ...]:
    """Plan the claim's control once more, in another batch order (the A/A check).

    Empty without a claim, and where the batch order does not vary.
    """
    if spec.claim is None or "order" not in spec.vary:
        return ()
    control = spec.variant(spec.claim.control)
    return (Block(spec, (control,), _seeds(spec, "same_again"), engine, replicate=1),)


def _probe_blocks(spec: StudySpec, engine: str) -> tuple[Block, ...]:
    """Plan the treatment's training with more epochs, in which only the probe sets the LR.

    Empty where the treatment does not reduce the LR, or need not last until the last epoch.
    """
    treatment = spec.variant(spec.claim.treatment) if spec.claim else None
    if treatment is None or treatment.reduce_lr is None or treatment.early_stopping:
        return ()
    # What the user's own callbacks do is not known, and so not whether they would end.
    if treatment.callbacks or treatment.set_lr:
        return ()
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
    return (Block(spec, arms, _seeds(spec, "probe"), engine, epochs=end + PROBE_EPOCHS),)


def _parity_blocks(spec: StudySpec, engine: str) -> tuple[Block, ...]:
    """Choose runs that the reference engine trains again, those that cut or stop early first.

    Empty where it trains all of them anyway.
    """
    others = [v for v in spec.variants if engine_for(v, spec, engine) is not REFERENCE]
    chosen = sorted(others, key=_first_possible_cut)[:_PARITY_VARIANTS]
    if not chosen:
        return ()
    epochs = min(_PARITY_EPOCHS, *(spec.resolve(one).training.epochs for one in chosen))
    seeds = _seeds(spec, "parity")
    return (Block(spec, tuple(chosen), seeds, REFERENCE.name, epochs=epochs),)


def _first_possible_cut(variant: VariantSpec) -> tuple[float, bool]:
    cut, first = variant.reduce_lr, 0 if variant.schedule else float("inf")
    return cut.start_from_epoch + cut.patience if cut else first, not variant.early_stopping


def _variance_blocks(spec: StudySpec, engine: str) -> tuple[Block, ...]:
    """Plan the claim's two variants once for each source that varies, in which it alone varies.

    Without a claim these are the first two variants. Empty where one source alone varies: that is
    the study itself.
    """
    sources = tuple(dict.fromkeys(spec.vary))
    if len(sources) < 2:
        return ()
    names = (spec.claim.treatment, spec.claim.control) if spec.claim else ()
    variants = tuple(map(spec.variant, names)) or spec.variants[:2]
    seeds = _seeds(spec, "variance")
    return tuple(
        Block(spec.model_copy(update={"vary": (source,)}), variants, seeds, engine)
        for source in sources
    )
