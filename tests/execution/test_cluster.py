"""Studies on a real Dask cluster: workers and schedulers die, and runs stay the same."""

import os
import signal
from functools import partial
from pathlib import Path

import pytest

from finetune.errors import ClusterError
from finetune.execution.cluster import ClusterExecutor
from finetune.execution.in_process import InProcessExecutor
from finetune.execution.training import Options
from finetune.store.results import ResultStore
from finetune.studies.claim_map import map_claim
from finetune.studies.load import load_spec
from finetune.studies.run import run_study
from finetune.studies.search import search_study
from tests import faulty_training
from tests.clusters import foreign_worker, free_address, scheduler, worker_processes, workers
from tests.made_runs import Recorded
from tests.processes import finetune, start
from tests.small_studies import small_study

pytestmark = pytest.mark.slow

STUDY = """
name = "small"
seeds = 10
vary = ["init"]
data = { source = "make_classification", args = { n_samples = 60, random_state = 1 } }
model = { hidden = [4] }
training = { epochs = 8, batch_size = 8 }
variants = [{ name = "plain" }, { name = "cuts", reduce_lr = { factor = 0.5, patience = 1 } }]
"""
RUN = ["run", "study.toml", "--out", "out"]
HERE = Options(figures=False)
MADE_UP_HERE = Options(InProcessExecutor(train=faulty_training.train), figures=False)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    """Run a scheduler and two workers; its address."""
    log, address = tmp_path_factory.mktemp("cluster"), free_address()
    with scheduler(address, log / "scheduler"), workers(address, log / "workers"):
        worker_processes(address, 2)
        yield address


@pytest.fixture
def folder(tmp_path) -> Path:
    (tmp_path / "study.toml").write_text(STUDY)
    return tmp_path


def table(folder: Path, name: str = "runs") -> bytes:
    return (folder / "tables" / f"{name}.csv").read_bytes()


def shards(folder: Path) -> int:
    return len(list((folder / "out" / "store" / "runs").glob("*.parquet")))


def run_there(address: str, folder: Path, *, progress=None, store=None, **options) -> Path:
    """Run the study of a folder's parent on a cluster; return the folder."""
    progress = progress or Recorded()
    with ClusterExecutor(address, on_note=progress.note, **options) as executor:
        how = Options(executor, progress, figures=False)
        spec = load_spec(folder.parent / "study.toml")
        run_study(spec, folder, engine="keras", store=store, options=how)
    return folder


def run_here(folder: Path, options: Options = MADE_UP_HERE) -> Path:
    """Run the study of a folder's parent in this process; return the folder."""
    run_study(load_spec(folder.parent / "study.toml"), folder, engine="keras", options=options)
    return folder


class OfOneProcess(ResultStore):
    """As a folder that is another one for every process, though it has one name."""

    def identity(self) -> str:
        return f"{super().identity()} in {os.getpid()}"

    def as_seen_by_workers(self) -> "OfOneProcess":
        return OfOneProcess(self.folder.resolve())


def test_a_study_on_a_cluster_equals_a_local_one(cluster, folder):
    spec, recorded = load_spec(folder / "study.toml"), Recorded()
    with ClusterExecutor(cluster, on_note=recorded.note) as executor:
        run_study(spec, folder / "out", options=Options(executor, figures=False))
    run_study(spec, folder / "here", options=HERE)
    assert table(folder / "out") == table(folder / "here")
    # These workers have nothing to be warned of.
    assert recorded.notes == []
    # The seeds were cut for two workers, and the parity certificate is a task of its own.
    assert shards(folder) == 3


def test_workers_that_see_another_folder_train_only_if_they_return_results(cluster, folder):
    store = OfOneProcess(folder / "apart" / "store")
    with pytest.raises(ClusterError, match=r"does not see the folder .*--return-results"):
        run_there(cluster, folder / "apart", store=store, train=faulty_training.train)
    apart = run_there(
        cluster, folder / "apart", store=store, return_results=True, train=faulty_training.train
    )
    assert table(apart) == table(run_here(folder / "here"))


