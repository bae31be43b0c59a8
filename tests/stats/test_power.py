import math

import numpy as np
import pytest

from finetune.stats import power
from finetune.stats.t_test import Sample, exceeds


@pytest.mark.parametrize("seeds", [2, 3, 5, 10, 40, 100, 1000])
@pytest.mark.parametrize("alternative", ["two-sided", "larger", "smaller"])
@pytest.mark.parametrize(("alpha", "goal"), [(0.05, 0.8), (0.025, 0.9), (0.001, 0.99)])
def test_what_seeds_detect_needs_those_seeds(seeds, alternative, alpha, goal):
    dz = power.detectable_dz(seeds, alpha=alpha, power=goal, alternative=alternative)
    # A little more, since the root is sought to 1e-9.
    needed = power.seeds_needed(dz + 1e-8, alpha=alpha, power=goal, alternative=alternative)
    assert needed == seeds


def test_more_seeds_detect_less_and_less():
    detected = [power.detectable_dz(n, alpha=0.05) for n in (1, 2, 4, 8, 16, 100)]
    assert detected[0] == math.inf
    assert detected == sorted(detected, reverse=True)


@pytest.mark.parametrize("dz", [3.0, 14.0, 20.0, 50.0, 99.0, 1e3, math.inf])
def test_large_differences_need_few_seeds(dz):
    needed = power.seeds_needed(dz, alpha=0.05, alternative="larger")
    assert needed is not None
    assert needed <= 6


@pytest.mark.parametrize("dz", [0.0, -1.0, 1e-9, 0.005])
def test_no_practical_number_of_seeds_finds_next_to_nothing(dz):
    assert power.seeds_needed(dz, alpha=0.05) is None


def test_a_plan_is_in_dz_and_where_the_spread_is_known_in_units():
    plan = power.detectable_effect(
        40, alpha=0.05, deviations={"test_loss": 0.01}, margins={"test_loss": 0.005}
    )
    assert plan.in_units["test_loss"] == pytest.approx(0.005 + 0.01 * plan.both)
    assert 0.45 < plan.both < 0.55
    assert not power.detectable_effect(40, alpha=0.05).in_units


def test_one_seed_is_no_plan():
    assert power.detectable_effect(1, alpha=0.05).both == math.inf


@pytest.mark.parametrize("n", [5, 8, 12, 20, 50])
@pytest.mark.parametrize("alpha", [0.05, 0.002])
def test_the_power_is_that_of_the_test_on_normal_differences(n, alpha):
    """What is counted in drawn samples, within four standard errors and the quantiles' steps."""
    studies = 20_000
    drawn = Sample.of(np.random.default_rng(n).normal(size=(n, studies)))
    for goal in (0.3, 0.8):
        dz = power.detectable_dz(n, alpha=alpha, power=goal, alternative="larger")
        found = np.mean(exceeds(drawn.shifted(dz), 0.0, alpha=alpha))
        assert found == pytest.approx(goal, abs=4 * math.sqrt(goal * (1 - goal) / studies) + 0.01)


def test_holding_on_skewed_differences_costs_seeds():
    """Student's test would need 34, 15, 10 and 6 (`power.t.test` of R)."""
    needed = [power.seeds_needed(dz, alpha=0.05) for dz in (0.5, 0.8, 1.0, 1.5)]
    assert needed == [38, 21, 17, 13]
