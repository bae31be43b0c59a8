"""What a folder remembers of how often its seeds were looked at."""

import pytest

from finetune.analysis.looks import further_looks, look_now
from finetune.spec.looks import SeedRange
from finetune.spec.study import StudySpec
from tests.made_comparisons import CONTROL, TREATMENT, judge, make_runs, make_spec

RECIPES = {TREATMENT: "a", CONTROL: "b"}
WHEN = "2026-01-01T00:00:00+00:00"


def look(seeds: int, spec: StudySpec | None = None, recipes=RECIPES):
    spec = spec or make_spec().model_copy(update={"seeds": seeds})
    verdict = judge(make_runs(n=seeds), spec)
    return look_now(spec, [verdict], recipes, seeds=seeds, when=WHEN)


def with_margin(spec: StudySpec, margin: float) -> StudySpec:
    margins = spec.claims[0].margins.model_copy(update={"test_loss": margin})
    return spec.model_copy(
        update={"claims": (spec.claims[0].model_copy(update={"margins": margins}),)}
    )


def test_the_first_look_has_none_before_it():
    spec = make_spec()
    assert further_looks((), look(40), spec) == ()
    assert further_looks(look(40), look(40), spec) == ()


def test_seeds_that_were_added_by_hand_make_further_looks():
    (found,) = further_looks((*look(20), *look(40)), look(80), make_spec())
    assert [one.seeds for one in found.earlier] == [20, 40]
    assert (found.count, found.seeds, found.alpha) == (3, 80, 0.05)
    # Twice and more what one look errs in.
    assert 0.08 < found.error_rate < 0.15


def test_another_margin_is_another_look_at_the_same_seeds_and_another_network_is_not():
    spec = make_spec()
    changed = with_margin(spec.model_copy(update={"seeds": 40}), 0.1)
    assert further_looks(look(20), look(40, changed), spec)
    assert not further_looks(look(20, recipes={**RECIPES, CONTROL: "c"}), look(40), spec)


def test_the_looks_of_a_study_until_decided_are_its_own():
    spec = make_spec().model_copy(update={"seeds": SeedRange()})
    assert not further_looks(look(20, spec), look(45, spec), spec)


@pytest.mark.parametrize("seeds", [30, 40])
def test_going_on_until_decided_after_a_look_counts_that_one_too(seeds: int):
    spec = make_spec().model_copy(update={"seeds": SeedRange()})
    (found,) = further_looks(look(seeds), look(45, spec), spec)
    assert found.count == (3 if seeds == 30 else 4)
    # More than the study's own looks up to here, of 4 and 6 tenths of a percent, and the one alone.
    assert found.error_rate > 0.03
