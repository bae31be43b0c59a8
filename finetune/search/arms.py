"""The two arms of the claim, and what a search may choose of each."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from finetune.engines.registry import DEFAULT
from finetune.errors import SpecError
from finetune.planning.reduction import last_delay
from finetune.planning.search import FIRST_SEARCH_SEED, longest_training
from finetune.spec.dimensions import ChoicesSpec, RangeSpec
from finetune.spec.recipes import digest
from finetune.spec.search_space import DELAY, PATIENCE, applies
from finetune.spec.study import StudySpec
from finetune.spec.variants import VariantSpec

# Values by their dotted path in a variant.
Setting = dict[str, Any]


@dataclass(frozen=True)
class Arm:
    """A variant of the claim that is tuned.

    Attributes:
        name: Of the tuned variant.
        space: What is searched of it, by path.
        untuned: The study's own variant, which the claim names; what is not searched is as there.
    """

    name: str
    space: Mapping[str, RangeSpec | ChoicesSpec]
    untuned: VariantSpec

    def variant(self, setting: Setting, *, name: str | None = None) -> VariantSpec:
        """Return the variant of a setting; without a `name` it has the arm's."""
        return self.untuned.with_values(setting, name=name or self.name)

    def holds(self, setting: Mapping[str, Any]) -> bool:
        """Return whether a setting has a value of the space for each of its paths, and no other."""
        return setting.keys() == self.space.keys() and all(
            dimension.holds(setting[path]) for path, dimension in self.space.items()
        )


def arms_of(spec: StudySpec) -> tuple[Arm, Arm]:
    """Return the arms of the first claim: its treatment, then its control.

    Raises:
        SpecError: There is no claim, nothing of the space can be searched in one of the two, or
            a tuned variant would have the name of another.
    """
    if not spec.arms:
        raise SpecError(
            "claims: none; a search tunes the two variants of the first claim: add [[claims]] with "
            'a kind, as "better", a treatment and a control'
        )
    treatment, control = (_arm(spec, variant) for variant in spec.arms)
    return treatment, control


def _arm(spec: StudySpec, variant: VariantSpec) -> Arm:
    space = {path: one for path, one in spec.search.space.items() if applies(path, variant)}
    if not space:
        raise SpecError(
            f"search.space: none of {', '.join(spec.search.space)} can be searched in "
            f"{variant.name!r}, which lacks these policies or has no delay; allowed are also keys "
            'of its own policies, of model and of training; add one, as "training.batch_size"'
        )
    name = f"tuned {variant.name}"
    if name in [one.name for one in spec.variants]:
        raise SpecError(
            f"variants: the name {name!r} is that of {variant.name!r} once it is tuned; allowed is "
            "any other; rename it"
        )
    return Arm(name, _acting(spec, variant, space), variant)


def _acting(
    spec: StudySpec, variant: VariantSpec, space: Mapping[str, RangeSpec | ChoicesSpec]
) -> Mapping[str, RangeSpec | ChoicesSpec]:
    """Return the space without the delays from which no cut of the LR is possible any more.

    Raises:
        SpecError: No delay is left.
    """
    if DELAY not in space or variant.reduce_lr is None:
        return space
    patiences = space[PATIENCE].ends if PATIENCE in space else (variant.reduce_lr.patience,)
    epochs = longest_training(spec, variant).training.epochs
    latest = last_delay(epochs, patiences)
    acting = space[DELAY].up_to(latest)
    if acting is None:
        raise SpecError(
            f"search.space.{DELAY}: received {list(space[DELAY].ends)}, but with {epochs} epochs "
            f"and a patience of {min(patiences)} or more the LR can be cut after a delay of "
            f"{max(latest, 0)} epochs at most; lower it, or raise training.epochs"
        )
    return {**space, DELAY: acting}


def search_digest(spec: StudySpec, arm: Arm, *, sampler: str, repeat: int) -> str:
    """Return the digest of all that decides an arm's trials, but not of how many there are."""
    search = spec.search
    # What is searched is not as in the study, so that it must not count.
    base = arm.variant({path: dimension.ends[0] for path, dimension in arm.space.items()})
    return digest(
        {
            "base": spec.recipe(base, DEFAULT.name),
            "space": {path: one.model_dump(mode="json") for path, one in arm.space.items()},
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
