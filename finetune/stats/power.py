"""Power of the paired t test: what a number of seeds can show, and how many an effect needs."""

import bisect
import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from statsmodels.stats.power import TTestPower

from finetune.stats.t_test import Alternative

POWER = 0.8

# More seeds than this are not worth a number: the difference is as good as at its margin.
_MOST_SEEDS = 100_000


@dataclass(frozen=True)
class DetectableEffect:
    """What a number of seeds can show, in standard deviations (dz) of the paired differences.

    A dz is counted from the margin to the true difference. `both` is the excess over the margin
    that training and test need to have to support a claim, and `either` the distance below the
    margin at which one of them refutes it. `in_units` holds, for metrics whose standard deviation
    is known, the smallest difference that counts for the claim.
    """

    seeds: int
    alpha: float
    power: float
    both: float
    either: float
    in_units: Mapping[str, float] = field(default_factory=dict)


def detectable_effect(
    seeds: int,
    *,
    alpha: float,
    power: float = POWER,
    deviations: Mapping[str, float] | None = None,
    margins: Mapping[str, float] | None = None,
) -> DetectableEffect:
    """Compute what the planned seeds can detect.

    Before any training nothing is known of the spread, and the answer is in dz; where `deviations`
    of the paired differences are known (from a study like it), it is in the metric's units too.
    """
    both = detectable_dz(seeds, alpha=alpha, power=each_of_two(power), alternative="larger")
    least = margins or {}
    return DetectableEffect(
        seeds=seeds,
        alpha=alpha,
        power=power,
        both=both,
        either=detectable_dz(seeds, alpha=alpha / 2, power=power, alternative="larger"),
        in_units={
            metric: least.get(metric, 0.0) + both * sd for metric, sd in (deviations or {}).items()
        },
    )


def each_of_two(power: float) -> float:
    """Return the power that each of two tests needs so that both succeed with `power`.

    Their chances to fail add up at most, however the two depend on each other.

    Source: Bonferroni.
    """
    return 1 - (1 - power) / 2


def detectable_dz(
    seeds: int, *, alpha: float, power: float = POWER, alternative: Alternative = "two-sided"
) -> float:
    """Compute the smallest mean, in standard deviations of the differences, that is detected.

    It is infinite below two seeds.

    Source: statsmodels 0.15, `statsmodels.stats.power.TTestPower`.
    """
    if seeds < 2:
        return math.inf
    # The far tail of the two-sided test adds nothing at these powers, and turns into NaN there.
    level = alpha / 2 if alternative == "two-sided" else alpha
    return float(
        TTestPower().solve_power(nobs=seeds, alpha=level, power=power, alternative="larger")
    )


def seeds_needed(
    dz: float, *, alpha: float, power: float = POWER, alternative: Alternative = "two-sided"
) -> int | None:
    """Compute how many seeds detect a mean of `dz` standard deviations; None beyond 100,000.

    `dz` is how far the mean lies inside the alternative, whichever that is; at 0 or below no
    number of seeds would do.

    Source: statsmodels 0.15, `statsmodels.stats.power.TTestPower`.
    """
    if dz <= 0:
        return None
    level = alpha / 2 if alternative == "two-sided" else alpha

    def enough(seeds: int) -> bool:
        # Not a number comes out only where the noncentral t has run out of digits: power 1.
        short = TTestPower().power(dz, seeds, level, alternative="larger") < power
        return dz > 100 or not short

    # Bisection over whole seeds: statsmodels' own solver fails to converge at small numbers.
    seeds = bisect.bisect_left(range(_MOST_SEEDS), True, lo=2, key=enough)
    return seeds if seeds < _MOST_SEEDS else None
