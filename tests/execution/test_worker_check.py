"""Which workers may train, by what made-up workers answer; real ones are in `test_cluster`."""

from types import SimpleNamespace

import pytest

from finetune.errors import ClusterError
from finetune.execution.worker_check import (
    WorkerRequirements,
    check_workers,
    examine,
    requirements,
)
from finetune.store.results import ResultStore

REQUIRED = WorkerRequirements((), None, "")


class Cluster:
    """Stands in for Dask's client: every worker has given its answer."""

    def __init__(self, **answers):
        self.answers = answers

    def run(self, function, required, *, on_error):
        assert on_error == "return"
        return self.answers


def test_workers_that_fit_may_train_and_slow_ones_are_named():
    notes = []
    check_workers(Cluster(one=("", ""), other=("", "has 4 threads")), REQUIRED, notes.append)
    (note,) = notes
    assert note.startswith("Worker other has 4 threads")


def test_every_worker_that_does_not_fit_is_named():
    old = "has keras 3.14.0, and here it is 3.15.1"
    none = ModuleNotFoundError("No module named 'finetune'")
    with pytest.raises(ClusterError) as caught:
        check_workers(Cluster(fits=("", ""), old=(old, ""), bare=none), REQUIRED, pytest.fail)
    line = str(caught.value)
    assert f"worker old {old}" in line
    assert "worker bare has no finetune that fits (ModuleNotFoundError: No module" in line
    assert "worker fits" not in line
    assert "\n" not in line


@pytest.mark.parametrize("identity", [None, b"", b"\xff", b"text"])
def test_a_worker_is_not_admitted_by_a_store_without_an_identity(tmp_path, identity):
    store = ResultStore(tmp_path)
    if identity is not None:
        (tmp_path / "identity").write_bytes(identity)
    assert "does not see the folder" in answer_of_a_worker(store)
    store.open()
    assert answer_of_a_worker(store) == ""


def answer_of_a_worker(store: ResultStore) -> str:
    """Return what a worker in this process objects to, which sees the same folder."""
    required = requirements(store)
    return examine(required, SimpleNamespace(state=SimpleNamespace(nthreads=1)))[0]
