"""The LR reduction of a claim's two variants, which a map changes, and when it can act."""

from collections.abc import Iterable

from finetune.errors import SpecError
from finetune.spec.study import StudySpec
from finetune.spec.variants import VariantSpec


def reducing_variants(spec: StudySpec) -> tuple[VariantSpec, VariantSpec]:
    """Return the treatment and the control of a claim about LR reduction on plateau.

    Raises:
        SpecError: There is no such claim, or one of the two has no `reduce_lr`, or more beside it
            than early stopping.
    """
    claim = spec.underfits
    if claim is None:
        raise SpecError(
            "claims: none of the kind 'underfits'; a map changes the LR reduction of such a "
            'claim\'s two variants: add [[claims]] with kind = "underfits" and a treatment and a '
            "control that have reduce_lr"
        )
    treatment, control = spec.variant(claim.treatment), spec.variant(claim.control)
    for role, variant in (("treatment", treatment), ("control", control)):
        others = [key for key in ("callbacks", "schedule", "set_lr") if getattr(variant, key)]
        if others or variant.reduce_lr is None:
            raise SpecError(
                f"claims: the {role} {variant.name!r} has "
                f"{' and '.join(others) or 'no reduce_lr'}; allowed in a map are variants "
                "with reduce_lr, with early_stopping or without: it changes factor, patience and "
                "delay of both; name such variants in the claim"
            )
    return treatment, control


def last_delay(epochs: int, patiences: Iterable[int]) -> int:
    """Return the latest epoch, from 0, from which a reduction that waits can cut the LR.

    The first epoch that is watched sets the best value, `patience` further ones pass without a
    better one, and one must be left that trains at the lower rate.
    """
    return epochs - 2 - min(patiences)
