"""The claim of a study: which variant is said to underfit, and by how much it must."""

from typing import Annotated, Literal

from pydantic import Field

from finetune.spec.base import BaseSpec, Name

VerdictName = Literal["supported", "refuted", "inconclusive", "not tested"]


class Margins(BaseSpec):
    """Differences too small to matter, absolute, per metric."""

    train_loss: Annotated[float, Field(gt=0)] = 0.01
    test_loss: Annotated[float, Field(gt=0)] = 0.005
    train_accuracy: Annotated[float, Field(gt=0)] = 0.01
    test_accuracy: Annotated[float, Field(gt=0)] = 0.005


class ClaimSpec(BaseSpec):
    """The claim under test: `treatment` underfits compared with `control`.

    `contrasts` is the family of pairs of variants that are compared besides, [first, second].
    """

    treatment: Name
    control: Name
    contrasts: tuple[tuple[Name, Name], ...] | None = None
    margins: Margins = Margins()
    alpha: Annotated[float, Field(gt=0, lt=0.5)] = 0.05
