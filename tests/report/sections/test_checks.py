"""How the report tells which checks there are, and what was left out of them."""

from dataclasses import replace

import pytest

from finetune.planning.check_sizes import CheckSize
from finetune.report.sections.checks import checks
from tests.report.made_report import context_of, rows_of


def size(name: str, wanted: bool | int, *numbers: int) -> CheckSize:
    seeds, n_runs, whole_seeds, whole_runs = numbers
    return CheckSize(name, wanted, seeds, n_runs, whole_seeds, whole_runs)


@pytest.mark.parametrize(
    ("one", "outcome"),
    [
        (size("probe", True, 8, 16, 8, 16), "whole"),
        (size("probe", True, 4, 8, 8, 16), "**shortened** to the limit, from 16 runs"),
        (size("probe", True, 0, 0, 8, 16), "**left out** for the limit, of 16 runs"),
        (size("probe", 8, 8, 16, 8, 16), "as the study asks"),
        (size("probe", False, 0, 0, 0, 0), "not wanted: `checks.probe = false`"),
        (size("probe", 8, 0, 0, 0, 0), "left out: there is no claim, or its treatment does not"),
        (size("variance", True, 0, 0, 0, 0), "left out: only one source varies"),
    ],
)
def test_what_became_of_a_check(analysis, one, outcome):
    body = checks(context_of(replace(analysis, check_sizes=(one,))))
    _, (seeds, runs, told) = list(rows_of(body, "Check").items())[1]
    assert (seeds, runs) == (str(one.seeds), str(one.n_runs))
    assert told.startswith(outcome)


def test_all_runs_are_counted(analysis):
    both = (size("parity", True, 1, 3, 1, 3), size("probe", True, 8, 16, 8, 16))
    body = checks(context_of(replace(analysis, check_sizes=both)))
    own = len(analysis.spec.variants) * analysis.spec.seeds
    assert f"Beside its own {own} runs the study has 19 for checks." in body


def test_a_study_that_fit_trained_has_no_such_section(analysis):
    assert checks(context_of(replace(analysis, check_sizes=()))) == ""
