import re
from dataclasses import replace

import numpy as np
import pytest

from finetune.report.sections.parity import parity
from finetune.stats.parity import Parity, RunParity
from tests.report.made_report import context_of

AGREEING = RunParity("cuts", 0, 20, 20, 4, True, 4.5e-8, 6e-8)
SHORTER = RunParity("st|ops", 1, 9, 11, 0, False, 1e-8, 1e-8)
DIVERGED = RunParity("lost", 0, 20, 20, 0, True, 1e-8, np.inf)


@pytest.fixture
def body_of(analysis):
    def make(*runs: RunParity) -> str:
        body = parity(context_of(replace(analysis, parity=Parity(runs))))
        return re.sub(" +", " ", body)

    return make


def test_a_row_is_a_run(body_of):
    body = body_of(AGREEING)
    assert "Learning rates agree in 1 of 1;" in body
    assert "| cuts | 0 | 20 | 4 | yes | 4.5e-08 | 6e-08 |" in body
    assert "disagree" not in body


def test_a_run_of_another_length_is_named(body_of):
    body = body_of(AGREEING, SHORTER)
    assert "Learning rates agree in 1 of 2" in body
    assert r'- "st\|ops", seed 1, lasts 9 epochs by `keras.Model.fit` and 11 here.' in body


def test_a_run_lost_in_one_engine_is_named(body_of):
    assert '- "lost", seed 0, has a loss that is finite in one' in body_of(AGREEING, DIVERGED)


def test_what_was_not_checked_has_no_section(analysis):
    assert parity(context_of(analysis)) == ""
