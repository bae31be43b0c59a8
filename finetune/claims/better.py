"""The claim that a treatment is better in one metric, by more than a margin."""

from finetune.claims.kind import End
from finetune.claims.metric_claim import Decision, MetricClaim, MetricVerdict
from finetune.claims.metric_comparison import MetricComparison


class Better(MetricClaim):
    """The kind `better`: superiority by a margin, tested against it from both sides."""

    name = "better"
    verbs = (
        "is better in {metric}, by more than {margin}, than",
        "is not better in {metric} by more than {margin} than",
        "is better in {metric}, by more than {margin}, than",
    )

    def decision(self, compared: MetricComparison, *, alpha: float) -> Decision:
        """Test whether the mean is better by more than the margin, and whether it is not."""
        improvement = -compared.worsening.mean - compared.margin
        return Decision(
            p_supported=compared.p_better,
            p_refuted=compared.p_not_better,
            excess=abs(improvement),
            alpha=alpha,
        )

    def ends(self, verdict: MetricVerdict) -> tuple[End, ...]:
        """Return the end on the better side."""
        return (End(-verdict.comparison.margin),)

    def rule(self, margin: float, *, alpha: float) -> str:
        """Return how the claim is decided."""
        level = f"{1 - alpha:.4g}"
        return (
            f"supported if the one-sided {level} bound of the improvement lies above {margin:g}; "
            f"refuted if its one-sided {level} bound from the other side lies below {margin:g}"
        )
