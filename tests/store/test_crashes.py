"""Studies that are killed, damaged, cramped, raced and changed end as undisturbed ones do.

What is tried here a few times, `python -m benchmarks.reliability` tries more often.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks.reliability.damage import OF_A_FILE, damaged, resume
from benchmarks.reliability.studies import OVERRIDES, tables
from finetune.errors import StoreError
from finetune.execution.training import Options
from finetune.studies.load import load_spec
from finetune.studies.run import run_study
from tests.made_runs import made_up
from tests.processes import ROOT


@pytest.fixture(scope="module")
def finished(tmp_path_factory) -> Path:
    """Give the folder of a study that nothing has disturbed."""
    folder = tmp_path_factory.mktemp("finished")
    with made_up():
        resume(folder)
    return folder


@pytest.fixture
def folder(executor, finished, tmp_path) -> Path:
    """Give a copy of the finished study, to be harmed."""
    return Path(shutil.copytree(finished, tmp_path / "out"))


def reliability(part: str, *options: str, folder: Path) -> pd.DataFrame:
    """Run a part of the benchmark, of which nothing may be lost or wrong; give its events."""
    events = folder / "events.csv"
    arguments = ["-m", "benchmarks.reliability", part, *options, "--events", str(events)]
    done = subprocess.run(
        [sys.executable, *arguments], check=False, cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return pd.read_csv(events)


@pytest.mark.slow
def test_a_program_killed_at_fifty_moments_loses_nothing(tmp_path):
    found = reliability("writes", "--count", "50", "--seed", "5", folder=tmp_path)
    kills = found[found["tried"] == 1]
    assert len(kills) >= 50
    # They fell amid work: before a shard was whole, a file, the store, the report.
    for amid in (
        kills["uncommitted"] > 0,
        kills["partial"] > 0,
        (kills["runs_stored"] > 0) & (kills["runs_stored"] < kills["runs_stored"].max()),
        ~kills["report"] & (kills["runs_stored"] > 0),
    ):
        assert amid.any()
    assert set(kills["what"].str.split().str[-1]) == {"study", "search", "compaction"}


@pytest.mark.slow
def test_a_full_disk_at_any_stage_is_told_in_one_line_and_costs_nothing(tmp_path):
    found = reliability("disk", "--count", "6", folder=tmp_path)
    said = " ".join(found["said"])
    for place in ("store/epochs/", "tables/", "--out: cannot write"):
        assert place in said
    assert found["tried"].sum() >= 6


@pytest.mark.slow
def test_programs_that_share_a_folder_end_with_their_own_numbers(tmp_path):
    assert len(reliability("together", "--count", "2", folder=tmp_path)) == 2


@pytest.mark.slow
@pytest.mark.parametrize(("number", "kind"), [*enumerate(OF_A_FILE)])
def test_a_damaged_shard_is_told_kept_and_trained_anew(folder, finished, number, kind):
    part = ("runs", "epochs")[number % 2]
    rng, known = np.random.default_rng(1), tables(finished)
    found = damaged(folder, kind, part, rng=rng, known=known)
    assert (found["lost"], found["wrong"]) == (0, 0), found


def _lose_the_store(folder: Path) -> None:
    shutil.rmtree(folder / "store")


def _lose_half_of_each_shard(folder: Path) -> None:
    shutil.rmtree(folder / "store" / "epochs")


def _add_files_of_others(folder: Path) -> None:
    (folder / "store" / "runs" / "notes.txt").write_text("mine")
    shutil.copytree(folder / "tables", folder / "store" / "more")


def _add_a_shard_of_others(folder: Path) -> None:
    pd.DataFrame({"recipe": ["x"]}).to_parquet(folder / "store" / "runs" / "mine.parquet")


@pytest.mark.parametrize(
    ("harm", "words"),
    [
        (_lose_the_store, []),
        (_lose_half_of_each_shard, [".parquet is missing; it is set aside in"] * 9),
        (_add_files_of_others, []),
        (_add_a_shard_of_others, ["The shard mine.parquet is damaged: "]),
    ],
)
def test_a_store_that_was_meddled_with_is_mended(folder, finished, harm, words):
    harm(folder)
    kept = {file.name for file in folder.rglob("*") if file.is_file()}
    said = [note for note in resume(folder) if "set aside" in note]
    assert [word in note for word, note in zip(words, said, strict=True)] == [True] * len(words)
    assert tables(folder) == tables(finished)
    assert kept <= {file.name for file in folder.rglob("*")}


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_shard_that_may_not_be_read_is_told(folder, finished):
    shard = next((folder / "store" / "runs").glob("*.parquet"))
    shard.chmod(0)
    assert any(f"{shard.name} cannot be read" in note for note in resume(folder))
    assert tables(folder) == tables(finished)


def test_a_file_where_the_store_needs_a_folder_is_told_in_one_line(folder):
    shutil.rmtree(folder / "store" / "epochs")
    (folder / "store" / "epochs").write_text("in the way")
    with pytest.raises(StoreError, match=r"--out: cannot write to .*File exists"):
        resume(folder)


@pytest.mark.slow
def test_a_spec_that_changes_between_runs_never_mixes_numbers(executor, tmp_path):
    for number, change in enumerate(
        (
            "seeds=2",
            "seeds=4",
            "training.epochs=8",
            "variants.0.reduce_lr.patience=2",
            "variants.2.name=renamed",
            "data.args.n_samples=90",
            "seeds=3",
        )
    ):
        spec = load_spec(overrides=[*OVERRIDES, change])
        for place in ("one", f"fresh-{number}"):
            run_study(spec, tmp_path / place, engine="keras", options=Options())
        assert tables(tmp_path / "one") == tables(tmp_path / f"fresh-{number}"), change
