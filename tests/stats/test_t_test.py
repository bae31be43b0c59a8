"""The t test corrected for skewness: what it agrees with, and by how much it is wider."""

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.weightstats import DescrStatsW, ttost_paired

from finetune.stats.t_test import (
    Sample,
    confidence_bounds,
    critical_t,
    exceeds,
    p_value,
    tost_p_value,
)

# One long tail to the left.
LEFT = np.array(
    [
        *(0.1, 0.4, -0.2, 0.3, 0.25, 0.5, -1.9, 0.35, 0.15, 0.45),
        *(0.2, 0.6, 0.05, 0.3, -0.6, 0.4, 0.55, 0.22, 0.33, 0.12),
    ]
)
SAMPLES = {
    "left": LEFT,
    "right": -LEFT,
    "normal": np.random.default_rng(1).normal(0.3, 1.0, 30),
    "short": np.array([0.02, 0.011, -0.003, 0.017, 0.008, 0.013, 0.001]),
}


def test_bounds_of_a_skewed_sample():
    """Worked out by hand from the formula of Hall's correction."""
    lower, upper = confidence_bounds(Sample.of(LEFT), alpha=0.05)
    assert lower == pytest.approx(-0.64530, abs=5e-6)
    assert upper == pytest.approx(0.34077, abs=5e-6)
    assert confidence_bounds(Sample.of(LEFT), alpha=0.025)[1] == pytest.approx(0.38544, abs=5e-6)


def test_skewness_is_that_of_scipy():
    for values in SAMPLES.values():
        assert Sample.of(values).skewness == pytest.approx(stats.skew(values, bias=False))


@pytest.mark.parametrize("alpha", [0.05, 0.01, 1e-4])
def test_where_no_tail_is_feared_the_bound_is_students(alpha: float):
    """The upper bound of a sample whose tail goes down."""
    student = DescrStatsW(LEFT)
    upper = student.tconfint_mean(alpha, alternative="smaller")[1]
    assert confidence_bounds(Sample.of(LEFT), alpha=alpha)[1] == pytest.approx(upper)
    p = student.ttest_mean(0.35, alternative="smaller")[1]
    assert p_value(Sample.of(LEFT), 0.35, alternative="smaller") == pytest.approx(p)


@pytest.mark.parametrize("name", SAMPLES)
@pytest.mark.parametrize("alpha", [0.2, 0.05, 0.003])
def test_no_bound_is_inside_of_students(name: str, alpha: float):
    values = SAMPLES[name]
    student = DescrStatsW(values).tconfint_mean(2 * alpha)
    lower, upper = confidence_bounds(Sample.of(values), alpha=alpha)
    assert lower <= student[0] + 1e-12
    assert upper >= student[1] - 1e-12


@pytest.mark.parametrize("name", SAMPLES)
@pytest.mark.parametrize("alpha", [0.2, 0.05, 0.003])
def test_a_bound_is_the_threshold_whose_p_value_is_alpha(name: str, alpha: float):
    sample = Sample.of(SAMPLES[name])
    lower, upper = confidence_bounds(sample, alpha=alpha)
    assert p_value(sample, float(lower), alternative="larger") == pytest.approx(alpha, rel=1e-6)
    assert p_value(sample, float(upper), alternative="smaller") == pytest.approx(alpha, rel=1e-6)
    assert exceeds(sample, float(lower) - 1e-9, alpha=alpha)
    assert not exceeds(sample, float(lower) + 1e-9, alpha=alpha)


@pytest.mark.parametrize("n", [3, 5, 20, 300])
def test_p_values_fall_with_the_distance_from_the_threshold(n: int):
    skewness = np.linspace(-4, 4, 9)
    thresholds = np.linspace(-5, 30, 200)
    p = [
        p_value(Sample(n, np.zeros(9), np.ones(9), skewness), -away, alternative="larger")
        for away in thresholds
    ]
    assert (np.diff(p, axis=0) <= 1e-12).all()


@pytest.mark.parametrize("name", SAMPLES)
def test_two_sided_p_values_agree_with_the_interval(name: str):
    sample = Sample.of(SAMPLES[name])
    low, high = confidence_bounds(sample, alpha=0.025)
    for threshold in np.linspace(float(low) - 1, float(high) + 1, 41):
        inside = low <= threshold <= high
        assert (p_value(sample, threshold) > 0.05) == inside


def test_equivalence_is_no_easier_than_with_students_tests():
    for values in SAMPLES.values():
        student = ttost_paired(values, np.zeros_like(values), -0.5, 0.5)[0]
        assert tost_p_value(Sample.of(values), margin=0.5) >= student - 1e-12


def test_two_values_are_tested_as_student_did():
    two = np.array([0.1, 0.4])
    p = stats.ttest_1samp(two, 0.0).pvalue
    assert p_value(Sample.of(two)) == pytest.approx(p)


def test_many_values_need_hardly_any_correction():
    assert critical_t(0.0, n=10_000, alpha=0.05) == pytest.approx(
        stats.t.isf(0.05, 9_999), rel=1e-3
    )
    assert critical_t(0.0, n=20, alpha=0.05) > 1.05 * stats.t.isf(0.05, 19)


def test_shifting_and_turning_a_sample_is_that_of_its_values():
    one, other = Sample.of(LEFT).shifted(0.7), Sample.of(LEFT + 0.7)
    assert (one.mean, one.sd, one.skewness) == pytest.approx((other.mean, other.sd, other.skewness))
    turned = -Sample.of(LEFT)
    assert confidence_bounds(turned, alpha=0.05) == pytest.approx(
        confidence_bounds(Sample.of(-LEFT), alpha=0.05)
    )
