"""Power of the test of a mean: what a number of seeds can show, and how many an effect needs.

It is that of `finetune.stats.t_test` for normal differences, which pays for holding on skewed ones.
"""

import bisect
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np
from scipy import stats
from scipy.optimize import brentq

from finetune.stats.t_test import Alternative, Sample, critical_t

POWER = 0.8

# More seeds than this are not worth a number: the difference is as good as at its margin.
_MOST_SEEDS = 100_000

_QUANTILES = (np.arange(128) + 0.5) / 128


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
    """
    if seeds < 2:
        return math.inf
    level = _level(alpha, alternative)
    critical = _critical_values(seeds, alpha=level)

    def short(dz: float) -> float:
        return _power(dz, critical, seeds) - power

    # Beyond what any of the critical values asks for, though chance widens the spread of few seeds.
    most = 4 * float(critical.max()) + 10
    found: Any = brentq(short, 0.0, most, xtol=1e-9)
    return float(found)


def seeds_needed(
    dz: float, *, alpha: float, power: float = POWER, alternative: Alternative = "two-sided"
) -> int | None:
    """Compute how many seeds detect a mean of `dz` standard deviations; None beyond 100,000.

    `dz` is how far the mean lies inside the alternative, whichever that is; at 0 or below no
    number of seeds would do.
    """
    if dz <= 0:
        return None
    level = _level(alpha, alternative)

    def enough(seeds: int) -> bool:
        return _power(dz, _critical_values(seeds, alpha=level), seeds) >= power

    seeds = bisect.bisect_left(range(_MOST_SEEDS), True, lo=2, key=enough)
    return seeds if seeds < _MOST_SEEDS else None


def _level(alpha: float, alternative: Alternative) -> float:
    # The far tail of the two-sided test adds nothing at these powers.
    return alpha / 2 if alternative == "two-sided" else alpha


def _power(dz: float, critical: np.ndarray, seeds: int) -> float:
    """Return the chance that the test finds a mean of `dz`, over the critical values it may have.

    Of normal differences the skewness says nothing of mean and standard deviation, so that the
    chance is the mean over all skewness that a sample may have (Basu 1955).
    """
    away = dz * math.sqrt(seeds)
    found = stats.nct.sf(critical, seeds - 1, away)
    # Not a number comes out only where the noncentral t has run out of digits.
    return float(np.where(np.isnan(found), away > critical, found).mean())


@cache
def _critical_values(seeds: int, *, alpha: float) -> np.ndarray:
    """Return the critical t at each of some quantiles of the skewness that seeds may show."""
    return np.atleast_1d(critical_t(_skewness_quantiles(seeds), n=seeds, alpha=alpha))


def _skewness_quantiles(n: int) -> np.ndarray:
    """Return the skewness of samples of n normal values at evenly spaced quantiles: (quantile,).

    Source: D'Agostino (1970), the transformation behind `scipy.stats.skewtest`; below 8 values,
    where it does not hold, samples are drawn.
    """
    if n < 8:
        drawn = Sample.of(np.random.default_rng(n).normal(size=(n, 4000))).skewness
        return np.quantile(drawn, _QUANTILES)
    error = math.sqrt(6 * (n - 2) / ((n + 1) * (n + 3)))
    kurtosis = 3 * (n**2 + 27 * n - 70) * (n + 1) * (n + 3)
    kurtosis /= (n - 2) * (n + 5) * (n + 7) * (n + 9)
    squared = math.sqrt(2 * (kurtosis - 1)) - 1
    scale, shape = math.sqrt(2 / (squared - 1)), math.sqrt(2 / math.log(squared))
    biased = scale * np.sinh(stats.norm.ppf(_QUANTILES) / shape) * error
    return biased * math.sqrt(n * (n - 1)) / (n - 2)
