"""Studies and searches in real processes: interrupted, killed, gone on with to the same bytes."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest

from finetune.execution.in_process import InProcessExecutor
from finetune.execution.training import Options
from finetune.studies.load import load_spec
from finetune.studies.run import run_study
from finetune.studies.search import search_study
from tests.made_runs import MadeUpExecutor
from tests.processes import ROOT, finetune, start

STUDY = """
name = "small"
seeds = 6
vary = ["init"]
data = { source = "make_classification", args = { n_samples = 60, random_state = 1 } }
model = { hidden = [4] }
training = { epochs = 12, batch_size = 8 }

[[variants]]
name = "plain"
[[variants]]
name = "stops"
early_stopping = { patience = 3 }
[[variants]]
name = "cuts"
reduce_lr = { factor = 0.5, patience = 1 }
"""
# In a linear network with far too high a rate the loss grows by some ten orders of magnitude an
# epoch: finite in the two epochs that early stopping needs, beyond float32 soon after.
DIVERGING = """
name = "diverging"
seeds = 2
data = { source = "make_classification", args = { n_samples = 60, random_state = 1 } }
model = { hidden = [] }
training = { epochs = 12, loss = "mean_squared_error", optimizer = { name = "sgd", \
learning_rate = 10.0 } }
variants = [{ name = "plain" }, { name = "stops", early_stopping = { patience = 0 } }]
"""
RUN = ["run", "study.toml", "--out", "out", "--engine", "keras"]
SMALL_SEARCH = [
    "search.trials=6",
    "search.batch=2",
    "search.seeds=2",
    "claims=[{kind='underfits', treatment='cuts', control='plain'}]",
]
SEARCH = ["search", "study.toml", "--out", "out"]
SEARCH += [part for setting in SMALL_SEARCH for part in ("--set", setting)]
TRAINED_HERE = ["--workers", "0"]


@pytest.fixture
def folder(tmp_path) -> Path:
    (tmp_path / "study.toml").write_text(STUDY)
    return tmp_path


def stopped(
    how: str, task: int, command: list[str], *, cwd: Path, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run a command that sends itself a signal amid its so-many-th task."""
    return subprocess.run(
        [sys.executable, "-m", "tests.stopped", how, str(task), *command],
        check=False,
        cwd=cwd,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
    )


def shards(folder: Path, part: str = "runs") -> int:
    return len(list((folder / "out" / "store" / part).glob("*.parquet")))


def table(folder: Path, name: str = "runs") -> bytes:
    return (folder / "out" / "tables" / f"{name}.csv").read_bytes()


def check_interrupted(ended: subprocess.CompletedProcess[str]) -> None:
    assert ended.returncode == 130
    assert ended.stderr.splitlines()[-1].startswith("finetune: interrupted; all that was finished")
    assert "Traceback" not in ended.stderr


@pytest.mark.slow
def test_a_study_interrupted_killed_and_resumed_gives_the_same_table(folder, tmp_path):
    check_interrupted(stopped("SIGINT", 2, RUN, cwd=folder))
    # A seed is a task here: the first is kept, and nothing is written of the second.
    assert shards(folder) == 1
    assert not (folder / "out" / "tables").exists()

    killed = stopped("SIGKILL", 3, RUN, cwd=folder)
    assert killed.returncode == -signal.SIGKILL
    assert shards(folder) == 3

    resumed = finetune(*RUN, *TRAINED_HERE, cwd=folder)
    assert resumed.returncode == 0, resumed.stderr
    assert "9 runs are stored, 9 to train" in resumed.stderr

    spec, options = load_spec(folder / "study.toml"), Options(InProcessExecutor(), figures=False)
    run_study(spec, tmp_path / "whole" / "out", engine="keras", options=options)
    assert table(folder) == table(tmp_path / "whole")


def test_a_search_interrupted_killed_and_resumed_gives_the_same_trials(folder, tmp_path):
    """A batch of both arms is a task here, and then come the winners on the study's seeds."""
    made_up = {"cwd": folder, "MADE_UP": "1"}
    check_interrupted(stopped("SIGINT", 2, SEARCH, **made_up))
    assert shards(folder, "trials") == 2
    killed = stopped("SIGKILL", 2, SEARCH, **made_up)
    assert killed.returncode == -signal.SIGKILL
    assert shards(folder, "trials") == 4
    # There are not so many tasks, so that it comes to its end.
    assert stopped("SIGKILL", 99, SEARCH, **made_up).returncode == 0

    spec = load_spec(folder / "study.toml", overrides=SMALL_SEARCH)
    options = Options(MadeUpExecutor(failed_share=0), figures=False)
    search_study(spec, tmp_path / "whole" / "out", options=options)
    for name in ("trials", "runs"):
        assert table(folder, name) == table(tmp_path / "whole", name)


@pytest.mark.slow
def test_an_interrupt_ends_worker_processes_too(folder):
    arguments = ["--workers", "2", "--set", "seeds=40"]
    process = start(*RUN, *arguments, cwd=folder, start_new_session=True)
    while shards(folder) < 1 and process.poll() is None:
        time.sleep(0.01)
    # As a terminal does: to the program and to its workers.
    os.killpg(process.pid, signal.SIGINT)
    _, errors = process.communicate()
    # Where a process stays behind, this lasts until the test's time is over.
    while _any_left(process.pid):
        time.sleep(0.01)
    assert process.returncode == 130
    assert "finetune: interrupted" in errors
    assert "Traceback" not in errors


def _any_left(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.slow
def test_training_that_fails_is_recorded_and_the_study_goes_on(folder):
    (folder / "study.toml").write_text(DIVERGING)
    ended = finetune(*RUN, *TRAINED_HERE, cwd=folder)
    assert ended.returncode == 3
    assert ended.stderr.splitlines()[-1] == "2 of 4 runs failed; the report names them"
    assert "Traceback" not in ended.stderr
    runs = pd.read_csv(folder / "out" / "tables" / "runs.csv")
    assert list(runs["variant"]) == ["plain", "plain", "stops", "stops"]
    assert list(runs["status"]) == ["failed", "failed", "ok", "ok"]
    again = finetune(*RUN, *TRAINED_HERE, cwd=folder)
    assert again.returncode == 3
    assert "4 runs are stored, 0 to train" in again.stderr


@pytest.mark.slow
def test_a_rate_that_is_absurd_fails_every_run_and_no_more(folder):
    rate = ("--set", "training.optimizer.learning_rate=1e30", "--seeds", "1")
    ended = finetune(*RUN, *TRAINED_HERE, *rate, cwd=folder)
    assert ended.returncode == 3, ended.stderr
    assert "3 of 3 runs failed" in ended.stderr
    assert "Traceback" not in ended.stderr
