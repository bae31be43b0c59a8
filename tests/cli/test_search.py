"""`finetune search` on the command line: what it prints, and wrong input."""

import json
from pathlib import Path

import pandas as pd
import pytest

from tests.small_studies import SMALL

_SIZE = (*SMALL, "training.epochs=4", "seeds=3", "search.trials=6", "search.seeds=3")
TINY = [part for override in _SIZE for part in ("--set", override)]


@pytest.fixture(autouse=True)
def _made_up(executor, monkeypatch):
    """Make the search's training up too, without a failed run, and draw nothing."""
    executor.failed_share = 0.0


def test_a_search_prints_its_budget_its_winners_and_its_report(cli):
    code, out, err = cli("search", *TINY)
    assert code == 0
    assert "Each of the two arms gets 6 trials of 3 seeds and at most 4 epochs, 8 at a time" in err
    assert "0 runs are stored, 36 to train" in err
    assert "tuned LR reduction from epoch 0: reduce_lr.factor 0." in out
    assert "start_from_epoch" in out
    assert "Tuned: " in out
    assert "Report: reports/founding/report.md" in out
    tuned = json.loads(Path("reports/founding/tuned.json").read_text())
    assert tuned["dashboard"] == "optuna-dashboard sqlite:///reports/founding/search.db"


def test_trials_given_on_the_command_line_are_added_to(cli):
    cli("search", "--out", "out", "--trials", "2", *TINY)
    _, _, err = cli("search", "--out", "out", "--trials", "4", *TINY)
    assert "12 runs are stored, 12 to train" in err
    trials = pd.read_csv("out/tables/trials.csv")
    assert list(trials["number"]) == [*range(4), *range(4)]


def test_one_folder_holds_one_search(cli):
    cli("search", "--out", "out", *TINY)
    other = ("--set", "search.space.reduce_lr.factor=[0.2, 0.4]")
    code, out, err = cli("search", "--out", "out", *TINY, *other)
    assert code == 2
    assert out == ""
    assert err.splitlines()[-1].startswith("finetune: --storage: its study 'founding: tuned")


BAD = {
    "unknown scheme": (["--storage", "nosql://x"], "received 'nosql://x', whose scheme is unknown"),
    "unreachable": (
        ["--storage", "postgresql+psycopg://me:secret@127.0.0.1:1/x"],
        "'postgresql+psycopg://me:***@127.0.0.1:1/x' does not answer",
    ),
    "older key": (["--set", "search.patience=[1, 3]"], 'as "reduce_lr.patience" = [1, 15]'),
    "nothing to search": (
        ["--set", "search.space={set_lr={epoch=[1, 3]}}"],
        "search.space: none of set_lr.epoch can be searched in 'LR reduction from epoch 0'",
    ),
    "no claim": (["--set", "claims=[]"], "claims: none; a search tunes the two variants"),
    "no trials": (["--set", "search.trials=0"], "search.trials: received 0; allowed"),
    "no objective": (["--set", "search.objective=test_loss"], "search.objective: received"),
}


@pytest.mark.parametrize("kind", BAD)
def test_bad_input_is_named_in_one_line_with_code_2(kind, cli):
    arguments, words = BAD[kind]
    code, out, err = cli("search", *arguments)
    assert code == 2
    assert out == ""
    (line,) = err.splitlines()
    assert words in line
    assert "secret" not in line
