"""Tests and counts that assume no normal distribution, beside the t test for comparison."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import stats

# Exact up to this many pairs without ties: the distribution of the ranks is quick to count there.
_EXACT_PAIRS = 200
# Up to this many pairs scipy runs through every pattern of signs, ties or not.
_ALL_SIGNS = 13
RESAMPLES = 9999
_SIGNS_AT_ONCE = 4_000_000


@dataclass(frozen=True)
class SignedRank:
    """Two-sided Wilcoxon signed-rank test; `method` names how its p-value was computed."""

    p: float
    method: str


@dataclass(frozen=True)
class WinRate:
    """In how many pairs the treatment was better (`wins`) or worse, ties apart.

    `rate` is wins over wins and losses, with its exact (Clopper-Pearson) interval; with ties alone
    it is 0.5 and the interval says nothing, 0 to 1.
    """

    wins: int
    losses: int
    ties: int
    rate: float
    low: float
    high: float


def signed_rank(differences: np.ndarray) -> SignedRank:
    """Test whether differences (pair,) are symmetric about 0; exact wherever that is possible.

    Pairs without a difference say nothing of its direction and are dropped, as Wilcoxon did. With
    ties among the others all patterns of signs are counted while they are few; the normal
    approximation, corrected for ties and continuity, is left for many tied pairs.

    Source: Wilcoxon (1945); scipy 1.17, `scipy.stats.wilcoxon`.
    """
    values = differences[differences != 0]
    if not values.size:
        return SignedRank(p=1.0, method="no difference")
    tied = len(np.unique(np.abs(values))) < len(values)
    if not tied and len(values) <= _EXACT_PAIRS:
        return SignedRank(_wilcoxon(values, method="exact"), "exact")
    if len(values) <= _ALL_SIGNS:
        ranks = np.sign(values) * stats.rankdata(np.abs(values))
        # Vectorised; `wilcoxon` with a PermutationMethod gives the same number, pattern by pattern.
        return SignedRank(sign_flip(ranks, seed=0), "exact, with ties")
    corrected = _wilcoxon(values, method="asymptotic", correction=True)
    return SignedRank(corrected, "normal approximation")


def _wilcoxon(values: np.ndarray, **how: Any) -> float:
    result: Any = stats.wilcoxon(values, **how)
    return float(result.pvalue)


def sign_flip(differences: np.ndarray, *, seed: int, resamples: int = RESAMPLES) -> float:
    """Return the p-value of a permutation test that flips the signs of differences (pair,).

    Two-sided, on the mean; exact where `resamples` covers all patterns of signs, else these are
    drawn with `seed`.

    Source: Fisher (1935); scipy 1.17, `scipy.stats.permutation_test` with "samples".
    """
    if len(differences) < 2 or not np.any(differences):
        return 1.0
    result = stats.permutation_test(
        (differences,),
        np.mean,
        permutation_type="samples",
        vectorized=True,
        n_resamples=resamples,
        # Patterns of signs at once: thousands of pairs would otherwise take gigabytes.
        batch=max(1, _SIGNS_AT_ONCE // len(differences)),
        rng=np.random.default_rng(seed),
    )
    return float(result.pvalue)


def win_rate(worsening: np.ndarray, *, alpha: float) -> WinRate:
    """Count the pairs in which the treatment was better, from how much worse it is: (pair,).

    Source: Clopper and Pearson (1934); scipy 1.17, `scipy.stats.binomtest`.
    """
    wins, losses = int((worsening < 0).sum()), int((worsening > 0).sum())
    rate, low, high = 0.5, 0.0, 1.0  # with ties alone
    if wins + losses:
        result = stats.binomtest(wins, wins + losses)
        interval = result.proportion_ci(confidence_level=1 - alpha, method="exact")
        rate, low, high = float(result.statistic), float(interval.low), float(interval.high)
    ties = len(worsening) - wins - losses
    return WinRate(wins=wins, losses=losses, ties=ties, rate=rate, low=low, high=high)
