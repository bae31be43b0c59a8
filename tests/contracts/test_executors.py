"""What every executor must do, wherever it trains: in this process, in others, on a cluster."""

import os
import time
from contextlib import suppress
from functools import partial

import pandas as pd
import pytest

from finetune.errors import EngineError
from finetune.execution.base import Executor
from finetune.execution.cluster import ClusterExecutor
from finetune.execution.in_process import InProcessExecutor
from finetune.execution.local import LocalExecutor
from finetune.execution.training import Options, train_blocks
from finetune.planning.block import Block
from finetune.store.results import ResultStore
from tests import faulty_training
from tests.clusters import free_address, scheduler, worker_processes, workers
from tests.faulty_training import FAULTY_SEED
from tests.memory_store import MemoryStore
from tests.small_studies import recipes_of, small_study, task

SPEC = small_study("training.epochs=3")
RECIPES = recipes_of(SPEC)
SEEDS = range(4)
TASKS = [task(SPEC, seeds=(seed,)) for seed in SEEDS]
MEMORY = 10**9

KINDS = [
    "this process",
    pytest.param("local processes", marks=pytest.mark.slow),
    pytest.param("cluster", marks=pytest.mark.slow),
    pytest.param("cluster that returns results", marks=pytest.mark.slow),
]


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    """Run a scheduler and two workers; its address."""
    log, address = tmp_path_factory.mktemp("cluster"), free_address()
    with scheduler(address, log / "scheduler"), workers(address, log / "workers"):
        worker_processes(address, 2)
        yield address


@pytest.fixture(params=KINDS)
def kind(request) -> str:
    return request.param


@pytest.fixture
def notes() -> list[str]:
    return []


@pytest.fixture
def new(kind, notes, request):
    """Return a function that makes an executor of a kind, which trains by a function."""

    def make(train=faulty_training.train) -> Executor:
        if kind == "this process":
            return InProcessExecutor(train=train)
        if kind == "local processes":
            return LocalExecutor(2, on_note=notes.append, train=train)
        address, returned = request.getfixturevalue("cluster"), "returns" in kind
        return ClusterExecutor(address, return_results=returned, on_note=notes.append, train=train)

    return make


@pytest.fixture
def store(tmp_path) -> ResultStore:
    made = ResultStore(tmp_path / "store")
    made.open()
    return made


def ignore(position: int, share: float) -> None:
    """Ignore progress."""


def results_of(executor: Executor, tasks, store) -> dict:
    """Train tasks and keep what comes back, as `train_blocks` does; a result a position."""
    results = {}
    for position, result in executor.train(tasks, store, ignore):
        assert position not in results
        results[position] = result
        if result.tables:
            store.write(result.tables.runs, result.tables.epochs)
    return results


def test_every_task_comes_once_and_its_results_are_those_of_any_executor(new, store):
    other = MemoryStore()
    expected = results_of(InProcessExecutor(train=faulty_training.train), TASKS, other)
    with new() as executor:
        found = results_of(executor, TASKS, store)
    assert {n: r._replace(tables=None) for n, r in found.items()} == expected
    for read in ("runs", "epochs"):
        one, two = (getattr(s, read)(RECIPES, SEEDS) for s in (store, other))
        assert set(one["seed"]) == set(SEEDS)
        pd.testing.assert_frame_equal(one, two, check_exact=True)


def test_no_tasks_have_no_results(new, store):
    with new() as executor:
        assert list(executor.train([], store, ignore)) == []


def test_progress_is_a_share_of_each_task_and_what_is_started_ends(new, kind, store, request):
    """A task lasts until its progress has been seen, so that none is missed."""
    folder = store.folder
    shares = []

    def on_progress(position: int, share: float) -> None:
        shares.append((position, share))
        (folder / f"seen-{TASKS[position].seeds[0]}").touch()

    with new(partial(faulty_training.train_until_seen, folder)) as executor:
        for _ in executor.train(TASKS, store, on_progress):
            pass
    assert set(shares) == {(position, 0.5) for position in range(len(TASKS))}
    used = {int(file.name.removeprefix("process-")) for file in folder.glob("process-*")}
    if kind == "this process":
        assert used == {os.getpid()}
    elif kind == "local processes":
        assert not _alive(used)
    else:
        # A cluster is not ours to end.
        workers_now = worker_processes(request.getfixturevalue("cluster"), 2).values()
        assert used <= set(workers_now)


