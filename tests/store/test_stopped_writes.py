"""A write that stops at any point leaves the old state or the new one, and can be done again."""

import errno
import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest

from finetune.errors import StoreError
from finetune.store.manifest import Manifest, read_manifest
from finetune.store.results import ResultStore
from finetune.store.schema import TRIAL_COLUMNS
from tests.made_runs import made_tables
from tests.small_studies import recipes_of, small_study, task

SPEC = small_study("training.epochs=5")
RECIPES = recipes_of(SPEC, "keras")

# What a file passes through, in this order; a write stops before one of them.
POINTS = ("its content is synced", "it gets its name", "its name is synced")


def write_runs(store: ResultStore, seed: int) -> None:
    tables = made_tables(task(SPEC, seeds=[seed], engine="keras"))
    store.write(tables.runs, tables.epochs)


def read_runs(store: ResultStore) -> set[int]:
    runs, epochs = store.runs(RECIPES, range(2)), store.epochs(RECIPES, range(2))
    assert set(runs["seed"]) == set(epochs["seed"])
    return set(runs["seed"])


def write_trial(store: ResultStore, number: int) -> None:
    row = ("s", number, '{"reduce_lr.factor":0.5}', 0.1)
    store.write_trials(pd.DataFrame([row], columns=list(TRIAL_COLUMNS)))


def read_trials(store: ResultStore) -> set[int]:
    return set(store.trials("s")["number"])


def write_manifest(store: ResultStore, seeds: int) -> None:
    manifest = Manifest.of(
        SPEC, engine="keras", seeds=seeds, command=None, started=datetime(2000, 1, 1, tzinfo=UTC)
    )
    manifest.write(store.folder)


def read_seeds(store: ResultStore) -> set[int]:
    return {read_manifest(store.folder).seeds}


# What is written, how it is read, its files, and the states before and after.
WRITES: dict[str, tuple[Callable, Callable, list[str], set[int], set[int]]] = {
    "runs": (write_runs, read_runs, ["epochs", "runs"], {0}, {0, 1}),
    "trials": (write_trial, read_trials, ["trials"], {0}, {0, 1}),
    "manifest": (write_manifest, read_seeds, ["manifest"], {0}, {1}),
}
CASES = [
    (what, step, f"{what}: {file} before {point}")
    for what, (_, _, files, _, _) in WRITES.items()
    for step, (file, point) in enumerate((file, point) for file in files for point in POINTS)
]
STOPS = {"killed": KeyboardInterrupt, "disk full": lambda: OSError(errno.ENOSPC, "No space left")}


@pytest.fixture
def store(tmp_path) -> ResultStore:
    made = ResultStore(tmp_path / "store")
    made.open()
    return made


def stop_before(step: int, error: Callable[[], BaseException], patch: pytest.MonkeyPatch) -> None:
    """Let the system raise an error instead of its so-many-th step that touches the disk."""
    steps = iter(range(99))

    def stopping(act):
        def call(*arguments):
            if next(steps) == step:
                raise error()
            return act(*arguments)

        return call

    patch.setattr(os, "fsync", stopping(os.fsync))
    patch.setattr(Path, "replace", stopping(Path.replace))


@pytest.mark.parametrize("how", STOPS)
@pytest.mark.parametrize(
    ("what", "step"), [case[:2] for case in CASES], ids=[case[2] for case in CASES]
)
def test_a_write_that_stops_leaves_the_old_or_the_new_state(store, what, step, how):
    write, read, files, before, after = WRITES[what]
    write(store, 0)
    with pytest.MonkeyPatch.context() as patch, pytest.raises((KeyboardInterrupt, StoreError)) as e:
        stop_before(step, STOPS[how], patch)
        write(store, 1)
    # The last file commits the rest, from when it has its name.
    committed = step == len(files) * len(POINTS) - 1
    assert read(store) == (after if committed else before)
    store.check()
    if how == "disk full":
        assert "No space left; what is stored is kept" in str(e.value)
        assert not list(store.folder.rglob("*.partial"))
    store.open(pytest.fail)
    write(store, 1)
    assert read(store) == after