def test_a_search_and_a_map_on_a_cluster_equal_local_ones(cluster, tmp_path):
    small = [f"search.{part}" for part in ("trials=2", "seeds=2", "batch=1")]
    grid = ["map.factor=[0.5]", "map.patience=[1]", "map.delay=[3]", "map.seeds=2"]
    spec = small_study("seeds=2", "training.epochs=4", *small, *grid)
    with ClusterExecutor(cluster, on_note=pytest.fail) as executor:
        for name, options in (("here", HERE), ("there", Options(executor, figures=False))):
            search_study(spec, tmp_path / name, options=options)
            map_claim(spec, tmp_path / f"{name}-map", options=options)
    for where, name in (("", "trials"), ("", "runs"), ("-map", "claim_map")):
        assert table(tmp_path / f"here{where}", name) == table(tmp_path / f"there{where}", name)


class After(Recorded):
    """Does something once so many runs are done."""

    def __init__(self, runs: int, act):
        super().__init__()
        self._runs, self._act = runs, act

    def update(self, done: float) -> None:
        if self._act and done >= self._runs:
            act, self._act = self._act, None
            act()


def test_a_worker_killed_amid_a_study_costs_nothing_but_time(cluster, folder):
    victim, pid = next(iter(worker_processes(cluster, 2).items()))

    def kill() -> None:
        # Both workers are amid a task, which they end only after this.
        os.kill(pid, signal.SIGKILL)
        (folder / "go").touch()

    progress = After(4, kill)
    train = partial(faulty_training.train_with_ticket, folder, 2)
    out = run_there(cluster, folder / "out", progress=progress, train=train)
    assert any(f"Worker {victim} is gone" in note for note in progress.notes)
    assert table(out) == table(run_here(folder / "here"))


def test_a_scheduler_killed_amid_a_study_is_named_and_the_study_goes_on(folder):
    address = free_address()
    train = partial(faulty_training.train_with_ticket, folder, 2)
    with scheduler(address, folder / "log") as process, workers(address, folder / "log"):
        worker_processes(address, 2)
        with pytest.raises(ClusterError, match=f"--dask: the scheduler at {address} is gone") as e:
            run_there(address, folder / "out", progress=After(4, process.kill), train=train)
    assert len(str(e.value).splitlines()) == 1
    assert shards(folder) == 2
    with scheduler(address, folder / "log"), workers(address, folder / "log"):
        again = Recorded()
        run_there(address, folder / "out", progress=again, train=faulty_training.train)
    assert again.counts == [(4, 16)]
    assert table(folder / "out") == table(run_here(folder / "here"))


@pytest.mark.parametrize("package", ["keras", "finetune"])
def test_a_worker_with_another_version_is_refused_by_name(cluster, folder, package):
    info = folder / "other" / f"{package}-0.0.7.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 0.0.7\n")
    other = {"PYTHONPATH": str(info.parent)}
    with foreign_worker(cluster, folder / "log", "--nthreads", "1", **other):
        names = set(worker_processes(cluster, 3))
        done = finetune(*RUN, "--dask", cluster, cwd=folder)
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()[-1:]
    assert f"has {package} 0.0.7, and here it is" in line
    assert sum(name in line for name in names) == 1
    assert shards(folder) == 0


def test_a_worker_that_comes_late_and_was_started_otherwise_trains_the_same(folder):
    address = free_address()
    plain = {"TF_NUM_INTRAOP_THREADS": "2", "MALLOC_TRIM_THRESHOLD_": "65536"}
    with scheduler(address, folder / "log"):
        study = start(*RUN, "--engine", "keras", "--dask", address, cwd=folder)
        assert study.stderr is not None
        waits = next(line for line in study.stderr if "No worker is at" in line)
        assert f"finetune worker {address}" in waits
        with foreign_worker(address, folder / "log", "--nthreads", "2", **plain):
            _, errors = study.communicate()
    assert study.returncode == 0, errors
    (warning,) = [line for line in errors.splitlines() if line.startswith("Worker ")]
    for part in ("has 2 threads", "several threads", "MALLOC_TRIM_THRESHOLD_=65536", "`finetune"):
        assert part in warning
    assert table(folder / "out") == table(run_here(folder / "here", HERE))
