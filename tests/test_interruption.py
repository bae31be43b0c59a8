"""Real studies in real processes: interrupted, killed, gone on with; and training that fails."""

import os
import signal
import time
from pathlib import Path

import pandas as pd
import pytest

from finetune.execution.training import Options
from finetune.report import render
from finetune.studies import search
from finetune.studies.load import load_spec
from finetune.studies.run import run_study
from tests.processes import finetune, start

pytestmark = pytest.mark.slow

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
RUN = ["run", "study.toml", "--out", "out"]
SEARCH = ["search.trials=12", "search.batch=2", "search.seeds=2"]
ALONE = ["--engine", "keras", "--workers", "0"]


@pytest.fixture
def folder(tmp_path) -> Path:
    (tmp_path / "study.toml").write_text(STUDY)
    return tmp_path


def shards(folder: Path, part: str = "runs") -> int:
    return len(list((folder / "out" / "store" / part).glob("*.parquet")))


def stop_after(
    count: int, how: signal.Signals, *arguments: str, folder: Path, command=RUN, part: str = "runs"
) -> tuple[int, str]:
    """Start a command, send it and its workers a signal once there are so many shards, and wait.

    Where a process stays behind, it waits until the test's time is over.
    """
    process = start(*command, *arguments, cwd=folder, start_new_session=True)
    while shards(folder, part) < count and process.poll() is None:
        time.sleep(0.01)
    os.killpg(process.pid, how)
    _, errors = process.communicate()
    while _any_left(process.pid):
        time.sleep(0.01)
    return process.returncode, errors


def _any_left(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def runs_csv(folder: Path) -> bytes:
    return (folder / "out" / "tables" / "runs.csv").read_bytes()


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Path:
    """Give the folder of a study and a search that nothing disturbed, trained in this process."""
    folder = tmp_path_factory.mktemp("whole")
    (folder / "study.toml").write_text(STUDY)
    spec = load_spec(folder / "study.toml", overrides=SEARCH)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(render, "figure_files", lambda tables, *, names: {})
        patch.setattr(search, "tuned_files", lambda tables, *, tuned: {})
        run_study(spec, folder / "out", engine="keras", options=Options(workers=0))
        search.search_study(spec, folder / "tuned" / "out", options=Options(workers=0))
    return folder


def test_interrupted_killed_and_resumed_gives_the_same_table(folder, whole):
    code, errors = stop_after(1, signal.SIGINT, *ALONE, folder=folder)
    assert code == 130
    assert errors.splitlines()[-1].startswith("finetune: interrupted")
    assert "Traceback" not in errors
    assert 1 <= shards(folder) < 6
    assert not (folder / "out" / "tables").exists()

    code, _ = stop_after(shards(folder) + 2, signal.SIGKILL, *ALONE, folder=folder)
    assert code == -signal.SIGKILL
    kept = shards(folder)
    assert 3 <= kept < 6

    resumed = finetune(*RUN, *ALONE, cwd=folder)
    assert resumed.returncode == 0, resumed.stderr
    assert f"{3 * kept} runs are stored, {18 - 3 * kept} to train" in resumed.stderr

    assert runs_csv(folder) == runs_csv(whole)


def test_an_interrupt_ends_worker_processes_too(folder):
    arguments = ["--engine", "keras", "--workers", "2", "--set", "seeds=40"]
    code, errors = stop_after(1, signal.SIGINT, *arguments, folder=folder)
    assert code == 130
    assert "finetune: interrupted" in errors
    assert "Traceback" not in errors
    assert shards(folder) >= 1


def test_a_search_interrupted_and_killed_ends_with_the_same_trials(folder, whole):
    options = ["--workers", "0"]
    for setting in SEARCH:
        options += ["--set", setting]
    search = ["search", "study.toml", "--out", "out", *options]
    how = {"folder": folder, "command": search, "part": "trials"}
    code, errors = stop_after(3, signal.SIGINT, **how)
    assert code == 130
    assert "Traceback" not in errors
    kept = shards(folder, "trials")
    assert 3 <= kept < 12

    code, _ = stop_after(kept + 2, signal.SIGKILL, **how)
    assert code == -signal.SIGKILL

    assert finetune(*search, cwd=folder).returncode == 0
    for table in ("trials.csv", "runs.csv"):
        paths = [place / "out" / "tables" / table for place in (folder, whole / "tuned")]
        assert paths[0].read_bytes() == paths[1].read_bytes()


def test_training_that_fails_is_recorded_and_the_study_goes_on(folder):
    (folder / "study.toml").write_text(DIVERGING)
    answer = finetune(*RUN, *ALONE, cwd=folder)
    assert answer.returncode == 3
    assert answer.stderr.splitlines()[-1] == "2 of 4 runs failed; the report names them"
    assert "Traceback" not in answer.stderr
    table = pd.read_csv(folder / "out" / "tables" / "runs.csv")
    assert list(table["variant"]) == ["plain", "plain", "stops", "stops"]
    assert list(table["status"]) == ["failed", "failed", "ok", "ok"]
    again = finetune(*RUN, *ALONE, cwd=folder)
    assert again.returncode == 3
    assert "4 runs are stored, 0 to train" in again.stderr


def test_a_rate_that_is_absurd_fails_every_run_and_no_more(folder):
    answer = finetune(
        *RUN, *ALONE, "--set", "training.optimizer.learning_rate=1e30", "--seeds", "1", cwd=folder
    )
    assert answer.returncode == 3, answer.stderr
    assert "3 of 3 runs failed" in answer.stderr
    assert "Traceback" not in answer.stderr
