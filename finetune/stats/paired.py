"""The difference between two variants in one metric, paired by seed, as numbers to report."""

import math
from dataclasses import dataclass

import numpy as np

from finetune.stats import t_test

# Below this many pairs everything is labelled exploratory: the t test takes the differences to be
# normal, and so few cannot show whether they are.
FEW_SEEDS = 8


@dataclass(frozen=True)
class Difference:
    """Treatment minus control of one metric over paired seeds, in the metric's own units.

    `low` to `high` is the two-sided t interval at level 1 - alpha, so each end alone is a one-sided
    bound at 1 - alpha / 2; `lower` and `upper` are the one-sided bounds at 1 - alpha. `dz` is the
    mean in standard deviations of the differences (Cohen's d for pairs).

    Without spread the interval is the mean itself, `dz` is 0 or infinite, and `p` (two-sided
    paired t) is 1 for a mean of exactly 0, else 0. Below two pairs `sd` and the bounds are
    infinite and `p` is 1.
    """

    metric: str
    n: int
    mean: float
    sd: float
    low: float
    high: float
    lower: float
    upper: float
    dz: float
    p: float
    alpha: float


def describe(differences: np.ndarray, metric: str, *, alpha: float) -> Difference:
    """Summarise the differences of one metric: (pair,).

    Source: Student (1908); statsmodels, as `finetune.stats.t_test` has it.
    """
    mean, sd = float(t_test.mean(differences)), float(t_test.standard_deviation(differences))
    low, high = t_test.confidence_bounds(differences, alpha=alpha / 2)
    lower, upper = t_test.confidence_bounds(differences, alpha=alpha)
    return Difference(
        metric=metric,
        n=len(differences),
        mean=mean,
        sd=sd,
        low=float(low),
        high=float(high),
        lower=float(lower),
        upper=float(upper),
        dz=cohens_dz(mean, sd),
        p=float(t_test.p_value(differences)),
        alpha=alpha,
    )


def cohens_dz(mean: float, sd: float) -> float:
    """Return a mean in standard deviations: infinite without spread, 0 where nothing is known.

    Source: Cohen (1988), the effect size of a paired t test.
    """
    # Below two pairs the standard deviation is infinite: no effect is seen, however large the mean.
    if mean == 0 or math.isnan(mean) or math.isinf(sd):
        return 0.0
    return mean / sd if sd > 0 else math.copysign(math.inf, mean)
