"""The two arms of the claim whose factor and patience a search may choose."""

from dataclasses import dataclass

from finetune.engines.registry import DEFAULT
from finetune.errors import SpecError
from finetune.planning.search import FIRST_SEARCH_SEED
from finetune.spec.recipes import digest
from finetune.spec.study import StudySpec
from finetune.spec.variants import ReduceLRSpec, VariantSpec

Setting = dict[str, float]


@dataclass(frozen=True)
class Arm:
    """LR reduction that is tuned.

    Attributes:
        name: Of the tuned variant.
        base: What is not searched: its other policies, and other arguments of the reduction.
        parameters: What is searched.
        untuned: The study's own variant of this arm, where its claim names one.
    """

    name: str
    base: VariantSpec
    parameters: tuple[str, ...]
    untuned: VariantSpec | None

    def variant(self, setting: Setting, *, name: str | None = None) -> VariantSpec:
        """Return the variant of a setting; without a `name` it has the arm's."""
        whole = {
            key: float(value) if key == "factor" else int(value) for key, value in setting.items()
        }
        return self.base.reducing(name=name or self.name, **whole)


def arms_of(spec: StudySpec) -> tuple[Arm, Arm]:
    """Return the arm that may cut from epoch 0 on, then the one that may only cut later.

    What they do not search is as in the claim's treatment and control where these reduce the LR
    on a plateau, and as in Keras's defaults elsewhere.

    Raises:
        SpecError: One of these has callbacks of the user's own.
    """
    treatment, control = (
        (spec.variant(spec.underfits.treatment), spec.variant(spec.underfits.control))
        if spec.underfits
        else (None, None)
    )
    return (
        _arm("tuned reduction from epoch 0", treatment, "factor", "patience", start=0),
        _arm("tuned delayed reduction", control, "factor", "patience", "start_from_epoch"),
    )


def _arm(name: str, untuned: VariantSpec | None, *parameters: str, start: int = 0) -> Arm:
    if untuned is None or untuned.reduce_lr is None:
        return Arm(name, VariantSpec(name=name, reduce_lr=ReduceLRSpec()), parameters, None)
    if untuned.callbacks:
        raise SpecError(
            f"claim: {untuned.name!r} has callbacks = {untuned.callbacks[0].callback!r}, which fit "
            "runs one run after another; allowed in a search are variants without callbacks of "
            "your own, since it trains thousands of runs; name such a variant in the claim"
        )
    return Arm(name, untuned.reducing(start_from_epoch=start), parameters, untuned)


def search_digest(spec: StudySpec, arm: Arm, *, sampler: str, repeat: int) -> str:
    """Return the digest of all that decides an arm's trials, but not of how many there are."""
    search = spec.search
    ranges = {name: getattr(search, name) for name in arm.parameters}
    base = arm.variant({name: low for name, (low, _) in ranges.items()})
    return digest(
        {
            "base": spec.recipe(base, DEFAULT.name),
            "ranges": ranges,
            "seeds": [FIRST_SEARCH_SEED, search.seeds],
            "objective": search.objective,
            "sampler": {
                "name": sampler,
                "seed": search.seed,
                "batch": search.batch,
                "repeat": repeat,
            },
        }
    )
