"""How many seeds would settle a claim."""

from finetune.claims.fit_table import Axis
from finetune.stats.paired import standardised
from finetune.stats.power import POWER, each_of_two, seeds_needed


def seeds_to_settle(train: Axis, test: Axis, *, alpha: float, power: float = POWER) -> int | None:
    """Give how many seeds in all would settle the claim, were the observed means the true ones.

    With both mean worsenings above their margins, that is what supports the claim with `power`;
    with one below, what refutes it by the axis that does so soonest. None: a mean lies so close
    to its margin that no practical number would. The observed means are estimates, and so is this.
    """
    excess = [
        standardised(side.worsening.mean - side.margin, side.worsening.sd) for side in (train, test)
    ]
    if min(excess) > 0:
        wanted = [
            seeds_needed(dz, alpha=alpha, power=each_of_two(power), alternative="larger")
            for dz in excess
        ]
        known = [seeds for seeds in wanted if seeds is not None]
        return max(known) if len(known) == len(wanted) else None
    wanted = [
        seeds_needed(-dz, alpha=alpha / 2, power=power, alternative="larger") for dz in excess
    ]
    return min((seeds for seeds in wanted if seeds is not None), default=None)
