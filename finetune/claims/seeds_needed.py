"""How many seeds would settle whether a treatment underfits."""

from finetune.claims.metric_comparison import MetricComparison
from finetune.stats.paired import cohens_dz
from finetune.stats.power import POWER, each_of_two, seeds_needed


def seeds_to_settle(
    train: MetricComparison, test: MetricComparison, *, alpha: float, power: float = POWER
) -> int | None:
    """Compute how many seeds in all would settle the claim, were the observed means the true ones.

    With both mean worsenings above their margins, that is what supports the claim with `power`;
    with one below, what refutes it by the metric that does so soonest. None: a mean lies so close
    to its margin that no practical number would. The observed means are estimates, and so is this.
    """
    excess = [cohens_dz(one.worsening.mean - one.margin, one.worsening.sd) for one in (train, test)]
    if min(excess) > 0:
        needed = [
            seeds_needed(dz, alpha=alpha, power=each_of_two(power), alternative="larger")
            for dz in excess
        ]
        # Both metrics must be shown, so the one that needs more seeds decides.
        known = [seeds for seeds in needed if seeds is not None]
        return max(known) if len(known) == len(needed) else None
    needed = [
        seeds_needed(-dz, alpha=alpha / 2, power=power, alternative="larger") for dz in excess
    ]
    return min((seeds for seeds in needed if seeds is not None), default=None)
