"""The store: whole or not at all, known by recipe and seed, exact to the last bit."""

import errno
import json
import os
from contextlib import suppress
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finetune.engines.base import TaskTables
from finetune.errors import StoreError
from finetune.spec.study import StudySpec
from finetune.store import results as store_module
from finetune.store.results import ResultStore
from finetune.store.shards import EPOCH_COLUMNS, RUN_COLUMNS
from finetune.store.versions import numeric_versions
from tests.made_runs import made_frames
from tests.small_studies import small_study, task

SPEC = small_study("training.epochs=5")
NAMES = [variant.name for variant in SPEC.variants]
RECIPES = SPEC.recipes("keras")
SEEDS = range(6)


def made(seeds, *, spec: StudySpec = SPEC, variants=None) -> TaskTables:
    return made_frames(task(spec, seeds=seeds, engine="keras", variants=variants))


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


def in_order(frame: pd.DataFrame, columns: tuple[str, ...]) -> pd.DataFrame:
    """Give what an engine made as the store promises it: by variant, seed and epoch."""
    keys = [name for name in ("variant", "seed", "epoch") if name in columns]
    ranked = frame.assign(variant=pd.Categorical(frame["variant"].astype(str), NAMES))
    return ranked.sort_values(keys, ignore_index=True).loc[:, list(columns)]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_what_is_read_is_what_was_written_bit_for_bit(store, dtype):
    spec = small_study("training.epochs=5", f"training.dtype={dtype}")
    frames, recipes = made(SEEDS, spec=spec), spec.recipes("keras")
    odd = [-0.0, np.inf, -np.inf, np.nan, np.finfo(dtype).tiny, np.nextafter(np.float64(0), 1)]
    frames.epochs.loc[: len(odd) - 1, "loss"] = np.array(odd, dtype)
    frames.runs.loc[: len(odd) - 1, "test_loss"] = odd
    store.write(frames.runs, frames.epochs)
    for read, written, columns in (
        (store.runs(recipes, SEEDS), frames.runs, RUN_COLUMNS),
        (store.epochs(recipes, SEEDS), frames.epochs, EPOCH_COLUMNS),
    ):
        assert tuple(read.columns) == columns
        expected = in_order(written, columns)
        for name in columns:
            kept, given_values = read[name].to_numpy(), expected[name].to_numpy()
            if given_values.dtype.kind == "f":
                assert kept.dtype == np.float64
                given_values = given_values.astype(np.float64)
                assert kept.tobytes() == given_values.tobytes(), name
            else:
                assert list(read[name].astype("string")) == list(expected[name].astype("string"))


def test_integers_with_gaps_stay_integers(store):
    fill(store, SEEDS)
    cut = store.runs(RECIPES, SEEDS)["first_reduction_epoch"]
    assert cut.dtype == "Int64"
    assert cut.isna().any()
    assert cut.notna().any()


def test_an_empty_store_has_all_columns_and_misses_all(store):
    fill(store, SEEDS)
    empty = ResultStore(store.folder.parent / "other")
    empty.open()
    assert empty.missing(RECIPES, SEEDS) == dict.fromkeys(SEEDS, NAMES)
    for read in ("runs", "epochs"):
        nothing, all_ = (getattr(s, read)(RECIPES, SEEDS) for s in (empty, store))
        same(nothing, all_.iloc[:0])


def test_missing_is_told_by_seed(store):
    fill(store, [0, 1])
    fill(store, [3], variants=SPEC.variants[1:3])
    others = [NAMES[0], *NAMES[3:]]
    assert store.missing(RECIPES, range(5)) == {2: NAMES, 3: others, 4: NAMES}
    assert store.missing(RECIPES, [1, 0]) == {}


def test_only_the_seeds_asked_for_are_read(store):
    fill(store, SEEDS)
    assert set(store.runs(RECIPES, [4, 1, 99])["seed"]) == {1, 4}
    assert set(store.epochs(RECIPES, [4])["seed"]) == {4}


def test_shards_do_not_show(store, tmp_path):
    fill(store, [5, 2], [0], [4, 1, 3])
    whole = ResultStore(tmp_path / "whole")
    whole.open()
    fill(whole, SEEDS)
    same(store.runs(RECIPES, SEEDS), whole.runs(RECIPES, SEEDS))
    same(store.epochs(RECIPES, SEEDS), whole.epochs(RECIPES, SEEDS))


def test_a_run_in_several_shards_is_read_once(store, tmp_path):
    fill(store, [0, 1], [1, 2], [2])
    once = ResultStore(tmp_path / "once")
    once.open()
    fill(once, [0, 1, 2])
    same(store.runs(RECIPES, SEEDS), once.runs(RECIPES, SEEDS))
    same(store.epochs(RECIPES, SEEDS), once.epochs(RECIPES, SEEDS))


def test_renamed_and_added_variants_find_their_runs(store):
    fill(store, SEEDS)
    renamed = {f"new {name}": recipe for name, recipe in reversed(RECIPES.items())}
    assert store.missing(renamed, SEEDS) == {}
    runs = store.runs(renamed, SEEDS)
    assert list(runs["variant"].unique()) == list(renamed)
    assert sorted(runs["test_loss"]) == sorted(store.runs(RECIPES, SEEDS)["test_loss"])
    assert store.missing({**renamed, "added": "f" * 16}, [0]) == {0: ["added"]}


