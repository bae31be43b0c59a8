"""The two arms of the claim whose factor and patience a search may choose."""

from dataclasses import dataclass

from finetune.engines.registry import DEFAULT
from finetune.errors import SpecError
from finetune.planning.reduction import last_delay, reducing_variants
from finetune.planning.search import FIRST_SEARCH_SEED
from finetune.spec.recipes import digest
from finetune.spec.search import SearchSpec
from finetune.spec.study import StudySpec
from finetune.spec.variants import VariantSpec

Setting = dict[str, float]


@dataclass(frozen=True)
class Arm:
    """LR reduction that is tuned.

    Attributes:
        name: Of the tuned variant.
        base: What is not searched: its other policies, and other arguments of the reduction.
        parameters: What is searched.
        untuned: The study's own variant of this arm, which its claim names.
    """

    name: str
    base: VariantSpec
    parameters: tuple[str, ...]
    untuned: VariantSpec

    def variant(self, setting: Setting, *, name: str | None = None) -> VariantSpec:
        """Return the variant of a setting; without a `name` it has the arm's."""
        whole = {
            key: float(value) if key == "factor" else int(value) for key, value in setting.items()
        }
        return self.base.reducing(name=name or self.name, **whole)


def arms_of(spec: StudySpec) -> tuple[Arm, Arm]:
    """Return the arm that may cut from epoch 0 on, then the one that may only cut later.

    What they do not search is as in the claim's treatment and control.

    Raises:
        SpecError: One of these does not reduce the LR on a plateau, or has a schedule or callbacks.
    """
    treatment, control = reducing_variants(spec, command="search")
    return (
        _arm("tuned reduction from epoch 0", treatment, "factor", "patience"),
        _arm("tuned delayed reduction", control, "factor", "patience", "start_from_epoch"),
    )


def _arm(name: str, untuned: VariantSpec, *parameters: str) -> Arm:
    return Arm(name, untuned.reducing(start_from_epoch=0), parameters, untuned)


def bounded_search(spec: StudySpec) -> SearchSpec:
    """Return the study's search without the delays from which no cut is possible any more.

    Raises:
        SpecError: No delay of its range is left.
    """
    low, high = spec.search.start_from_epoch
    latest = last_delay(spec.training.epochs, spec.search.patience)
    if low > latest:
        raise SpecError(
            f"search.start_from_epoch: received [{low}, {high}], but with {spec.training.epochs} "
            f"epochs and a patience of {spec.search.patience[0]} or more the LR can be cut after a "
            f"delay of {max(latest, 0)} epochs at most; lower it, or raise training.epochs"
        )
    return spec.search.model_copy(update={"start_from_epoch": (low, min(high, latest))})


def search_digest(spec: StudySpec, arm: Arm, *, sampler: str, repeat: int) -> str:
    """Return the digest of all that decides an arm's trials, but not of how many there are."""
    search = bounded_search(spec)
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
