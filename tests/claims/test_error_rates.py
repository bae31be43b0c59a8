"""Do the tests err as often as they promise? Simulated under a known truth, seeds fixed.

Each bound is the rate that chance alone exceeds once in ten thousand, at the number of studies
simulated, so that a failure means a wrong rate and not an unlucky seed.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from scipy import stats

from finetune.claims.better import Better
from finetune.claims.equivalent import Equivalent
from finetune.claims.fit_outcome import refuted, supported
from finetune.claims.grid import adjust_tested
from finetune.claims.metric_claim import Decision, MetricClaim
from finetune.claims.metric_comparison import compare_metric, p_values
from finetune.claims.not_worse import NotWorse
from finetune.stats import power, t_test
from finetune.stats.multiple_testing import holm
from finetune.stats.t_test import Sample

ALPHA = 0.05
MARGINS = (0.01, 0.005)
STUDIES = 40_000

Draw = Callable[[np.random.Generator, tuple[int, ...]], np.ndarray]


def most(rate: float, studies: int) -> float:
    return float(stats.binom.isf(1e-4, studies, rate)) / studies


def least(rate: float, studies: int) -> float:
    return float(stats.binom.ppf(1e-4, studies, rate)) / studies


# Of normal differences at few pairs the test spends at least this share of its level: what it
# leaves is what holding on skewed ones costs.
LEAST_SPENT = 0.4


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
    p = t_test.p_value(Sample.of(differences.reshape(n, -1))).reshape(variants - 1, studies)
    # Something is found where the smallest p-value is, and Holm corrects that one as Bonferroni.
    found = np.mean((variants - 1) * p.min(axis=0) <= ALPHA)
    assert found <= most(ALPHA, studies)


def test_holm_corrects_the_smallest_p_value_by_the_number_of_tests():
    for family in np.random.default_rng(0).uniform(0, 0.3, (200, 4)):
        assert min(holm(family)) == pytest.approx(min(1, 4 * family.min()))


@pytest.mark.parametrize("n", [5, 10, 20])
def test_one_contrast_errs_at_alpha(n: int):
    differences = np.random.default_rng(n).normal(size=(n, STUDIES))
    found = np.mean(t_test.p_value(Sample.of(differences)) <= ALPHA)
    assert least(LEAST_SPENT * ALPHA, STUDIES) <= found <= most(ALPHA, STUDIES)


@pytest.mark.parametrize("n", [5, 10, 20])
def test_intervals_cover(n: int):
    differences = np.random.default_rng(n).normal(0.3, 1.0, size=(n, STUDIES))
    low, high = t_test.confidence_bounds(Sample.of(differences), alpha=ALPHA / 2)
    lower, upper = t_test.confidence_bounds(Sample.of(differences), alpha=ALPHA)
    for covers, level in (
        ((low < 0.3) & (high > 0.3), 1 - ALPHA),
        (lower < 0.3, 1 - ALPHA),
        (upper > 0.3, 1 - ALPHA),
    ):
        widest = 1 - LEAST_SPENT * (1 - level)
        assert least(level, STUDIES) <= covers.mean() <= most(widest, STUDIES)


@pytest.mark.parametrize("n", [5, 10, 20])
@pytest.mark.parametrize("draw", [skewed, tied])
def test_intervals_cover_what_is_not_normal(draw: Draw, n: int):
    runs = draw(np.random.default_rng(n), (n, 2, STUDIES))
    low, high = t_test.confidence_bounds(Sample.of(runs[:, 0] - runs[:, 1]), alpha=ALPHA / 2)
    assert 0.94 <= np.mean((low <= 0) & (high >= 0)) <= 0.999


@pytest.mark.parametrize("n", [5, 10, 20])
def test_equality_is_not_found_at_the_margin(n: int):
    differences = np.random.default_rng(n).normal(0.01, 0.003, size=(n, STUDIES))
    found = np.mean(t_test.tost_p_value(Sample.of(differences), margin=0.01) < ALPHA)
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
        assert yes >= least(LEAST_SPENT * ALPHA, STUDIES)
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


BETTER, NOT_WORSE, EQUIVALENT = Better(), NotWorse(), Equivalent()
MARGIN, SD = 0.005, 0.005


@cache
def worsenings(draw: Draw, n: int) -> np.ndarray:
    """Draw how much worse one variant is than another that is as good: (pair, study)."""
    runs = draw(np.random.default_rng(n), (n, 2, STUDIES))
    differences = runs[:, 0] - runs[:, 1]
    return SD * differences / differences.std()


def decision(kind: MetricClaim, worsening: np.ndarray, *, margin: float = MARGIN) -> Decision:
    """Decide a claim in every study, from worsenings (pair, study)."""
    one = compare_metric(worsening[:, 0], "test_loss", sign=1.0, margin=margin, alpha=ALPHA)
    means = replace(one.worsening, mean=Sample.of(worsening).mean)
    p = p_values(worsening, margin=margin)
    return kind.decision(replace(one, worsening=means, **p), alpha=ALPHA)


def rates(
    kind: MetricClaim, worsening: np.ndarray, *, margin: float = MARGIN
) -> tuple[float, float]:
    """Return the shares of studies in which a claim is supported and in which it is refuted."""
    found = decision(kind, worsening, margin=margin)
    return np.mean(found.p_supported < ALPHA), np.mean(found.p_refuted < ALPHA)


# The true worsening, in margins, and which of the answers would be false there. At the end of a
# margin both are: neither a claim nor its opposite says anything of the end itself.
FALSE = {
    "better, at the margin": (BETTER, -1.0, (True, True)),
    "better, though equal": (BETTER, 0.0, (True, False)),
    "better, and it is": (BETTER, -1.5, (False, True)),
    "not worse, at the margin": (NOT_WORSE, 1.0, (True, True)),
    "not worse, and equal": (NOT_WORSE, 0.0, (False, True)),
    "not worse, though it is": (NOT_WORSE, 1.5, (True, False)),
    "equivalent, worse by the margin": (EQUIVALENT, 1.0, (True, True)),
    "equivalent, better by the margin": (EQUIVALENT, -1.0, (True, True)),
    "equivalent, and equal": (EQUIVALENT, 0.0, (False, True)),
    "equivalent, though worse": (EQUIVALENT, 1.5, (True, False)),
}
# Where the rule spends all of its level, of normal differences.
SPENT = {
    "better, at the margin": (ALPHA, ALPHA),
    "not worse, at the margin": (ALPHA, ALPHA),
    "equivalent, worse by the margin": (None, ALPHA / 2),
    "equivalent, better by the margin": (None, ALPHA / 2),
}


@pytest.mark.parametrize("n", [5, 10, 20])
@pytest.mark.parametrize("draw", [normal, tied, skewed, correlated])
@pytest.mark.parametrize("case", FALSE)
def test_false_verdicts_on_one_metric_come_at_most_at_alpha(case: str, draw: Draw, n: int):
    """Skewed runs make symmetric differences with heavy tails, at which the test errs less."""
    kind, margins, false = FALSE[case]
    found = rates(kind, margins * MARGIN + worsenings(draw, n))
    for rate, wrong in zip(found, false, strict=True):
        assert rate <= most(ALPHA, STUDIES) or not wrong
    if draw is normal:
        for rate, level in zip(found, SPENT.get(case, ()), strict=False):
            spent = least(LEAST_SPENT * level, STUDIES) if level else 0
            assert spent <= rate <= most(level or 1, STUDIES)


@pytest.mark.parametrize("n", [5, 10, 20])
def test_equivalence_is_refuted_at_most_at_alpha_by_both_ways_together(n: int):
    """With margins that are nothing beside the noise, each of the two ways errs as often."""
    _, refuted = rates(EQUIVALENT, worsenings(normal, n), margin=1e-9)
    assert least(LEAST_SPENT * ALPHA, STUDIES) <= refuted <= most(ALPHA, STUDIES)


@pytest.mark.parametrize(("n", "above"), [(12, 0.02), (20, 0.01), (50, 0.01), (100, 0.01)])
@pytest.mark.parametrize("sign", [-1, 1])
@pytest.mark.parametrize("kind", [BETTER, NOT_WORSE, EQUIVALENT], ids=lambda kind: kind.name)
def test_differences_that_are_skewed_themselves_err_hardly_more_often(
    kind: MetricClaim, sign: int, n: int, above: float
):
    """Student's test errs at 15 % of studies with 20 such pairs. Below 20 it is exploratory."""
    drawn = skewed(np.random.default_rng(n), (n, STUDIES)) - np.exp(0.32)
    end = -MARGIN if kind is BETTER else MARGIN
    assert max(rates(kind, end + sign * SD * drawn)) <= most(ALPHA, STUDIES) + above


