"""Attempts to lose results are made, counted and reported; what was left out is named."""

import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from benchmarks.reliability.report import Experiment, render
from benchmarks.reliability.simulated_training import SIMULATED
from benchmarks.reliability.study import command, read_state, read_tables
from finetune.cli.app import main


def event(kind: str, **more) -> dict:
    state = {"runs_stored": 3, "report": False, "uncommitted": 0, "partial": 1, "output": ""}
    return {"kind": kind, "tried": 1, "lost": 0, "errors": 0, **state, **more}


HOSTILE = {"code_run": 0, "tracebacks": 0}
COMMAND = "python -m benchmarks.reliability"
EXPERIMENTS = [
    Experiment(f"{COMMAND} writes --count 2", [event("kill -9 amid a study")] * 2, 1),
    Experiment(f"{COMMAND} damage --count 1", [event("damage to a shard")], 2),
    Experiment(f"{COMMAND} hostile --count 1", [event("hostile: a link", **HOSTILE)], 2),
    Experiment(f"{COMMAND} fuzz", [event("files", tried=0, output="no atheris")], 3),
]


def test_each_line_has_its_count_and_its_command():
    text = render(EXPERIMENTS)
    assert "**2 kills, 1 corruptions, 0 full disks" in text
    assert "Nothing was lost" in text
    (line,) = [line for line in text.splitlines() if line.startswith("| kill -9 amid a study")][:1]
    assert [column.strip() for column in line.split("|")[2:5]] == ["2", "0", "0"]
    assert f"`{COMMAND} writes --count 2`" in line
    assert "left out: no atheris" in text
    assert "1 hostile folders" in text
    (row,) = [line for line in text.splitlines() if line.startswith("| hostile: a link")][1:]
    assert [column.strip() for column in row.split("|")[2:6]] == ["1", "0", "0", "0"]


@pytest.mark.parametrize("fault", ["lost", "errors"])
def test_a_fault_stands_in_the_first_sentence(fault):
    experiment = Experiment(f"{COMMAND} damage", [event("damage", **{fault: 1})], 1)
    assert "Something is amiss" in render([*EXPERIMENTS, experiment]).splitlines()[2]


def test_a_command_simulates_training(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["finetune", *command("run", tmp_path)])
    with pytest.raises(SystemExit) as stop:
        main(SIMULATED)
    assert not stop.value.code
    state = read_state(tmp_path)
    assert state.report
    assert len(state.runs) >= 3 * 9
    assert "runs.csv" in read_tables(tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("experiment", "count"),
    [("writes", 4), ("damage", 2), ("disk", 3), ("concurrent", 1), ("hostile", 12)],
)
def test_each_experiment_tries_and_loses_nothing(tmp_path, experiment, count):
    file = tmp_path / "events.csv"
    options = [experiment, "--count", str(count), "--events", str(file)]
    command = [sys.executable, "-m", "benchmarks.reliability", *options]
    root = Path(__file__).parents[2]
    done = subprocess.run(command, check=False, cwd=root, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    events = pd.read_csv(file)
    assert events["tried"].sum() >= count
    assert not events[["lost", "errors"]].to_numpy().any()
