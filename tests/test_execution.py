"""Where tasks train changes no number: in this process, or in worker processes."""

import os

import pandas as pd
import pytest
from dask import config
from distributed import Client, LocalCluster

from finetune import execution
from finetune.errors import SpecError
from finetune.execution import Workers
from tests.studies import small_study, task


def test_no_scheduler_at_an_address_is_told_in_one_line(monkeypatch):
    monkeypatch.setattr(execution, "_CONNECTION_TIMEOUT", "1s")
    with pytest.raises(SpecError) as told:
        list(Workers(address="tcp://127.0.0.1:1").train([task(small_study())]))
    message = str(told.value)
    assert message.startswith("--dask: received 'tcp://127.0.0.1:1'")
    assert "\n" not in message


def test_workers_are_as_many_as_wanted_else_cards_else_cores(monkeypatch):
    assert [execution.worker_count(wanted) for wanted in (0, 1, 5)] == [1, 1, 5]
    monkeypatch.setattr(execution, "_graphics_cards", lambda: 0)
    assert 1 <= execution.worker_count(None) <= (os.cpu_count() or 1)
    monkeypatch.setattr(execution, "_graphics_cards", lambda: 3)
    assert execution.worker_count(None) == 3


@pytest.mark.slow
def test_worker_processes_give_the_bits_of_this_process():
    spec = small_study("training.epochs=5")
    tasks = [task(spec, seeds=(seed,)) for seed in range(3)]
    shares = []
    with Workers(2) as workers:
        apart = dict(workers.train(tasks[:1], lambda *told: shares.append(told)))
        # The same processes once more, with other tasks at the same positions.
        again = dict(workers.train(tasks, lambda *told: shares.append(told)))
    here = dict(Workers(0).train(tasks))
    pd.testing.assert_frame_equal(apart[0].runs, again[0].runs, check_exact=True)
    apart = again
    assert set(apart) == set(here) == {0, 1, 2}
    for position, frames in here.items():
        for mine, other in zip(frames[:2], apart[position][:2], strict=True):
            pd.testing.assert_frame_equal(mine, other, check_exact=True)
    assert {position for position, _ in shares} == {0, 1, 2}


@pytest.mark.slow
def test_workers_have_one_thread_and_keep_their_memory():
    def environment():
        return {name: os.environ.get(name) for name in execution._ENVIRONMENT}

    with (
        config.set({"distributed.nanny.pre-spawn-environ": execution._ENVIRONMENT}),
        LocalCluster(
            n_workers=1, threads_per_worker=1, host="127.0.0.1", dashboard_address=None
        ) as cluster,
        Client(cluster, set_as_default=False) as client,
    ):
        assert client.submit(environment).result() == execution._ENVIRONMENT
