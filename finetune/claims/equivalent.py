"""The claim that two variants are equivalent in one metric, within a margin either way."""

import numpy as np

from finetune.claims.kind import End
from finetune.claims.metric_claim import Decision, MetricClaim, MetricVerdict
from finetune.claims.metric_comparison import MetricComparison
from finetune.stats.multiple_testing import union_p_value
from finetune.stats.power import POWER, each_of_two


class Equivalent(MetricClaim):
    """The kind `equivalent`: two one-sided tests.

    Source: Schuirmann (1987); Bonferroni, for the two ways to refute.
    """

    name = "equivalent"
    verbs = (
        "is equivalent in {metric}, within {margin}, to",
        "is not equivalent in {metric}, within {margin}, to",
        "is equivalent in {metric}, within {margin}, to",
    )

    def decision(self, compared: MetricComparison, *, alpha: float) -> Decision:
        """Test whether the mean lies within the margin, and whether it lies beyond either end."""
        excess = compared.margin - abs(compared.worsening.mean)
        inside = excess > 0
        return Decision(
            p_supported=compared.p_equal,
            p_refuted=union_p_value([compared.p_worse, compared.p_better]),
            excess=abs(excess),
            alpha=np.where(inside, alpha, alpha / 2)[()],
            # Within the margins both tests must succeed; beyond an end one does.
            power=np.where(inside, each_of_two(POWER), POWER)[()],
        )

    def ends(self, verdict: MetricVerdict) -> tuple[End, ...]:
        """Return the end that is nearest to the mean."""
        compared = verdict.comparison
        if compared.worsening.mean < 0:
            return (End(-compared.margin, below=0.5),)
        return (End(compared.margin, above=0.5),)

    def rule(self, margin: float, *, alpha: float) -> str:
        """Return how the claim is decided."""
        return (
            f"supported if both one-sided {1 - alpha:.4g} bounds of the difference lie within "
            f"{margin:g} either way; refuted if a one-sided {1 - alpha / 2:.4g} bound lies beyond"
        )
