"""The store: whole or not at all, known by recipe and seed, exact to the last bit."""

import errno
import json
import os
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest

from finetune.engines.base import TaskTables
from finetune.errors import StoreError
from finetune.spec.study import StudySpec
from finetune.store.results import ResultStore
from finetune.store.versions import numeric_versions
from tests.made_runs import made_tables, make_older
from tests.small_studies import recipes_of, small_study, task

SPEC = small_study("training.epochs=5")
NAMES = [variant.name for variant in SPEC.variants]
RECIPES = recipes_of(SPEC, "keras")
SEEDS = range(6)


def made(seeds, *, spec: StudySpec = SPEC, variants=None) -> TaskTables:
    return made_tables(task(spec, seeds=seeds, engine="keras", variants=variants))


def fill(store: ResultStore, *seed_groups, **options) -> None:
    for seeds in seed_groups:
        frames = made(seeds, **options)
        store.write(frames.runs, frames.epochs)


@pytest.fixture
def store(tmp_path) -> ResultStore:
    made_store = ResultStore(tmp_path / "deep" / "store")
    made_store.open()
    return made_store


def shards(store: ResultStore, part: str = "runs") -> list[Path]:
    return sorted((store.folder / part).glob("*.parquet"))


def files(store: ResultStore) -> dict[str, bytes]:
    return {str(p): p.read_bytes() for p in store.folder.rglob("*") if p.is_file()}


