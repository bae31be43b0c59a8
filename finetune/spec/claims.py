"""The claims of a study: what is said of two variants before anything runs."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from finetune.spec.base import BaseSpec, Name, Share

VerdictName = Literal["supported", "refuted", "inconclusive", "not tested"]
Direction = Literal["lower", "higher"]

Metric = Annotated[str, Field(min_length=1, max_length=80, pattern=r"^[a-z][a-z0-9_]*$")]


class MarginShares(BaseSpec):
    """Margins of losses as shares of what a constant prediction reaches on the same rows."""

    train_loss: Share | None = None
    """Share of the constant's training loss."""
    test_loss: Share | None = None
    """Share of the constant's test loss."""


class Margins(BaseSpec):
    """The largest absolute difference of each metric that does not matter."""

    shares: MarginShares = MarginShares()
    """What replaces the absolute margin of a loss when the study is run."""
    train_loss: Annotated[float, Field(gt=0)] = 0.01
    """Margin of the training loss."""
    test_loss: Annotated[float, Field(gt=0)] = 0.005
    """Margin of the test loss."""
    train_accuracy: Annotated[float, Field(gt=0)] = 0.01
    """Margin of the training accuracy."""
    test_accuracy: Annotated[float, Field(gt=0)] = 0.005
    """Margin of the test accuracy."""

    @property
    def given_shares(self) -> dict[str, float]:
        """The shares that are given, by their metric."""
        return self.shares.model_dump(exclude_none=True)

    @property
    def by_metric(self) -> dict[str, float]:
        """The absolute margin of each metric."""
        return self.model_dump(exclude={"shares"})


_USUAL_MARGINS = Margins().by_metric


class BaseClaimSpec(BaseSpec):
    """Base of every kind of claim: something is said of one variant, compared with another."""

    name: Name | None = None
    """What tells a study's claims apart; without one a claim goes by its kind."""
    treatment: Name
    """The variant of which something is said."""
    control: Name
    """The variant that it is compared with."""
    alpha: Annotated[float, Field(gt=0, lt=0.5)] = 0.05
    """Greatest chance to support the claim though it is false, or refute it though it is true."""


class UnderfitsSpec(BaseClaimSpec):
    """The treatment underfits: training and test end worse, each by more than its margin."""

    kind: Literal["underfits"]
    """The treatment's training and test losses both end worse."""
    margins: Margins = Margins()
    """By how much each must be worse."""

    @property
    def is_about_loss(self) -> bool:
        """Whether it compares values of the loss."""
        return True


class MetricClaimSpec(BaseClaimSpec):
    """Base of what is claimed of one metric."""

    metric: Metric
    """A column of `tables/runs.csv` that is a number, as "test_loss"."""
    margin: Annotated[float, Field(ge=0)] | None = None
    """The largest difference that does not matter, in the metric's own units."""
    direction: Direction | None = None
    """Whether lower or higher is better, where that is not known of the metric."""

    @property
    def is_about_loss(self) -> bool:
        """Whether it compares values of the loss."""
        return self.metric in ("train_loss", "val_loss", "test_loss")

    @property
    def width(self) -> float:
        """The margin, which for losses and accuracies has a default."""
        return _USUAL_MARGINS[self.metric] if self.margin is None else self.margin

    @model_validator(mode="after")
    def _has_margin(self) -> Self:
        if self.margin is None and self.metric not in _USUAL_MARGINS:
            raise ValueError(
                f"margin is missing for {self.metric!r}; only {', '.join(_USUAL_MARGINS)} have a "
                "default; add the largest difference that does not matter"
            )
        return self


class BetterSpec(MetricClaimSpec):
    """The treatment's metric is better by more than the margin."""

    kind: Literal["better"]
    """The treatment is better by more than the margin."""


class _WithinMarginSpec(MetricClaimSpec):
    """Base of claims that no data could support with a margin of 0."""

    @model_validator(mode="after")
    def _has_width(self) -> Self:
        if not self.width:
            raise ValueError(
                "margin: received 0; allowed is more than 0, since no data show equality"
            )
        return self


class NotWorseSpec(_WithinMarginSpec):
    """The treatment's metric is worse by less than the margin, or not at all (non-inferiority)."""

    kind: Literal["not worse"]
    """The treatment is worse by less than the margin, or not at all."""


class EquivalentSpec(_WithinMarginSpec):
    """The treatment's metric differs by less than the margin either way."""

    kind: Literal["equivalent"]
    """The treatment differs by less than the margin either way."""


AnyMetricClaim = BetterSpec | NotWorseSpec | EquivalentSpec
ClaimSpec = Annotated[UnderfitsSpec | AnyMetricClaim, Field(discriminator="kind")]