@pytest.mark.parametrize("kind", [BETTER, NOT_WORSE, EQUIVALENT], ids=lambda kind: kind.name)
@pytest.mark.parametrize("margins", [-1.1, -1.0, 0.0, 1.0, 1.1])
def test_no_claim_on_one_metric_is_both_supported_and_refuted(kind: MetricClaim, margins: float):
    found = decision(kind, margins * MARGIN + 0.2 * worsenings(normal, 5))
    yes, no = found.p_supported < ALPHA, found.p_refuted < ALPHA
    assert yes.any() or no.any()
    assert not (yes & no).any()


# True worsenings in margins: far inside the claim or outside of it.
TRUE = {
    "better": (BETTER, -1.6, 0),
    "barely worse": (BETTER, -0.4, 1),
    "not worse": (NOT_WORSE, 0.4, 0),
    "worse": (NOT_WORSE, 1.6, 1),
    "equal": (EQUIVALENT, 0.0, 0),
    "equal but for half": (EQUIVALENT, 0.5, 0),
    "not equal": (EQUIVALENT, -1.6, 1),
}


@pytest.mark.parametrize("case", TRUE)
def test_the_seeds_that_a_verdict_asks_for_settle_a_claim_on_one_metric(case: str):
    kind, margins, answer = TRUE[case]
    sure = decision(kind, np.full((2, 1), margins * MARGIN))
    dz = float(sure.excess[0]) / SD
    alpha, needed_power = np.broadcast_arrays(sure.alpha, sure.power)
    n = power.seeds_needed(
        dz, alpha=float(alpha.flat[0]), power=float(needed_power.flat[0]), alternative="larger"
    )
    assert n is not None
    drawn = np.random.default_rng(n).normal(margins * MARGIN, SD, size=(n, STUDIES))
    assert rates(kind, drawn)[answer] >= least(power.POWER, STUDIES)
    # A third of them would not do.
    assert rates(kind, drawn[: n // 3])[answer] < power.POWER


@pytest.mark.parametrize("n", [5, 20])
@pytest.mark.parametrize("kind", [BETTER, NOT_WORSE, EQUIVALENT], ids=lambda kind: kind.name)
def test_a_family_of_claims_decides_one_wrongly_at_most_at_alpha(kind: MetricClaim, n: int):
    """Four claims that share a control, all at the margin; Holm's is Bonferroni's first step."""
    runs = SD * correlated(np.random.default_rng(n), (n, 5, 10_000))
    end = -MARGIN if kind is BETTER else MARGIN
    claims = [decision(kind, end + runs[:, k] - runs[:, 0]) for k in range(1, 5)]
    for p in ("p_supported", "p_refuted"):
        smallest = np.min([getattr(one, p) for one in claims], axis=0)
        assert np.mean(4 * smallest < ALPHA) <= most(ALPHA, 10_000)


@pytest.mark.parametrize("sharing", [0.0, 0.9])
def test_false_discoveries_on_a_map_stay_below_alpha(sharing: float):
    """Half of the settings true, half at the margin; they share seeds, and so part of the noise."""
    maps, size, n = 1000, 32, 20
    rng = np.random.default_rng(7)
    drawn = sharing * rng.normal(size=(n, 1, maps)) + rng.normal(size=(n, size, maps))
    truth = np.where(np.arange(size) < size // 2, 1.5, 0.0)[:, None]
    p = t_test.p_value(Sample.of((drawn + truth).reshape(n, -1)), alternative="larger").reshape(
        size, maps
    )
    tested = np.ones(size, dtype=bool)
    shares = []
    for column in p.T:
        found = adjust_tested(np.stack([column, 1 - column], axis=1), tested=tested) <= ALPHA
        # A setting at the margin is supported wrongly, and a true one refuted wrongly.
        wrong = found[size // 2 :, 0].sum() + found[: size // 2, 1].sum()
        shares.append(wrong / max(found.sum(), 1))
    assert np.mean(shares) <= ALPHA
