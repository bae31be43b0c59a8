"""The claim that a treatment is not worse in one metric by a margin or more."""

from finetune.claims.kind import End
from finetune.claims.metric_claim import Decision, MetricClaim, MetricVerdict
from finetune.claims.metric_comparison import MetricComparison


class NotWorse(MetricClaim):
    """The kind `not worse`: non-inferiority within a margin."""

    name = "not worse"
    verbs = (
        "is not worse in {metric}, by {margin} or more, than",
        "is worse in {metric}, by more than {margin}, than",
        "is not worse in {metric}, by {margin} or more, than",
    )

    def decision(self, compared: MetricComparison, *, alpha: float) -> Decision:
        """Test whether the mean worsening is below the margin, and whether it is above."""
        return Decision(
            p_supported=compared.p_not_worse,
            p_refuted=compared.p_worse,
            excess=abs(compared.worsening.mean - compared.margin),
            alpha=alpha,
        )

    def ends(self, verdict: MetricVerdict) -> tuple[End, ...]:
        """Return the end on the worse side."""
        return (End(verdict.comparison.margin),)

    def rule(self, margin: float, *, alpha: float) -> str:
        """Return how the claim is decided."""
        level = f"{1 - alpha:.4g}"
        return (
            f"supported if the one-sided {level} upper bound of the worsening lies below "
            f"{margin:g}; refuted if its one-sided {level} lower bound lies above {margin:g}"
        )
