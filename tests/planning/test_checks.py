"""Checks: the user's to choose, and together at most half as large as the study."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finetune.engines.registry import DEFAULT, REFERENCE
from finetune.planning.check_sizes import CheckSize
from finetune.planning.plan import Plan
from finetune.spec.checks import ChecksSpec
from finetune.studies.load import load_spec

FOUNDING = load_spec()
TWO = "variants=[{name='now', reduce_lr={}}, {name='later', reduce_lr={start_from_epoch=9}}]"
PAIR = (TWO, "claims=[{kind='underfits', treatment='now', control='later'}]")

# What is changed in the founding study, of 5 variants at 100 seeds: the seeds of parity, of the
# control again, of the probe and of each source by itself.
SEEDS = {
    "as it is": ((), (1, 100, 40, 16)),
    "room for all": (("seeds=200",), (1, 200, 40, 20)),
    "a probe that is shortened": (("seeds=30",), (1, 30, 21, 0)),
    "no room for a probe": (("seeds=4",), (1, 4, 0, 0)),
    "one seed": (("seeds=1",), (1, 0, 0, 0)),
    "two variants": ((*PAIR, "seeds=6"), (1, 4, 0, 0)),
    "no probe": (("checks.probe=false",), (1, 100, 0, 20)),
    "none": (
        ("checks={same_again=false, probe=false, parity=false, variance=false}",),
        (0, 0, 0, 0),
    ),
    "a number, for which others give way": (("checks.variance=30",), (1, 100, 13, 30)),
    "a number beyond the limit": (("checks.variance=100",), (0, 0, 0, 100)),
    "numbers that leave room": (("checks={same_again=50, parity=2}",), (2, 50, 40, 20)),
    "no claim": (("claims=[]",), (1, 0, 0, 20)),
    "what does not apply, wanted": (("claims=[]", "checks.probe=7"), (1, 0, 0, 20)),
}


def sizes(*overrides: str) -> tuple[CheckSize, ...]:
    return Plan.of(load_spec(overrides=overrides), DEFAULT.name).check_sizes


@pytest.mark.parametrize("case", SEEDS)
def test_how_large_each_check_is(case):
    overrides, expected = SEEDS[case]
    found = sizes(*overrides)
    assert tuple(size.seeds for size in found) == expected
    assert [size.name for size in found] == ["parity", "same_again", "probe", "variance"]


def test_parity_is_shortened_by_variants():
    assert [size.n_runs for size in sizes("seeds=1")] == [2, 0, 0, 0]
    assert [size.whole_runs for size in sizes("seeds=1")] == [3, 1, 2, 4]


def test_sizes_are_those_of_the_blocks():
    plan = Plan.of(load_spec(overrides=["checks.probe=9"]), DEFAULT.name)
    blocks = {
        "parity": [plan.parity],
        "same_again": [plan.same_again],
        "probe": [plan.probe],
        "variance": plan.variance,
    }
    for size in plan.check_sizes:
        assert size.n_runs == sum(block.n_runs for block in blocks[size.name] if block)
        assert {len(block.seeds) for block in blocks[size.name] if block} == {size.seeds}


def test_the_reference_engine_trains_none_even_if_wanted():
    plan = Plan.of(load_spec(overrides=["checks.probe=9"]), REFERENCE.name)
    assert plan.blocks == [plan.runs]
    assert plan.check_sizes == ()
    assert str(plan) == "500 runs"


@given(
    seeds=st.integers(1, 400),
    n_variants=st.integers(4, 5),
    wanted=st.fixed_dictionaries(
        {name: st.booleans() | st.integers(1, 400) for name in ChecksSpec.model_fields}
    ),
)
@settings(deadline=None)
def test_checks_outgrow_half_of_the_study_only_where_numbers_do(seeds, n_variants, wanted):
    wanted = {key: min(seeds, n) if n is not True and n else n for key, n in wanted.items()}
    changes = {
        "seeds": seeds,
        "variants": FOUNDING.variants[:n_variants],
        "claims": FOUNDING.claims[:1],
        "checks": ChecksSpec(**wanted),
    }
    found = Plan.of(FOUNDING.model_copy(update=changes), DEFAULT.name).check_sizes
    asked = [size for size in found if size.wanted is not True]
    assert all(size.seeds == size.wanted for size in asked)
    most = max(n_variants * seeds // 2, sum(size.n_runs for size in asked))
    assert sum(size.n_runs for size in found) <= most
    # One is cut only where nothing is left of those that are cut before it.
    free = [size for size in found if size.wanted is True]
    for place, size in enumerate(free):
        assert size.n_runs <= size.whole_runs
        if size.n_runs < size.whole_runs:
            assert not any(later.n_runs for later in free[place + 1 :])
