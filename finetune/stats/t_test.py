"""The t test of a mean, corrected for skewness: bounds and p-values of paired differences.

Student's t errs too often where differences are skewed, as those of losses are: a sample that
happens to lack the long tail looks both too far from the margin and too little spread. The bound
that a long tail threatens is therefore moved outwards by Hall's cubic correction, for a skewness
that is twice what the sample shows and one standard error more. The other bound is Student's, and
no bound is ever inside of Student's.

Two limits are defined here that formulas leave as NaN:

- No spread (all values of a sample are exactly the same, as when a callback never fired): the
  interval collapses to that value, and a p-value is 0 where the value lies strictly inside the
  alternative, else 1.
- Fewer than two values: nothing is known of the spread, so bounds are infinite and p-values 1.

Two values show no skewness; there it is Student's test as it stands.

Source: Student (1908); Hall (1992), "On the removal of skewness by transformation".
"""

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from scipy import stats

Alternative = Literal["two-sided", "larger", "smaller"]

# No more skewness than this is corrected for: what a sample of 20 can show at most is 4.2.
_MOST_SKEWNESS = 4.0


@dataclass(frozen=True)
class Sample:
    """What the test needs to know of a sample: scalars, or (column,) for one sample a column.

    Attributes:
        n: Number of values.
        mean: NaN without any value.
        sd: Standard deviation (divided by n - 1): exactly 0 without spread, infinite below two.
        skewness: Adjusted Fisher-Pearson coefficient; 0 without spread and below three.
    """

    n: int
    mean: Any
    sd: Any
    skewness: Any

    @classmethod
    def of(cls, values: np.ndarray) -> "Sample":
        """Summarise values: (value,) or (value, column)."""
        values = np.asarray(values, dtype=np.float64)
        n = len(values)
        if n < 2:
            first = values[0] if n else np.full(values.shape[1:], np.nan)
            return cls(n, first, np.full(values.shape[1:], np.inf)[()], np.zeros_like(first)[()])
        # By rounding, equal values have a mean beside them and a tiny spread.
        flat = (values == values[0]).all(axis=0)
        mean = np.where(flat, values[0], values.mean(axis=0))[()]
        sd = np.where(flat, 0.0, values.std(axis=0, ddof=1))[()]
        return cls(n, mean, sd, _skewness(values, flat=flat))

    def __neg__(self) -> "Sample":
        return Sample(self.n, -self.mean, self.sd, -self.skewness)

    def shifted(self, by: Any) -> "Sample":
        """Return the sample with so much added to every value."""
        return Sample(self.n, self.mean + by, self.sd, self.skewness)


def confidence_bounds(sample: Sample, *, alpha: float) -> tuple[Any, Any]:
    """Return the lower and the upper bound of the mean, each one-sided at level 1 - alpha.

    Together they are the two-sided interval at level 1 - 2 * alpha. `alpha` is below 0.5.
    """
    return _lower_bound(sample, alpha=alpha), -_lower_bound(-sample, alpha=alpha)


def p_value(
    sample: Sample, threshold: float = 0.0, *, alternative: Alternative = "two-sided"
) -> Any:
    """Return the p-value of the test: is the mean other, larger or smaller than a threshold?

    It is below alpha where the bound at alpha lies beyond the threshold.
    """
    larger = _p_larger(sample, threshold)
    smaller = _p_larger(-sample, -threshold)
    if alternative == "two-sided":
        return np.minimum(1.0, 2 * np.minimum(larger, smaller))[()]
    return larger if alternative == "larger" else smaller


def tost_p_value(sample: Sample, *, margin: float) -> Any:
    """Return the p-value of two one-sided tests for a mean within (-margin, margin).

    Source: Schuirmann (1987).
    """
    above = p_value(sample, -margin, alternative="larger")
    return np.maximum(above, p_value(sample, margin, alternative="smaller"))[()]


def exceeds(sample: Sample, threshold: float, *, alpha: float) -> Any:
    """Return whether the mean is shown to be larger than a threshold: `p_value` below alpha."""
    return _lower_bound(sample, alpha=alpha) > threshold


def critical_t(skewness: Any, *, n: int, alpha: float) -> Any:
    """Return how many standard errors below the mean its lower bound lies.

    Args:
        skewness: Of the sample, as in `Sample`.
        n: Number of values, at least 2.
        alpha: Level of the bound, below 0.5.
    """
    quantile = stats.t.isf(alpha, n - 1)
    tail = _tail(skewness, n=n)
    with np.errstate(divide="ignore", invalid="ignore"):
        corrected = (np.cbrt(1 + 3 * tail * (quantile - tail / 2)) - 1) / tail
    return np.where(tail < 0, np.maximum(quantile, corrected), quantile)[()]


def _lower_bound(sample: Sample, *, alpha: float) -> Any:
    if sample.n < 2:
        return np.full(np.shape(sample.mean), -np.inf)[()]
    error = sample.sd / math.sqrt(sample.n)
    return sample.mean - critical_t(sample.skewness, n=sample.n, alpha=alpha) * error


def _p_larger(sample: Sample, threshold: float) -> Any:
    if sample.n < 2:
        return np.ones(np.shape(sample.mean))[()]
    above = sample.mean - threshold
    # A sample without spread divides by 0; its value is replaced below.
    with np.errstate(divide="ignore", invalid="ignore"):
        t = above / (sample.sd / math.sqrt(sample.n))
        tail = _tail(sample.skewness, n=sample.n)
        # The inverse of what `critical_t` does.
        quantile = t + tail * t**2 + tail**2 * t**3 / 3 + tail / 2
    p = stats.t.sf(np.minimum(t, quantile), sample.n - 1)
    return np.where(sample.sd > 0, p, np.where(above > 0, 0.0, 1.0))[()]


def _tail(skewness: Any, *, n: int) -> Any:
    """Return the skewness to correct for, over 3 sqrt(n): 0 or below, where a tail is feared."""
    if n < 3:
        return np.zeros(np.shape(skewness))[()]
    error = math.sqrt(6 * n * (n - 1) / ((n - 2) * (n + 1) * (n + 3)))
    feared = np.maximum(2 * skewness - error, -_MOST_SKEWNESS)
    return np.minimum(feared, 0.0)[()] / (3 * math.sqrt(n))


def _skewness(values: np.ndarray, *, flat: Any) -> Any:
    n = len(values)
    if n < 3:
        return np.zeros(values.shape[1:])[()]
    away = values - values.mean(axis=0)
    squared = away**2
    # A power of 3 takes far longer than two products.
    second, third = squared.mean(axis=0), (squared * away).mean(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        biased = third / second**1.5
    return np.where(flat, 0.0, biased * math.sqrt(n * (n - 1)) / (n - 2))[()]
