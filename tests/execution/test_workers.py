"""Where tasks train changes no number: in this process, or in worker processes."""

import os
import sys

import pandas as pd
import pytest
from distributed import Client

from finetune.errors import SpecError
from finetune.execution import connection
from finetune.execution.choice import choose_executor
from finetune.execution.cluster import ClusterExecutor
from finetune.execution.environment import ENVIRONMENT, SAFE_PATH, shortcomings, worker_count
from finetune.execution.in_process import InProcessExecutor
from finetune.execution.training import Options, train_blocks
from finetune.planning.block import Block
from finetune.store.results import ResultStore
from tests.made_runs import MadeUpExecutor
from tests.small_studies import recipes_of, small_study, task


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:1", "nonsense", "smoke://host:1", ""])
def test_no_scheduler_at_an_address_is_named_in_one_line(address):
    with pytest.raises(SpecError) as caught, connection.connected(address, timeout="1s"):
        pass
    message = str(caught.value)
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
def test_a_worker_that_cannot_begin_is_named_in_one_line(address, options, words):
    with pytest.raises(SpecError, match=r"^worker: ") as caught:
        connection.serve(address, workers=1, options=options)
    assert words in str(caught.value)


def test_workers_are_as_many_as_wanted_else_cards_else_cores():
    assert [worker_count(wanted) for wanted in (0, 1, 5)] == [1, 1, 5]
    assert 1 <= worker_count(None, cards=lambda: 0) <= (os.cpu_count() or 1)
    assert worker_count(None, cards=lambda: 3) == 3


def test_what_is_stored_needs_no_scheduler(tmp_path):
    spec, store = small_study("training.epochs=3"), ResultStore(tmp_path / "store")
    store.open()
    block = Block(spec, spec.variants, (0, 1), "population")
    train_blocks([block], store, Options(MadeUpExecutor()))
    with ClusterExecutor("tcp://127.0.0.1:1", on_note=pytest.fail) as executor:
        summary = train_blocks([block], store, Options(executor))
    assert (summary.runs_reused, summary.runs_trained) == (10, 0)


def test_the_executor_is_chosen_by_what_the_user_wants():
    assert isinstance(choose_executor(0), InProcessExecutor)
    assert isinstance(choose_executor(0, address="tcp://host:1"), ClusterExecutor)
    assert choose_executor(3).slots == 3


@pytest.mark.parametrize(
    ("changed", "threads", "expected"),
    [
        ({}, 1, []),
        ({}, 4, ["has 4 threads"]),
        ({"TF_NUM_INTRAOP_THREADS": "2"}, 1, ["several threads"]),
        ({"MALLOC_TRIM_THRESHOLD_": "65536"}, 1, ["has MALLOC_TRIM_THRESHOLD_=65536"]),
    ],
)
def test_what_slows_a_worker_down_is_named(changed, threads, expected, monkeypatch):
    monkeypatch.delenv("MALLOC_TRIM_THRESHOLD_", raising=False)
    for name, value in {**ENVIRONMENT, **changed}.items():
        monkeypatch.setenv(name, value)
    found = shortcomings(threads)
    assert [part in text for part, text in zip(expected, found, strict=True)] == [True] * len(found)


@pytest.mark.slow
def test_worker_processes_give_the_bits_of_this_process(tmp_path):
    """By real training, with a process more for the second call than for the first."""
    spec = small_study("training.epochs=5")
    tasks = [task(spec, seeds=(seed,)) for seed in range(3)]
    apart, here = (ResultStore(tmp_path / name) for name in ("apart", "here"))
    apart.open()
    here.open()
    with choose_executor(2) as executor:
        (first,) = executor.train(tasks[:1], apart, ignore)
        again = dict(executor.train(tasks, apart, ignore))
    alone = dict(InProcessExecutor().train(tasks, here, ignore))
    assert first == (0, alone[0])
    assert again == alone
    for read in ("runs", "epochs"):
        mine, other = (getattr(store, read)(recipes_of(spec), range(3)) for store in (apart, here))
        assert set(mine["seed"]) == {0, 1, 2}
        pd.testing.assert_frame_equal(mine, other, check_exact=True)


def ignore(position: int, share: float) -> None:
    """Ignore progress."""


@pytest.mark.slow
def test_workers_have_one_thread_and_keep_their_memory():
    expected = ENVIRONMENT | SAFE_PATH

    def settings():
        return {name: os.environ.get(name) for name in expected}

    with connection.local_cluster() as local, Client(local, set_as_default=False) as client:
        connection.scale_up(local, client, 1)
        assert client.submit(settings).result() == expected


def test_a_program_from_standard_input_is_told_that_its_workers_could_not_load_it(
    tmp_path, monkeypatch
):
    """They would be started again and again, and waited for."""
    monkeypatch.setattr(sys.modules["__main__"], "__file__", "<stdin>", raising=False)
    store = ResultStore(tmp_path / "store")
    with (
        choose_executor(1) as executor,
        pytest.raises(SpecError, match=r"--workers: .* cannot load this program, which is <stdin>"),
    ):
        list(executor.train([task(small_study())], store, lambda *_: None))