def _alive(processes: set[int]) -> set[int]:
    """Wait for the end of processes; return those that still run, of which there are then none.

    Where one stays behind, this lasts until the test's time is over.
    """
    while left := {pid for pid in processes if _runs(pid)}:
        time.sleep(0.02)
    return left


def _runs(pid: int) -> bool:
    with suppress(ProcessLookupError):
        os.kill(pid, 0)
        return True
    return False


@pytest.mark.parametrize(
    ("train", "reason"),
    [
        (faulty_training.fail, "MemoryError: no room (faulty_training.py, line "),
        (faulty_training.fail_unreadably, "UnreadableError: no room (faulty_training.py, line "),
        (faulty_training.die, "a worker process died at it again and again"),
    ],
    ids=["raises", "raises what cannot be pickled", "dies"],
)
def test_a_task_that_fails_at_every_try_is_reported_and_the_others_go_on(
    new, kind, notes, store, train, reason
):
    if kind == "this process" and train is faulty_training.die:
        pytest.skip("nothing survives its own death")
    with new(train) as executor:
        found = results_of(executor, TASKS, store)
    assert found.keys() == set(range(len(TASKS)))
    failure = found[FAULTY_SEED].failure
    assert failure is not None
    assert failure.startswith(reason)
    assert "\n" not in failure
    others = [result for position, result in found.items() if position != FAULTY_SEED]
    assert [result.failure for result in others] == [None] * len(others)
    assert set(store.runs(RECIPES, SEEDS)["seed"]) == set(SEEDS) - {FAULTY_SEED}
    assert any(" is gone; " in note for note in notes) is (train is faulty_training.die)


def test_an_error_that_the_user_can_mend_is_raised_and_what_was_finished_stays(new, store):
    first = [one for one in TASKS if FAULTY_SEED not in one.seeds]
    with new(faulty_training.refuse) as executor:
        results_of(executor, first, store)
        with pytest.raises(EngineError, match=r"^variants\.0: received this; allowed is that$"):
            list(executor.train(TASKS, store, ignore))
        assert set(store.runs(RECIPES, SEEDS)["seed"]) == set(SEEDS) - {FAULTY_SEED}
        # It can train again, and so after a reader that stops amid the results.
        reader = executor.train(first, store, ignore)
        next(reader)
        reader.close()
        assert results_of(executor, first, store).keys() == set(range(len(first)))


def test_one_executor_trains_more_than_once(new, store):
    with new() as executor:
        assert results_of(executor, TASKS[:1], store).keys() == {0}
        assert results_of(executor, TASKS[1:], store).keys() == {0, 1, 2}
    assert set(store.runs(RECIPES, SEEDS)["seed"]) == set(SEEDS)


def test_tasks_at_once_share_the_memory_that_there_is(new, kind):
    with new() as executor:
        slots, each = executor.slots, executor.memory_per_task(MEMORY)
    assert slots >= 1
    # The user allows so much on this machine, but on a cluster each worker.
    assert each == (MEMORY if "cluster" in kind else MEMORY // slots)


def test_a_store_that_no_other_process_can_write_to_gets_what_is_returned(new):
    store, block = MemoryStore(), Block(SPEC, SPEC.variants, tuple(SEEDS), "population")
    with new() as executor:
        summary = train_blocks([block], store, Options(executor))
        assert summary.runs_trained == store.count() == len(SPEC.variants) * len(SEEDS)
        # What is stored needs no executor.
        again = train_blocks([block], store, Options(executor))
    assert (again.runs_reused, again.runs_trained) == (store.count(), 0)


def test_one_that_was_started_before_trains_as_any_other(new, store):
    with new() as executor:
        executor.start(1)
        executor.start(2)
        assert results_of(executor, TASKS, store).keys() == set(range(len(TASKS)))
    assert set(store.runs(RECIPES, SEEDS)["seed"]) == set(SEEDS)


def test_one_that_was_started_for_nothing_ends(new):
    with new() as executor:
        executor.start(2)