def test_variants_of_one_recipe_share_their_runs(store):
    twins = {"one": RECIPES[NAMES[0]], "other": RECIPES[NAMES[0]]}
    assert store.missing(twins, [0]) == {0: ["one"]}
    fill(store, [0], variants=SPEC.variants[:1])
    assert store.missing(twins, [0]) == {}
    for read in (store.runs(twins, [0]), store.epochs(twins, [0])):
        one, other = (read[read["variant"] == name].drop(columns="variant") for name in twins)
        same(one.reset_index(drop=True), other.reset_index(drop=True))
        assert len(one) > 0


def test_another_recipe_is_another_run(store):
    fill(store, SEEDS)
    other = small_study("training.epochs=6")
    assert store.missing(other.recipes("keras"), [0]) == {0: NAMES}
    assert store.missing(SPEC.recipes("population"), [0]) == {0: NAMES}


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


@pytest.mark.parametrize("step", range(4))
def test_a_shard_counts_from_its_last_step_only(store, monkeypatch, step):
    """Kill the writer at each step that touches the disk: two files, each synced, then named."""
    fill(store, [0])
    before = store.runs(RECIPES, SEEDS), store.epochs(RECIPES, SEEDS)
    steps = iter(range(4))

    def killed(action):
        def act(*arguments):
            if next(steps) == step:
                raise KeyboardInterrupt
            return action(*arguments)

        return act

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", killed(os.fsync))
        patch.setattr(Path, "replace", killed(Path.replace))
        with pytest.raises(KeyboardInterrupt):
            fill(store, [1])
    same(store.runs(RECIPES, SEEDS), before[0])
    same(store.epochs(RECIPES, SEEDS), before[1])
    assert store.missing(RECIPES, [0, 1]) == {1: NAMES}
    fill(store, [1])
    assert store.missing(RECIPES, [0, 1]) == {}


def test_a_full_disk_is_told_and_leaves_what_is_stored(store, monkeypatch):
    fill(store, [0])
    before = files(store)

    def full(descriptor):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StoreError, match="No space left on device; what is stored is kept"):
        fill(store, [1])
    assert files(store) == before


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
    row = {"search": "s", "number": 0, "factor": 0.5, "patience": 1.0, "start_from_epoch": 0.0}
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


def test_a_shard_tells_the_versions_that_made_it(store):
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
def test_a_folder_that_cannot_be_written_to_is_told(tmp_path, place):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StoreError, match=r"--out: cannot write to '.*file.*; give") as e:
        ResultStore(tmp_path / place).open()
    assert len(str(e.value).splitlines()) == 1
    assert (tmp_path / "file").read_text() == "in the way"


def test_a_folder_closed_to_the_user_is_told(tmp_path, monkeypatch):
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


groups = st.lists(st.integers(0, 5), min_size=1, max_size=3, unique=True)
# Files written before the writer is killed; with two it is not.
fates = st.sampled_from([2, 2, 1, 0])


@settings(max_examples=20)
@given(st.lists(st.tuples(groups, fates), max_size=5))
def test_the_store_is_the_union_of_what_was_finished(tmp_path_factory, written):
    store, plain = ResultStore(tmp_path_factory.mktemp("store")), SPEC.variants[:1]
    recipes = {NAMES[0]: RECIPES[NAMES[0]]}
    store.open()
    finished: set[int] = set()
    for seeds, files_written in written:
        with pytest.MonkeyPatch.context() as patch, suppress(KeyboardInterrupt):
            _stop_writing(patch, after=files_written)
            fill(store, seeds, variants=plain)
            finished |= set(seeds)
    expected = [made([seed], variants=plain).runs.loc[0, "test_loss"] for seed in sorted(finished)]
    assert store.runs(recipes, SEEDS)["test_loss"].tolist() == expected
    assert set(store.epochs(recipes, SEEDS)["seed"]) == finished
    assert set(store.missing(recipes, SEEDS)) == set(SEEDS) - finished


def _stop_writing(patch: pytest.MonkeyPatch, *, after: int) -> None:
    write, count = store_module.write_whole, iter(range(9))

    def stop(path, content):
        if next(count) >= after:
            raise KeyboardInterrupt
        write(path, content)

    patch.setattr(store_module, "write_whole", stop)


def test_runs_of_several_versions_are_counted(store, monkeypatch):
    fill(store, [0, 1])
    assert store.mixtures(RECIPES) == {}
    older = numeric_versions() | {"keras": "3.14.0"}
    monkeypatch.setattr("finetune.store.shards.numeric_versions", lambda: older)
    fill(store, [2])
    here = numeric_versions()["keras"]
    assert store.mixtures(RECIPES) == {"keras": {here: 2 * len(NAMES), "3.14.0": len(NAMES)}}
    assert store.mixtures({"other": "f" * 16}) == {}
