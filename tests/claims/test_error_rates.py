"""Do the tests err as often as they promise? Simulated under a known truth, seeds fixed.

Each bound is the rate that chance alone exceeds once in ten thousand, at the number of studies
simulated, so that a failure means a wrong rate and not an unlucky seed.
"""

from collections.abc import Callable
from functools import cache

import numpy as np
import pytest
from scipy import stats

from finetune.claims.fit_outcome import refuted, supported
from finetune.claims.grid import adjust_tested
from finetune.stats import power, t_test
from finetune.stats.multiple_testing import holm

ALPHA = 0.05
MARGINS = (0.01, 0.005)
STUDIES = 40_000

Draw = Callable[[np.random.Generator, tuple[int, ...]], np.ndarray]


def most(rate: float, studies: int) -> float:
    return float(stats.binom.isf(1e-4, studies, rate)) / studies


def least(rate: float, studies: int) -> float:
    return float(stats.binom.ppf(1e-4, studies, rate)) / studies


def normal(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return rng.normal(size=shape)


def skewed(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return rng.lognormal(sigma=0.8, size=shape)


def tied(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return np.round(rng.normal(size=shape))


def correlated(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    # Every variant is the one before with something added, so that contrasts go together.
    return np.cumsum(rng.normal(size=shape), axis=1)


@pytest.mark.parametrize("draw", [normal, skewed, tied, correlated])
@pytest.mark.parametrize("n", [5, 10, 20])
def test_a_family_of_contrasts_finds_nothing_where_nothing_is(draw: Draw, n: int):
    studies, variants = 10_000, 5
    runs = draw(np.random.default_rng(n), (n, variants, studies))
    differences = runs[:, 1:] - runs[:, :1]  # four variants against the first, which they share
    p = t_test.p_value(differences.reshape(n, -1)).reshape(variants - 1, studies)
    # Something is found where the smallest p-value is, and Holm corrects that one as Bonferroni.
    found = np.mean((variants - 1) * p.min(axis=0) <= ALPHA)
    assert found <= most(ALPHA, studies)


def test_holm_corrects_the_smallest_p_value_by_the_number_of_tests():
    for family in np.random.default_rng(0).uniform(0, 0.3, (200, 4)):
        assert min(holm(family)) == pytest.approx(min(1, 4 * family.min()))


@pytest.mark.parametrize("n", [5, 10, 20])
def test_one_contrast_errs_at_alpha(n: int):
    differences = np.random.default_rng(n).normal(size=(n, STUDIES))
    found = np.mean(t_test.p_value(differences) <= ALPHA)
    assert least(ALPHA, STUDIES) <= found <= most(ALPHA, STUDIES)


@pytest.mark.parametrize("n", [5, 10, 20])
def test_intervals_cover(n: int):
    differences = np.random.default_rng(n).normal(0.3, 1.0, size=(n, STUDIES))
    low, high = t_test.confidence_bounds(differences, alpha=ALPHA / 2)
    lower, upper = t_test.confidence_bounds(differences, alpha=ALPHA)
    for covers, level in (
        ((low < 0.3) & (high > 0.3), 1 - ALPHA),
        (lower < 0.3, 1 - ALPHA),
        (upper > 0.3, 1 - ALPHA),
    ):
        assert least(level, STUDIES) <= covers.mean() <= most(level, STUDIES)


@pytest.mark.parametrize("n", [5, 10, 20])
@pytest.mark.parametrize("draw", [skewed, tied])
def test_intervals_cover_what_is_not_normal(draw: Draw, n: int):
    runs = draw(np.random.default_rng(n), (n, 2, STUDIES))
    low, high = t_test.confidence_bounds(runs[:, 0] - runs[:, 1], alpha=ALPHA / 2)
    assert 0.94 <= np.mean((low <= 0) & (high >= 0)) <= 0.99


@pytest.mark.parametrize("n", [5, 10, 20])
def test_equality_is_not_found_at_the_margin(n: int):
    differences = np.random.default_rng(n).normal(0.01, 0.003, size=(n, STUDIES))
    found = np.mean(t_test.tost_p_value(differences, margin=0.01) < ALPHA)
    assert found <= most(ALPHA, STUDIES)


@cache
def noise(n: int) -> np.ndarray:
    """Draw standard normal noise (3, pair, study), the same for every truth that is simulated."""
    return np.random.default_rng(n).normal(size=(3, n, STUDIES))


def simulated(
    means: tuple[float, float], *, n: int, sd: float = 0.005, correlation: float = 0.0
) -> tuple[np.ndarray, np.ndarray]:
    """Simulate train and test worsenings (pair, study) with these true means."""
    shared, *single = noise(n)
    weight = np.sqrt(abs(correlation))
    signs = (1.0, np.copysign(1.0, correlation))
    train, test = (
        mean + sd * (sign * weight * shared + np.sqrt(1 - weight**2) * rest)
        for mean, sign, rest in zip(means, signs, single, strict=True)
    )
    return train, test


@pytest.mark.parametrize("n", [5, 10, 20])
@pytest.mark.parametrize("correlation", [-0.9, 0.0, 0.9])
@pytest.mark.parametrize("means", [MARGINS, (MARGINS[0], 1.0), (1.0, MARGINS[1])])
def test_false_verdicts_come_at_most_at_alpha(
    means: tuple[float, float], correlation: float, n: int
):
    """Both worsenings at the margin, and each alone with the other far beyond."""
    train, test = simulated(means, n=n, correlation=correlation)
    yes = supported(train, test, margins=MARGINS, alpha=ALPHA).mean()
    assert yes <= most(ALPHA, STUDIES)
    if 1.0 in means:  # the worst case: the rule spends all of alpha
        assert yes >= least(ALPHA, STUDIES)
    no = refuted(train, test, margins=MARGINS, alpha=ALPHA).mean()
    assert no <= most(ALPHA / 2 if 1.0 in means else ALPHA, STUDIES)


def test_never_both_supported_and_refuted():
    train, test = simulated((0.011, 0.006), n=5)
    yes = supported(train, test, margins=MARGINS, alpha=ALPHA)
    assert yes.any()
    assert not (yes & refuted(train, test, margins=MARGINS, alpha=ALPHA)).any()


@pytest.mark.parametrize("excess", [0.6, 1.0, 2.0])
@pytest.mark.parametrize("correlation", [-0.9, 0.0, 0.9])
def test_the_planned_seeds_support_a_true_claim(excess: float, correlation: float):
    n = power.seeds_needed(excess, alpha=ALPHA, power=power.each_of_two(0.8), alternative="larger")
    assert n is not None
    means = (MARGINS[0] + excess * 0.005, MARGINS[1] + excess * 0.005)
    train, test = simulated(means, n=n, correlation=correlation)
    assert supported(train, test, margins=MARGINS, alpha=ALPHA).mean() >= least(0.8, STUDIES)
    assert power.detectable_effect(n, alpha=ALPHA).both <= excess


@pytest.mark.parametrize("below", [0.6, 1.0, 2.0])
def test_the_planned_seeds_refute_a_false_claim(below: float):
    n = power.seeds_needed(below, alpha=ALPHA / 2, alternative="smaller")
    assert n is not None
    train, test = simulated((1.0, MARGINS[1] - below * 0.005), n=n)
    rate = refuted(train, test, margins=MARGINS, alpha=ALPHA).mean()
    assert least(0.8, STUDIES) <= rate
    assert power.detectable_effect(n, alpha=ALPHA).either <= below


@pytest.mark.parametrize("sharing", [0.0, 0.9])
def test_false_discoveries_on_a_map_stay_below_alpha(sharing: float):
    """Half of the settings true, half at the margin; they share seeds, and so part of the noise."""
    maps, size, n = 1000, 32, 20
    rng = np.random.default_rng(7)
    drawn = sharing * rng.normal(size=(n, 1, maps)) + rng.normal(size=(n, size, maps))
    truth = np.where(np.arange(size) < size // 2, 1.5, 0.0)[:, None]
    p = t_test.p_value((drawn + truth).reshape(n, -1), alternative="larger").reshape(size, maps)
    tested = np.ones(size, dtype=bool)
    shares = []
    for column in p.T:
        found = adjust_tested(np.stack([column, 1 - column], axis=1), tested=tested) <= ALPHA
        # A setting at the margin is supported wrongly, and a true one refuted wrongly.
        wrong = found[size // 2 :, 0].sum() + found[: size // 2, 1].sum()
        shares.append(wrong / max(found.sum(), 1))
    assert np.mean(shares) <= ALPHA
