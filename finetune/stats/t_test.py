"""The paired t test: means, bounds and p-values of one sample, or of many columns at once.

Everywhere `differences` is (pair,) or (pair, column): the samples of a column are its pairs, and
what comes back is a scalar, or one value a column. A margin, threshold or bound is in the units of
the differences, and `alpha` is a level between 0 and 0.5.

Two limits are defined here that the libraries leave as NaN:

- No spread (all pairs of a sample give exactly the same difference, as when a callback never
  fired): the interval collapses to that difference, and a p-value is 0 where the difference lies
  strictly inside the alternative, else 1.
- Fewer than two pairs: nothing is known of the spread, so bounds are infinite and p-values 1.

Source: statsmodels 0.15, `statsmodels.stats.weightstats`: `DescrStatsW`, `ttost_paired`.
"""

from typing import Any, Literal

import numpy as np
from statsmodels.stats.weightstats import DescrStatsW, ttost_paired

Alternative = Literal["two-sided", "larger", "smaller"]


def mean(differences: np.ndarray) -> Any:
    """Return the mean difference; NaN without any pair."""
    values = np.asarray(differences, dtype=np.float64)
    if not len(values):
        return _fill(values, np.nan)
    # A sum of equal numbers is rounded: without spread the first is the mean exactly.
    return np.where(_flat(values), values[0], values.mean(axis=0))[()]


def standard_deviation(differences: np.ndarray) -> Any:
    """Return the standard deviation (divided by n - 1); infinite below two pairs."""
    values = np.asarray(differences, dtype=np.float64)
    if len(values) < 2:
        return _fill(values, np.inf)
    return np.where(_flat(values), 0.0, values.std(axis=0, ddof=1))[()]


def confidence_bounds(differences: np.ndarray, *, alpha: float) -> tuple[Any, Any]:
    """Return the lower and the upper bound of the mean, each one-sided at level 1 - alpha.

    Together they are the two-sided interval at level 1 - 2 * alpha.
    """
    values = np.asarray(differences, dtype=np.float64)
    if len(values) < 2:
        return _fill(values, -np.inf), _fill(values, np.inf)
    described, flat = DescrStatsW(values), _flat(values)
    lower, _ = described.tconfint_mean(alpha, alternative="larger")
    _, upper = described.tconfint_mean(alpha, alternative="smaller")
    return np.where(flat, values[0], lower)[()], np.where(flat, values[0], upper)[()]


def p_value(
    differences: np.ndarray, threshold: float = 0.0, *, alternative: Alternative = "two-sided"
) -> Any:
    """Return the p-value of a t test: is the mean other, larger or smaller than a threshold?

    Source: Student (1908); statsmodels, `DescrStatsW.ttest_mean`.
    """
    values = np.asarray(differences, dtype=np.float64)
    if len(values) < 2:
        return _fill(values, 1.0)
    # A column without spread divides 0 by 0; its value is replaced below.
    with np.errstate(divide="ignore", invalid="ignore"):
        described: Any = DescrStatsW(values)
        p = described.ttest_mean(threshold, alternative=alternative)[1]
    holds = {
        "two-sided": values[0] != threshold,
        "larger": values[0] > threshold,
        "smaller": values[0] < threshold,
    }[alternative]
    return np.where(_flat(values), np.where(holds, 0.0, 1.0), p)[()]


def tost_p_value(differences: np.ndarray, *, margin: float) -> Any:
    """Return the p-value of two one-sided t tests for a mean within (-margin, margin).

    Source: Schuirmann (1987); statsmodels, `ttost_paired`.
    """
    values = np.asarray(differences, dtype=np.float64)
    if len(values) < 2:
        return _fill(values, 1.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        p = ttost_paired(values, np.zeros_like(values), -margin, margin)[0]
    # Strictly inside, as for the other p-values: a mean at the margin is not within it.
    within = np.where(np.abs(values[0]) < margin, 0.0, 1.0)
    return np.where(_flat(values), within, p)[()]


def _flat(values: np.ndarray) -> Any:
    """Return which samples have no spread, exactly: by rounding, equal runs have a tiny one."""
    return (values == values[0]).all(axis=0)


def _fill(values: np.ndarray, value: float) -> Any:
    return np.full(values.shape[1:], value)[()]