def same(one: pd.DataFrame, other: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(one, other, check_exact=True)


def test_epochs_of_a_killed_writer_are_not_read(store):
    fill(store, [0], [1])
    shards(store, "runs")[0].unlink()
    runs, epochs = store.runs(RECIPES, SEEDS), store.epochs(RECIPES, SEEDS)
    assert len(set(runs["seed"])) == 1
    assert set(epochs["seed"]) == set(runs["seed"])


def test_what_a_killed_writer_leaves_is_ignored(store):
    fill(store, [0])
    before = store.runs(RECIPES, SEEDS)
    for part in ("runs", "epochs"):
        (store.folder / part / "0123456789abcdef.parquet.77.partial").write_bytes(b"PAR1 half")
    same(store.runs(RECIPES, SEEDS), before)
    fill(store, [1])
    assert store.missing(RECIPES, [0, 1]) == {}


def truncated(content: bytes) -> bytes:
    return content[: len(content) // 2]


def scrambled(content: bytes) -> bytes:
    return content[:8] + bytes(60) + content[68:]


def flipped(content: bytes) -> bytes:
    """Flip one bit amid the data, which leaves the file's structure as it is."""
    place = len(content) // 3
    return content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]


DAMAGES = [truncated, scrambled, flipped, lambda content: b""]


@pytest.mark.parametrize("part", ["runs", "epochs"])
@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_shard_is_named_and_left_where_it_is(store, part, damage):
    fill(store, [0], [1], [2])
    store.check()
    shard = shards(store, part)[1]
    shard.write_bytes(damage(shard.read_bytes()))
    before = files(store)
    with pytest.raises(StoreError) as caught:
        store.check()
    line = str(caught.value)
    assert len(line.splitlines()) == 1
    assert f"the shard {shard.name} is damaged: it does not hold what was written" in line
    assert files(store) == before


def test_no_flipped_bit_goes_unseen(store):
    fill(store, [0])
    for part in ("runs", "epochs"):
        (shard,) = shards(store, part)
        sound = shard.read_bytes()
        for place in range(0, len(sound), 97):
            shard.write_bytes(sound[:place] + bytes([sound[place] ^ 4]) + sound[place + 1 :])
            with pytest.raises(StoreError, match="is damaged"):
                store.check()
        shard.write_bytes(sound)
    store.check()


@pytest.mark.parametrize("part", ["runs", "epochs"])
@pytest.mark.parametrize("damage", [*DAMAGES, None])
def test_opening_sets_a_damaged_shard_aside_and_the_rest_can_be_read(store, part, damage):
    fill(store, [0], [1], [2])
    shard = shards(store, part)[1]
    others = {half: (store.folder / half / shard.name).read_bytes() for half in ("runs", "epochs")}
    if damage:
        others[part] = damage(shard.read_bytes())
        shard.write_bytes(others[part])
    else:
        del others[part]
        shard.unlink()
    notes = []
    store.open(notes.append)
    # A shard without its first half was never finished, and is not missed.
    if part == "runs" and not damage:
        assert notes == []
        return
    assert [f"The shard {shard.name} is damaged" in note for note in notes] == [True]
    for half, content in others.items():
        assert (store.folder / "set-aside" / half / shard.name).read_bytes() == content
    (lost,) = store.missing(RECIPES, range(3))
    assert set(store.epochs(RECIPES, SEEDS)["seed"]) == {0, 1, 2} - {lost}
    fill(store, [lost])
    assert store.missing(RECIPES, range(3)) == {}
    store.open(notes.append)
    assert len(notes) == 1


def test_what_was_set_aside_before_stays(store):
    fill(store, [0])
    for content in (b"first", b"second"):
        shards(store)[0].write_bytes(content)
        store.open()
        fill(store, [0])
    kept = sorted((store.folder / "set-aside" / "runs").iterdir())
    assert [file.read_bytes() for file in kept] == [b"first", b"second"]


def test_damaged_trials_are_set_aside(store):
    row = {"search": "s", "number": 0, "setting": '{"reduce_lr.factor":0.5}'}
    store.write_trials(pd.DataFrame([{**row, "value": 1.0}]))
    (shard,) = shards(store, "trials")
    shard.write_bytes(truncated(shard.read_bytes()))
    notes = []
    store.open(notes.append)
    assert f"The shard {shard.name} is damaged" in notes[0]
    assert store.trials("s").empty


def test_what_killed_writers_left_is_removed_once_it_is_old(store):
    old, fresh = (store.folder / "runs" / f".{name}.parquet.1.partial" for name in "ab")
    old.touch()
    fresh.touch()
    os.utime(old, (0, 0))
    store.open()
    assert not old.exists()
    assert fresh.exists()


def test_a_store_keeps_its_identity_and_no_other_has_it(store, tmp_path):
    other = ResultStore(tmp_path / "other")
    assert other.identity() == ""
    other.open()
    first = store.identity()
    store.open()
    assert len(first) == 32
    assert store.identity() == first != other.identity()


def test_a_shard_holds_the_versions_that_made_it(store):
    fill(store, [0])
    for part in ("runs", "epochs"):
        metadata = pq.read_schema(shards(store, part)[0]).metadata
        assert json.loads(metadata[b"finetune.store.versions"]) == numeric_versions()


def test_missing_meets_a_damaged_shard_before_anything_is_trained(store):
    fill(store, [0])
    shards(store)[0].write_bytes(b"")
    with pytest.raises(StoreError, match="cannot read runs: "):
        store.missing(RECIPES, SEEDS)


@pytest.mark.parametrize("place", ["file", "file/below"])
def test_a_folder_that_cannot_be_written_to_is_named(tmp_path, place):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StoreError, match=r"--out: cannot write to '.*file.*; give") as e:
        ResultStore(tmp_path / place).open()
    assert len(str(e.value).splitlines()) == 1
    assert (tmp_path / "file").read_text() == "in the way"


def test_a_folder_closed_to_the_user_is_named(tmp_path, monkeypatch):
    def refused(path, **options):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(Path, "touch", refused)
    with pytest.raises(StoreError, match=r"--out: .*Permission denied"):
        ResultStore(tmp_path).open()


def test_making_a_store_again_leaves_it_as_it_is(store):
    fill(store, [0])
    before = files(store)
    ResultStore(store.folder).open()
    assert files(store) == before


def test_runs_of_several_versions_are_counted(store):
    fill(store, [2])
    make_older(store, keras="3.14.0")
    fill(store, [0, 1])
    here = numeric_versions()["keras"]
    assert store.versions(RECIPES) == {"keras": {here: 2 * len(NAMES), "3.14.0": len(NAMES)}}
    assert store.versions({"other": "f" * 16}) == {}
