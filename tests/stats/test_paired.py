import math
from dataclasses import astuple

import numpy as np
import pytest

from finetune.stats import t_test
from finetune.stats.paired import describe
from finetune.stats.t_test import Sample

DIFFERENCES = np.array([0.02, 0.011, -0.003, 0.017, 0.008, 0.013, 0.001])


def test_all_zero_is_a_difference_of_zero():
    found = describe(np.zeros(6), "test_loss", alpha=0.05)
    assert (found.mean, found.sd, found.dz, found.p) == (0, 0, 0, 1)
    assert (found.low, found.high, found.lower, found.upper) == (0, 0, 0, 0)


def test_a_constant_difference_is_certain():
    found = describe(np.full(6, 0.1), "test_loss", alpha=0.05)
    assert (found.mean, found.sd, found.p) == (0.1, 0, 0)
    assert (found.low, found.high, found.lower, found.upper) == (0.1, 0.1, 0.1, 0.1)
    assert found.dz == math.inf
    assert describe(np.full(6, -0.1), "test_loss", alpha=0.05).dz == -math.inf


@pytest.mark.parametrize(
    ("threshold", "alternative", "p"),
    [
        (0.1, "larger", 1),
        (0.1, "smaller", 1),
        (0.05, "larger", 0),
        (0.05, "smaller", 1),
        (0.2, "smaller", 0),
        (0.1, "two-sided", 1),
        (0.0, "two-sided", 0),
    ],
)
def test_p_values_without_spread_are_at_their_limits(threshold, alternative, p):
    assert t_test.p_value(Sample.of(np.full(4, 0.1)), threshold, alternative=alternative) == p


def test_equivalence_without_spread_is_strict():
    assert t_test.tost_p_value(Sample.of(np.full(4, 0.1)), margin=0.1) == 1
    assert t_test.tost_p_value(Sample.of(np.full(4, 0.1)), margin=0.11) == 0
    assert t_test.tost_p_value(Sample.of(np.full(4, -0.1)), margin=0.11) == 0


def test_two_pairs_are_enough_for_an_interval():
    found = describe(np.array([0.1, 0.2]), "test_loss", alpha=0.05)
    assert all(map(math.isfinite, astuple(found)[1:]))
    assert found.low < found.lower < 0.15 < found.upper < found.high


def test_one_pair_says_nothing_of_its_spread():
    found = describe(np.array([0.1]), "test_loss", alpha=0.05)
    assert (found.n, found.mean, found.sd, found.dz, found.p) == (1, 0.1, math.inf, 0, 1)
    assert (found.low, found.high) == (-math.inf, math.inf)
    assert t_test.tost_p_value(Sample.of(np.array([0.1])), margin=1.0) == 1


def test_columns_are_samples_of_their_own():
    table = np.stack([DIFFERENCES, np.zeros(7), np.full(7, 0.1), -DIFFERENCES], axis=1)
    many = Sample.of(table)
    for at in range(table.shape[1]):
        one = Sample.of(table[:, at])
        assert many.mean[at] == pytest.approx(one.mean, abs=1e-15)
        assert many.sd[at] == pytest.approx(one.sd)
        assert many.skewness[at] == pytest.approx(one.skewness)
        assert t_test.p_value(many)[at] == pytest.approx(t_test.p_value(one))
        bounds = t_test.confidence_bounds(many, alpha=0.05)
        for side, bound in zip(bounds, t_test.confidence_bounds(one, alpha=0.05), strict=True):
            assert side[at] == pytest.approx(bound, abs=1e-15)


def test_swapping_the_arms_swaps_the_interval():
    there, back = (describe(d, "test_loss", alpha=0.05) for d in (DIFFERENCES, -DIFFERENCES))
    assert (back.mean, back.low, back.high) == pytest.approx((-there.mean, -there.high, -there.low))
    assert (back.lower, back.upper) == pytest.approx((-there.upper, -there.lower))
    assert (back.sd, back.p, back.dz) == pytest.approx((there.sd, there.p, -there.dz))


def test_scaling_the_loss_scales_the_interval_alone():
    one, ten = (describe(k * DIFFERENCES, "test_loss", alpha=0.05) for k in (1, 10))
    assert (ten.mean, ten.low, ten.high) == pytest.approx(
        (10 * one.mean, 10 * one.low, 10 * one.high)
    )
    assert (ten.p, ten.dz) == pytest.approx((one.p, one.dz))


def test_breaking_the_pairs_widens_the_interval():
    rng = np.random.default_rng(3)
    control = rng.normal(0.3, 0.05, 30)
    treatment = control + rng.normal(0.01, 0.005, 30)
    kept = describe(treatment - control, "test_loss", alpha=0.05)
    broken = describe(treatment - rng.permutation(control), "test_loss", alpha=0.05)
    assert broken.mean == pytest.approx(kept.mean)
    assert broken.sd > 5 * kept.sd
    assert kept.p < 0.05 < broken.p


@pytest.mark.parametrize(
    ("differences", "n", "distinct", "exploratory"),
    [
        (np.arange(20.0), 20, 19, False),
        (np.arange(19.0), 19, 18, True),
        (np.r_[np.zeros(92), np.arange(1.0, 9.0)], 100, 8, False),
        (np.r_[np.zeros(93), np.arange(1.0, 8.0)], 100, 7, True),
        (np.zeros(100), 100, 0, True),
        (np.empty(0), 0, 0, True),
    ],
)
def test_few_pairs_or_few_that_differ_are_exploratory(differences, n, distinct, exploratory):
    found = describe(differences, "test_loss", alpha=0.05)
    assert (found.n, found.distinct, found.exploratory) == (n, distinct, exploratory)
