import math

import pytest

from finetune.stats import power


@pytest.mark.parametrize("seeds", [2, 3, 5, 10, 40, 100, 1000])
@pytest.mark.parametrize("alternative", ["two-sided", "larger", "smaller"])
@pytest.mark.parametrize(("alpha", "goal"), [(0.05, 0.8), (0.025, 0.9), (0.001, 0.99)])
def test_what_seeds_detect_needs_those_seeds(seeds, alternative, alpha, goal):
    dz = power.detectable_dz(seeds, alpha=alpha, power=goal, alternative=alternative)
    # A little more, since the root is sought to 1e-5.
    needed = power.seeds_needed(dz + 2e-5, alpha=alpha, power=goal, alternative=alternative)
    assert needed == seeds


def test_more_seeds_detect_less_and_less():
    detected = [power.detectable_dz(n, alpha=0.05) for n in (1, 2, 4, 8, 16, 100)]
    assert detected[0] == math.inf
    assert detected == sorted(detected, reverse=True)


@pytest.mark.parametrize("dz", [3.0, 14.0, 20.0, 50.0, 99.0, 1e3, math.inf])
def test_large_differences_need_few_seeds(dz):
    assert power.seeds_needed(dz, alpha=0.05, alternative="larger") in (2, 3)


@pytest.mark.parametrize("dz", [0.0, -1.0, 1e-9, 0.001])
def test_no_practical_number_of_seeds_finds_next_to_nothing(dz):
    assert power.seeds_needed(dz, alpha=0.05) is None


def test_a_plan_is_in_dz_and_where_the_spread_is_known_in_units():
    plan = power.detectable_effect(
        40, alpha=0.05, deviations={"test_loss": 0.01}, margins={"test_loss": 0.005}
    )
    assert plan.in_units["test_loss"] == pytest.approx(0.005 + 0.01 * plan.both)
    assert 0.4 < plan.both < 0.5
    assert not power.detectable_effect(40, alpha=0.05).in_units


def test_one_seed_is_no_plan():
    assert power.detectable_effect(1, alpha=0.05).both == math.inf
