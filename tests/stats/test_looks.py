"""Judging at looks: error rates, seeds and means, against theory and against drawn studies."""

import math

import numpy as np
import pytest
from scipy import stats

from finetune.spec.looks import Look, SeedRange
from finetune.stats.looks import (
    DrawnStudies,
    error_rate,
    expected_seeds,
    power,
    stop,
    without_bias,
)
from finetune.stats.paired import count_distinct
from finetune.stats.t_test import Sample, p_value

ALPHA = 0.05
LOOKS = SeedRange().looks


def naive(*sizes: int) -> list[Look]:
    return [Look(size, 1.0) for size in sizes]


def test_one_look_errs_as_the_test_does():
    assert error_rate(naive(100), alpha=ALPHA) == pytest.approx(ALPHA, abs=0.01)


def test_looking_again_and_again_errs_more_and_more():
    """Armitage, McPherson and Rowe (1969) have 14 % for five looks of a two-sided test at 5 %.

    They look at equal distances; here each has twice the seeds, so that less of it is new.
    """
    rates = [error_rate(naive(*(20 * 2**k for k in range(n))), alpha=ALPHA) for n in (1, 2, 3, 5)]
    assert rates == sorted(rates)
    assert rates[-1] > 2.5 * ALPHA


@pytest.mark.parametrize("alpha", [0.05, 0.025])
@pytest.mark.parametrize(("first", "to"), [(20, 300), (8, 200), (20, 40)])
def test_looks_with_shares_of_alpha_err_at_most_at_alpha(alpha: float, first: int, to: int):
    looks = SeedRange.model_validate({"from": first, "to": to}).looks
    assert 0 < error_rate(looks, alpha=alpha) <= alpha


def test_a_study_ends_at_the_first_look_that_decides():
    differences = np.random.default_rng(0).normal(0.4, 1.0, size=(300, 50))
    stopped = stop(DrawnStudies.of(differences, LOOKS), alphas=(ALPHA, ALPHA))
    for study in range(50):
        decided = next(
            (
                look.seeds
                for look in LOOKS
                if p_value(Sample.of(differences[: look.seeds, study]), alternative="larger")
                < ALPHA * look.share
            ),
            300,
        )
        assert stopped.seeds[study] == decided
        assert stopped.mean[study] == pytest.approx(differences[:decided, study].mean())


def test_swapping_the_sides_swaps_the_decisions():
    drawn = np.random.default_rng(1).normal(size=(300, 400))
    there = stop(DrawnStudies.of(drawn, LOOKS), alphas=(0.05, 0.025), shift=0.2)
    back = stop(DrawnStudies.of(-drawn, LOOKS), alphas=(0.025, 0.05), shift=-0.2)
    np.testing.assert_array_equal(there.above, back.below)
    np.testing.assert_array_equal(there.seeds, back.seeds)
    np.testing.assert_allclose(there.mean, -back.mean)


def test_differences_that_are_nearly_all_equal_decide_nothing():
    """Seven of 300 differ: too few to know how much they vary."""
    differences = np.ones((300, 1))
    differences[:7, 0] = np.arange(7) / 10
    stopped = stop(DrawnStudies.of(differences, LOOKS), alphas=(ALPHA, ALPHA))
    assert (stopped.seeds[0], stopped.above[0]) == (300, False)


def test_plain_answers_take_few_seeds_and_close_ones_many():
    seeds = [expected_seeds(LOOKS, dz, alpha=ALPHA) for dz in (3.0, 1.0, 0.5, 0.3, 0.0)]
    assert seeds == sorted(seeds)
    assert seeds[0] == pytest.approx(20, abs=1)
    assert seeds[-1] > 280


def test_power_is_at_least_nineteen_twentieths_of_the_fixed_designs():
    """Where the fixed design has some; the difference from the margin in standard deviations."""
    for dz in (0.3, 1.0):
        fixed = stats.nct.sf(stats.t.isf(ALPHA, 299), 299, dz * math.sqrt(300))
        assert power(LOOKS, dz, alpha=ALPHA) >= 0.95 * fixed


@pytest.mark.parametrize("true", [-0.4, 0.1, 0.3, 0.6])
def test_a_mean_at_which_a_study_stopped_is_corrected_on_average(true: float):
    """In studies that the correction has not seen."""
    drawn = np.random.default_rng(99).normal(true, 1.0, size=(300, 6000))
    means = stop(DrawnStudies.of(drawn, LOOKS), alphas=(ALPHA, ALPHA)).mean
    corrected = np.array([without_bias(LOOKS, mean, alphas=(ALPHA, ALPHA)) for mean in means])
    assert abs(corrected.mean() - true) < 0.5 * abs(means.mean() - true)


def test_far_from_the_margin_nothing_is_corrected():
    assert without_bias(LOOKS, 9.0, alphas=(ALPHA, ALPHA)) == 9.0
    assert without_bias(LOOKS, 2.0, alphas=(ALPHA, ALPHA)) == pytest.approx(2.0, abs=0.03)


@pytest.mark.parametrize(
    ("values", "distinct"),
    [([1, 2, 2, 3], 2), ([5], 0), ([0, 0, 0], 0), ([3, 1, 2], 2), ([1, 1, 2, 2, 2], 2)],
)
def test_distinct_differences_are_those_other_than_the_most_common(values, distinct):
    assert count_distinct(np.array(values, float)) == distinct
    many = count_distinct(np.array([values, values], float).T)
    assert list(many) == [distinct, distinct]
