"""The difference between two variants in one metric, paired by seed, as numbers to report."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from finetune.stats import t_test

# Below either number everything is labelled exploratory: fewer pairs do not show how skewed the
# differences are, and fewer that differ from the most common value do not show how much they vary.
FEW_SEEDS = 20
FEW_DISTINCT = 8


@dataclass(frozen=True)
class Difference:
    """Treatment minus control of one metric over paired seeds, in the metric's own units.

    `low` to `high` is the two-sided interval at level 1 - alpha, so each end alone is a one-sided
    bound at 1 - alpha / 2; `lower` and `upper` are the one-sided bounds at 1 - alpha. `dz` is the
    mean in standard deviations of the differences (Cohen's d for pairs). `distinct` is the number
    of differences other than the most common one.

    Without spread the interval is the mean itself, `dz` is 0 or infinite, and `p` (two-sided) is
    1 for a mean of exactly 0, else 0. Below two pairs `sd` and the bounds are infinite and `p` is
    1.
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
    distinct: int

    @property
    def exploratory(self) -> bool:
        """Whether there are too few pairs, or too few that differ, to rely on a test."""
        return self.n < FEW_SEEDS or self.distinct < FEW_DISTINCT

    @property
    def varied(self) -> bool:
        """Whether enough differences are distinct, of those that could be."""
        return is_varied(self.distinct, self.n)


def describe(differences: np.ndarray, metric: str, *, alpha: float) -> Difference:
    """Summarise the differences of one metric: (pair,); bounds are those of `t_test`."""
    sample = t_test.Sample.of(differences)
    mean, sd = float(sample.mean), float(sample.sd)
    low, high = t_test.confidence_bounds(sample, alpha=alpha / 2)
    lower, upper = t_test.confidence_bounds(sample, alpha=alpha)
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
        p=float(t_test.p_value(sample)),
        alpha=alpha,
        distinct=int(count_distinct(differences)) if len(differences) else 0,
    )


def is_varied(distinct: Any, n: int) -> Any:
    """Return whether so many distinct differences among n show how much they vary."""
    return distinct >= min(FEW_DISTINCT, n - 1)


def cohens_dz(mean: float, sd: float) -> float:
    """Return a mean in standard deviations: infinite without spread, 0 where nothing is known.

    Source: Cohen (1988), the effect size of a paired t test.
    """
    # Below two pairs the standard deviation is infinite: no effect is seen, however large the mean.
    if mean == 0 or math.isnan(mean) or math.isinf(sd):
        return 0.0
    return mean / sd if sd > 0 else math.copysign(math.inf, mean)


def count_distinct(differences: np.ndarray) -> Any:
    """Count the differences other than the most common one: (pair,), or (pair, study) for one each.

    There is at least one pair.
    """
    ordered = np.sort(differences, axis=0)
    place = np.arange(len(ordered)).reshape(-1, *[1] * (ordered.ndim - 1))
    # Equal values stand in a row after the place where their first one stands.
    changed = np.concatenate([np.ones_like(ordered[:1], bool), ordered[1:] != ordered[:-1]])
    began = np.maximum.accumulate(np.where(changed, place, 0), axis=0)
    return len(ordered) - (place - began + 1).max(axis=0)
