"""The claim of a study: which variant underfits compared with which, and by what margins."""

from typing import Annotated, Literal

from pydantic import Field

from finetune.spec.base import BaseSpec, Name

VerdictName = Literal["supported", "refuted", "inconclusive", "not tested"]


class Margins(BaseSpec):
    """The largest absolute difference of each metric that does not matter."""

    train_loss: Annotated[float, Field(gt=0)] = 0.01
    test_loss: Annotated[float, Field(gt=0)] = 0.005
    train_accuracy: Annotated[float, Field(gt=0)] = 0.01
    test_accuracy: Annotated[float, Field(gt=0)] = 0.005


class ClaimSpec(BaseSpec):
    """The claim under test: `treatment` underfits compared with `control`.

    `contrasts` are further pairs of variants to compare, each [first, second].
    """

    treatment: Name
    control: Name
    contrasts: tuple[tuple[Name, Name], ...] | None = None
    margins: Margins = Margins()
    alpha: Annotated[float, Field(gt=0, lt=0.5)] = 0.05
