"""Where tasks train changes no number: in this process, or in worker processes."""

import os

import pandas as pd
import pytest
from distributed import Client

from finetune.errors import SpecError
from finetune.execution import cluster, environment
from finetune.execution.environment import ENVIRONMENT, shortcomings, worker_count
from finetune.execution.workers import Workers
from finetune.store.results import ResultStore
from tests.small_studies import small_study, task


@pytest.fixture
def stores(tmp_path):
    """Give stores, a folder each."""

    def make(name: str) -> ResultStore:
        store = ResultStore(tmp_path / name)
        store.open()
        return store

    return make


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:1", "nonsense", "smoke://host:1", ""])
def test_no_scheduler_at_an_address_is_told_in_one_line(monkeypatch, stores, address):
    monkeypatch.setattr(cluster, "_CONNECTION_TIMEOUT", "1s")
    with pytest.raises(SpecError) as told, cluster.connected(address):
        pass
    message = str(told.value)
    assert message.startswith(f"--dask: received {address!r}")
    assert "\n" not in message


@pytest.mark.parametrize(
    ("address", "options", "words"),
    [
        ("nonsense", [], "missing port number in address 'nonsense'"),
        ("smoke://host:1", [], "unknown address scheme 'smoke'"),
        ("tcp://127.0.0.1:1", ["--nonsense"], "No such option"),
        ("tcp://127.0.0.1:1", ["--nthreads", "many"], "'many' is not a valid integer"),
    ],
)
def test_a_worker_that_cannot_begin_is_told_in_one_line(address, options, words):
    with pytest.raises(SpecError, match=r"^worker: ") as told:
        cluster.serve(address, workers=1, options=options)
    assert words in str(told.value)


def test_workers_are_as_many_as_wanted_else_cards_else_cores(monkeypatch):
    assert [worker_count(wanted) for wanted in (0, 1, 5)] == [1, 1, 5]
    monkeypatch.setattr(environment, "_graphics_cards", lambda: 0)
    assert 1 <= worker_count(None) <= (os.cpu_count() or 1)
    monkeypatch.setattr(environment, "_graphics_cards", lambda: 3)
    assert worker_count(None) == 3


def test_memory_is_shared_here_and_whole_on_a_cluster(stores):
    assert Workers(stores("here"), wanted=4).memory_each(400) == 100
    assert Workers(stores("there"), address="tcp://host:1").memory_each(400) == 400


@pytest.mark.parametrize(
    ("changed", "threads", "told"),
    [
        ({}, 1, []),
        ({}, 4, ["has 4 threads"]),
        ({"TF_NUM_INTRAOP_THREADS": "2"}, 1, ["several threads"]),
        ({"MALLOC_TRIM_THRESHOLD_": "65536"}, 1, ["has MALLOC_TRIM_THRESHOLD_=65536"]),
        ({"MALLOC_TRIM_THRESHOLD_": "-1"}, 1, []),
    ],
)
def test_what_slows_a_worker_down_is_told(changed, threads, told, monkeypatch):
    for name, value in {**ENVIRONMENT, **changed}.items():
        monkeypatch.setenv(name, value)
    found = shortcomings(threads)
    assert len(found) == len(told)
    assert all(part in said for part, said in zip(told, found, strict=True))


@pytest.mark.slow
def test_worker_processes_give_the_bits_of_this_process(stores):
    spec = small_study("training.epochs=5")
    tasks = [task(spec, seeds=(seed,)) for seed in range(3)]
    shares = []
    apart, here = stores("apart"), stores("here")
    with Workers(apart, wanted=2) as workers:
        (first,) = workers.train(tasks[:1], lambda *told: shares.append(told))
        # The same processes once more, and one more, with other tasks at the same positions.
        again = dict(workers.train(tasks, lambda *told: shares.append(told)))
    alone = dict(Workers(here, wanted=0).train(tasks))
    assert first == (0, alone[0])
    assert again == alone
    assert {position for position, _ in shares} == {0, 1, 2}
    for read in ("runs", "epochs"):
        mine, other = (
            getattr(store, read)(spec.recipes("population"), range(3)) for store in (apart, here)
        )
        assert set(mine["seed"]) == {0, 1, 2}
        pd.testing.assert_frame_equal(mine, other, check_exact=True)


@pytest.mark.slow
def test_workers_have_one_thread_and_keep_their_memory():
    def settings():
        return {name: os.environ.get(name) for name in ENVIRONMENT}

    with cluster.local_cluster() as local, Client(local, set_as_default=False) as client:
        cluster.scaled(local, client, 1)
        assert client.submit(settings).result() == ENVIRONMENT
