"""The section on how a study with looks ended, and the line on looks by hand."""

import pytest

from finetune.analysis.analysis import analyse_runs
from finetune.report.render import report_context
from finetune.report.sections.opening import opening
from finetune.report.sections.stopping import stopping
from finetune.spec.looks import SeedRange
from finetune.spec.study import StudySpec
from tests.made_study import make_claim
from tests.report.made_report import made_manifest

RECIPES = {"reduction": "a", "delayed": "b", "early stopping": "c", "no callbacks": "d"}


@pytest.fixture(scope="module")
def ended():
    made = make_claim(seeds=30)
    spec = StudySpec.model_validate(made.spec.model_dump() | {"seeds": SeedRange()})
    return analyse_runs(spec, made.runs, made.epochs, recipes=RECIPES)


def test_looks_means_and_saved_seeds_are_told(ended):
    text = stopping(ended)
    assert "judged at 20, 30, 45, 68, 100, 150, 225, 300 seeds" in text
    first = ended.verdicts[0]
    line = next(row for row in text.splitlines() if row.startswith(f"| {first.name} "))
    cells = [cell.strip() for cell in line.split("|")[1:-1]]
    assert cells[1] == "20"
    assert cells[-1] == first.looks[0].verdict
    saved = ended.stopping[0].saved
    assert f"{first.name}: 20 of at most 300 seeds, {saved} fewer" in text
    assert "Corrected mean" in text


def test_a_study_of_one_look_says_nothing_of_it(claimed_analysis):
    assert stopping(claimed_analysis) == ""


def looked_at(seeds: int, *, before=()):
    made = make_claim(seeds=seeds)
    known = made_manifest(looks=before)
    return analyse_runs(made.spec, made.runs, made.epochs, recipes=RECIPES, manifest=known)


def first_screen(analysis) -> str:
    return opening(report_context(analysis, made_manifest(), figures=False))


def test_seeds_that_were_raised_after_a_look_are_told_on_the_first_screen():
    before = looked_at(20).looks
    again = looked_at(40, before=before)
    text = first_screen(again)
    assert "- This is look 2 at the seeds of the claim" in text
    assert f"judged before at 20 ({before[0].verdict})" in text
    rate = again.further_looks[0].error_rate
    assert f"decide wrongly in about {100 * rate:.3g} %" in text
    assert "--until-decided" in text


def test_a_first_look_says_nothing_of_looks(ended):
    assert "This is look" not in first_screen(looked_at(20))
    assert "This is look" not in first_screen(ended)
