import re

import numpy as np

from finetune.report.sections.parity import parity_section
from finetune.stats.parity import Parity, RunParity

AGREEING = RunParity("cuts", 0, 20, 20, 4, True, 4.5e-8, 6e-8)
SHORTER = RunParity("st|ops", 1, 9, 11, 0, False, 1e-8, 1e-8)
DIVERGED = RunParity("lost", 0, 20, 20, 0, True, 1e-8, np.inf)


def body(*runs: RunParity) -> str:
    return re.sub(" +", " ", parity_section(Parity(runs)).body)


def test_engines_that_agree_are_said_to():
    said = body(AGREEING)
    assert "Learning rates agree in 1 of 1; in the first 10 epochs no loss" in said
    assert "| cuts | 0 | 20 | 4 | yes | 4.5e-08 | 6e-08 |" in said
    assert "disagree" not in said


def test_a_run_of_another_length_is_named():
    said = body(AGREEING, SHORTER)
    assert "Learning rates agree in 1 of 2" in said
    assert "**The engines disagree:**" in said
    assert r'- "st\|ops", seed 1, lasts 9 epochs by `keras.Model.fit` and 11 here.' in said


def test_a_run_lost_in_one_engine_is_named():
    said = body(AGREEING, DIVERGED)
    assert '- "lost", seed 0, has a loss that is finite in one of them alone.' in said
