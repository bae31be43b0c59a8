"""Compaction: fewer files, the same runs, whatever lies in the folder."""

import io
import os

import pandas as pd
import pytest

from finetune.errors import StoreError
from finetune.store import compaction
from finetune.store import results as store_module
from finetune.store.compaction import compact
from finetune.store.results import ResultStore
from finetune.store.shards import encoded
from tests.made_runs import made_tables
from tests.small_studies import recipes_of, small_study, task

SPECS = [
    small_study("training.epochs=5", f"training.dtype={kind}") for kind in ("float32", "float64")
]


@pytest.fixture
def store(tmp_path) -> ResultStore:
    """Return a store of two studies, of ten shards each, some runs twice in it."""
    made = ResultStore(tmp_path / "store")
    made.open()
    for spec in SPECS:
        for seed in range(10):
            frames = made_tables(task(spec, seeds=(seed, (seed + 1) % 10)))
            made.write(frames.runs, frames.epochs)
    return made


def held(store: ResultStore) -> list[pd.DataFrame]:
    """Return all that can be read from a store."""
    return [
        getattr(ResultStore(store.folder), part)(recipes_of(spec), range(10))
        for spec in SPECS
        for part in ("runs", "epochs")
    ]


def shards(store: ResultStore, part: str = "runs") -> set[str]:
    return {file.name for file in (store.folder / part).iterdir()}


def test_shards_become_few_and_say_the_same(store):
    before = held(store)
    done = compact(store.folder, on_note=pytest.fail)
    # Runs of another precision are in a shard of their own: no number is rounded or widened.
    assert (done.shards_before, done.shards_after) == (20, 2)
    assert done.bytes_after < done.bytes_before
    assert shards(store) == shards(store, "epochs")
    for one, other in zip(before, held(store), strict=True):
        pd.testing.assert_frame_equal(one, other, check_exact=True)
    store.check()


def test_compacting_again_changes_no_file(store):
    compact(store.folder, on_note=pytest.fail)
    before = {file: file.read_bytes() for file in store.folder.rglob("*.parquet")}
    done = compact(store.folder, on_note=pytest.fail)
    assert (done.shards_before, done.shards_after) == (2, 2)
    assert {file: file.read_bytes() for file in store.folder.rglob("*.parquet")} == before


def test_shards_grow_no_larger_than_wanted(store):
    size = max(file.stat().st_size for file in (store.folder / "epochs").iterdir())
    done = compact(store.folder, most_bytes=6 * size, on_note=pytest.fail)
    assert 2 < done.shards_after < 20


def test_a_damaged_shard_is_named_and_not_merged(store):
    broken = next((store.folder / "epochs").iterdir())
    broken.write_bytes(broken.read_bytes()[:-9])
    notes = []
    done = compact(store.folder, on_note=notes.append)
    assert f"The shard {broken.name} is damaged" in notes[0]
    assert (done.shards_before, done.shards_after) == (19, 2)
    assert (store.folder / "set-aside" / "epochs" / broken.name).exists()


def test_epochs_that_a_killed_writer_left_are_removed_once_they_are_old(store):
    kept = sorted(shards(store))
    old, fresh = (store.folder / "runs" / name for name in kept[:2])
    old.unlink()
    fresh.unlink()
    os.utime(store.folder / "epochs" / old.name, (0, 0))
    notes = []
    compact(store.folder, on_note=notes.append)
    left = shards(store, "epochs")
    assert old.name not in left
    assert fresh.name in left
    assert notes == ["Removed 1 files of epochs without runs, left by programs that were killed"]


def test_a_folder_without_a_store_is_named(tmp_path):
    with pytest.raises(StoreError, match="holds no stored runs"):
        compact(tmp_path / "store", on_note=pytest.fail)
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def amid(store, monkeypatch):
    """Let a compaction happen just before something in a module is called for the first time."""

    def put(module, name: str) -> None:
        wanted = getattr(module, name)

        def moved(*place, **options):
            monkeypatch.setattr(module, name, wanted)
            compact(store.folder, on_note=pytest.fail)
            return wanted(*place, **options)

        monkeypatch.setattr(module, name, moved)

    return put


def test_a_reader_goes_on_where_a_compaction_moves_the_shards(store, amid):
    before = held(store)
    amid(store_module, "scan")
    for one, other in zip(before, held(store), strict=True):
        pd.testing.assert_frame_equal(one, other, check_exact=True)


def test_shards_that_a_compaction_replaces_are_not_called_damaged(store, amid):
    amid(store_module, "damage")
    store.open(pytest.fail)
    assert not (store.folder / "set-aside").exists()


def test_versions_are_counted_where_a_compaction_moves_the_shards(store, amid):
    amid(store_module, "versions_by_shard")
    assert store.versions(recipes_of(SPECS[0])) == {}


@pytest.mark.parametrize("name", ["_kind", "_merged", "_size"])
def test_two_compactions_at_once_end_as_one(store, amid, name):
    before = held(store)
    amid(compaction, name)
    assert compact(store.folder, on_note=pytest.fail).shards_after == 2
    for one, other in zip(before, held(store), strict=True):
        pd.testing.assert_frame_equal(one, other, check_exact=True)


def test_epochs_that_vanish_amid_a_compaction_are_named_in_one_line(store, monkeypatch):
    kind = compaction._kind

    def vanished(file):
        file.unlink()
        return kind(file)

    monkeypatch.setattr(compaction, "_kind", vanished)
    with pytest.raises(StoreError, match=r"^store: cannot read a shard: .*; run the study"):
        compact(store.folder, on_note=pytest.fail)


@pytest.mark.parametrize("table", ["runs", "epochs"])
@pytest.mark.parametrize("how", ["rows are lost", "a column is lost", "the disk writes junk"])
def test_shards_are_kept_where_the_merged_one_is_not_sound(store, monkeypatch, table, how):
    """The originals are removed only once the merged shard was read again."""
    merged, write = compaction._merged, ResultStore.write_files
    before = {file: file.read_bytes() for file in store.folder.rglob("*.parquet")}

    def spoil(folder, names):
        whole = merged(folder, names)
        if folder.name != table or how == "the disk writes junk":
            return whole
        frame = pd.read_parquet(io.BytesIO(whole))
        return encoded(frame[10:] if how == "rows are lost" else frame.drop(columns="train_loss"))

    def write_junk(self, *files):
        name = write(self, *files)
        if how == "the disk writes junk":
            (self.folder / table / name).write_bytes(b"junk")
        return name

    monkeypatch.setattr(compaction, "_merged", spoil)
    monkeypatch.setattr(ResultStore, "write_files", write_junk)
    with pytest.raises(StoreError, match=r"the shards it was merged from are kept"):
        compact(store.folder, on_note=pytest.fail)
    assert {file: file.read_bytes() for file in before} == before


def test_folders_among_the_shards_are_left(store):
    folder = store.folder / "epochs" / "mine.parquet"
    folder.mkdir()
    os.utime(folder, (0, 0))
    compact(store.folder, on_note=pytest.fail)
    assert folder.is_dir()
