"""Studies whose folder is damaged, meddled with, cramped or shared end as undisturbed ones do."""

import errno
import os
import shutil
from collections.abc import Generator
from pathlib import Path

import pandas as pd
import pytest

from finetune.errors import StoreError
from finetune.execution.training import Options
from finetune.studies.load import load_spec
from finetune.studies.run import run_study
from tests.made_runs import MadeUpExecutor, Recorded
from tests.store.damage import DAMAGES, content_of

# Three variants with a claim, one of which stops early.
OVERRIDES = (
    "training.epochs=6",
    "vary=['init']",
    "seeds=4",
    "variants=[{name='cuts',reduce_lr={patience=1}},"
    "{name='cuts late',reduce_lr={patience=1,start_from_epoch=3}},"
    "{name='stops',early_stopping={patience=2}}]",
    "claims=[{kind='underfits',treatment='cuts',control='cuts late'}]",
)


def run(folder: Path, *changes: str, executor=None) -> list[str]:
    """Run the study with training made up; return the notes."""
    recorded = Recorded()
    options = Options(executor or MadeUpExecutor(), recorded, figures=False)
    spec = load_spec(overrides=[*OVERRIDES, *changes])
    run_study(spec, folder, engine="keras", options=options)
    return recorded.notes


def numbers(folder: Path) -> dict[str, bytes]:
    """Read every number of a report: its tables and the verdict, by name."""
    files = [*sorted((folder / "tables").glob("*.csv")), folder / "verdict.json"]
    return {file.name: file.read_bytes() for file in files}


@pytest.fixture(scope="module")
def finished(tmp_path_factory) -> Path:
    """The folder of a study that nothing has disturbed."""
    folder = tmp_path_factory.mktemp("finished")
    run(folder)
    return folder


@pytest.fixture
def folder(finished, tmp_path) -> Path:
    """A copy of the finished study, to be harmed."""
    return Path(shutil.copytree(finished, tmp_path / "out"))


@pytest.mark.parametrize("part", ["runs", "epochs"])
@pytest.mark.parametrize("kind", DAMAGES)
def test_a_damaged_shard_is_named_kept_and_trained_anew(folder, finished, kind, part):
    file = sorted((folder / "store" / part).glob("*.parquet"))[1]
    DAMAGES[kind](file)
    left = content_of(file)
    notes = [note for note in run(folder) if file.name in note]
    # A shard without its runs was never finished: there is nothing to be named or kept.
    if (kind, part) == ("removed", "runs"):
        assert notes == []
    else:
        assert len(notes) == 1
        assert content_of(folder / "store" / "set-aside" / part / file.name) == left
    assert numbers(folder) == numbers(finished)


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
        (_lose_half_of_each_shard, [".parquet is missing; it is set aside in"] * 4),
        (_add_files_of_others, []),
        (_add_a_shard_of_others, ["The shard mine.parquet is damaged: "]),
    ],
)
def test_a_store_that_was_meddled_with_is_mended(folder, finished, harm, words):
    harm(folder)
    kept = {file.name for file in folder.rglob("*") if file.is_file()}
    notes = [note for note in run(folder) if "set aside" in note]
    assert [word in note for word, note in zip(words, notes, strict=True)] == [True] * len(words)
    assert numbers(folder) == numbers(finished)
    assert kept <= {file.name for file in folder.rglob("*")}


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_shard_that_may_not_be_read_is_named(folder, finished):
    shard = next((folder / "store" / "runs").glob("*.parquet"))
    shard.chmod(0)
    assert any(f"{shard.name} cannot be read" in note for note in run(folder))
    assert numbers(folder) == numbers(finished)


def test_a_file_where_the_store_needs_a_folder_is_named_in_one_line(folder):
    shutil.rmtree(folder / "store" / "epochs")
    (folder / "store" / "epochs").write_text("in the way")
    with pytest.raises(StoreError, match=r"--out: cannot write to .*File exists"):
        run(folder)


@pytest.mark.parametrize("left", [0, 1, 5, 9, 13])
def test_a_disk_that_is_full_after_so_many_files_costs_nothing(tmp_path, finished, left):
    files, replace = iter(range(99)), Path.replace

    def full(source, target):
        if next(files) >= left:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return replace(source, target)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Path, "replace", full)
        with pytest.raises(StoreError, match="No space left on device; what is stored is kept"):
            run(tmp_path)
    run(tmp_path)
    assert numbers(tmp_path) == numbers(finished)


class _Beside(MadeUpExecutor):
    """Runs another study in the same folder before each of its tasks is stored."""

    def __init__(self, other):
        super().__init__()
        self._other = other

    def train(self, tasks, store, on_progress) -> Generator:
        for result in super().train(tasks, store, on_progress):
            self._other()
            yield result


def test_programs_that_share_a_folder_end_with_their_own_numbers(tmp_path):
    changed = ("training.epochs=8", "seeds=5")
    run(tmp_path / "one")
    run(tmp_path / "two", *changed)
    run(tmp_path / "both", executor=_Beside(lambda: run(tmp_path / "both", *changed)))
    assert numbers(tmp_path / "both") == numbers(tmp_path / "one")
    run(tmp_path / "both", *changed)
    assert numbers(tmp_path / "both") == numbers(tmp_path / "two")
    # The same study twice at once.
    run(tmp_path / "same", executor=_Beside(lambda: run(tmp_path / "same")))
    assert numbers(tmp_path / "same") == numbers(tmp_path / "one")


def test_a_spec_that_changes_between_runs_never_mixes_numbers(tmp_path):
    changes = (
        "seeds=2",
        "seeds=4",
        "training.epochs=8",
        "variants.0.reduce_lr.patience=2",
        "variants.2.name=renamed",
        "data.args.n_samples=90",
    )
    for number, change in enumerate(changes):
        for place in ("one", f"fresh-{number}"):
            run(tmp_path / place, change)
        assert numbers(tmp_path / "one") == numbers(tmp_path / f"fresh-{number}"), change
