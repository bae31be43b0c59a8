"""Studies on a real Dask cluster: workers and schedulers die, and runs stay the same."""

import os
import signal
import time
from pathlib import Path

import pytest

from finetune.errors import ClusterError
from finetune.execution.training import Options
from finetune.report import render
from finetune.store.results import ResultStore
from finetune.studies import search
from finetune.studies.claim_map import map_claim
from finetune.studies.load import load_spec
from finetune.studies.run import run_study
from tests.clusters import foreign_worker, free_address, scheduler, worker_processes, workers
from tests.processes import finetune, start
from tests.small_studies import small_study

pytestmark = pytest.mark.slow

HERE = Options(workers=0)
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

# Loaded by workers before they begin: two chunks fail in them at every try, in two ways.
FAULTY = """
import os, pathlib, signal, threading
from finetune.engines.registry import engine
from finetune.execution import delivery

class Unreadable(Exception):
    def __init__(self, words, lock):
        super().__init__(words)
        self.lock = lock

class Faulty:
    def __init__(self, name):
        self.name = name

    def train(self, task, report):
        with pathlib.Path("TRIES").open("a") as tries:
            tries.write(f"{task.seeds[0]} ")
        if task.seeds == (3,):
            raise Unreadable("no room", threading.Lock())
        if task.seeds == (5,):
            os.kill(os.getpid(), signal.SIGKILL)
        return engine(self.name).train(task, report)

delivery.engine = Faulty
"""


@pytest.fixture(scope="module", autouse=True)
def undrawn():
    """Leave figures out of the reports that this process writes: they take longest."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(render, "figure_files", lambda tables, *, names: {})
        patch.setattr(search, "tuned_files", lambda tables, *, tuned: {})
        yield


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    """Run a scheduler and two workers; give the address and the workers' process ids."""
    log, address = tmp_path_factory.mktemp("cluster"), free_address()
    with scheduler(address, log / "scheduler"), workers(address, log / "workers"):
        yield address, worker_processes(address, 2)


@pytest.fixture
def folder(tmp_path) -> Path:
    (tmp_path / "study.toml").write_text(STUDY)
    return tmp_path


def table(folder: Path, name: str = "runs") -> bytes:
    return (folder / "tables" / f"{name}.csv").read_bytes()


def shards(folder: Path) -> int:
    return len(list((folder / "out" / "store" / "runs").glob("*.parquet")))


def started_with_shards(folder: Path, count: int, *arguments: str):
    """Start a study, and give it back once there are so many shards."""
    process = start(*RUN, "--engine", "keras", *arguments, cwd=folder)
    while shards(folder) < count and process.poll() is None:
        time.sleep(0.01)
    return process


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory) -> bytes:
    """Give the table of the study's runs by the reference engine, trained in this process."""
    folder = tmp_path_factory.mktemp("undisturbed")
    (folder / "study.toml").write_text(STUDY)
    spec = load_spec(folder / "study.toml")
    return table(run_study(spec, folder / "out", engine="keras", options=HERE).folder)


def test_a_study_on_a_cluster_equals_a_local_one(cluster, folder, monkeypatch):
    address, _ = cluster
    spec, notes = load_spec(folder / "study.toml"), []
    options = Options(address=address, on_note=notes.append)
    there = run_study(spec, folder / "out", options=options)
    here = run_study(spec, folder / "here", options=HERE)
    assert table(there.folder) == table(here.folder)
    # These workers have nothing to be warned of.
    assert notes == []
    # The seeds were cut for two workers, and the parity certificate is a chunk of its own.
    assert shards(folder) == 3

    # As if the workers saw another folder under the same name.
    monkeypatch.setattr(ResultStore, "identity", lambda store: "another")
    with pytest.raises(ClusterError, match=r"does not see the folder .*--return-results"):
        run_study(spec, folder / "apart", options=options)
    options = Options(address=address, return_results=True)
    apart = run_study(spec, folder / "apart", options=options)
    assert table(apart.folder) == table(here.folder)


def test_a_search_and_a_map_on_a_cluster_equal_local_ones(cluster, tmp_path):
    address, _ = cluster
    small = [f"search.{part}" for part in ("trials=2", "seeds=2", "batch=1")]
    grid = ["map.factor=[0.5]", "map.patience=[1]", "map.delay=[3]", "map.seeds=2"]
    spec = small_study("seeds=2", "training.epochs=4", *small, *grid)
    for name, options in (("here", HERE), ("there", Options(address=address))):
        search.search_study(spec, tmp_path / name, options=options)
        map_claim(spec, tmp_path / f"{name}-map", options=options)
    for where, name in (("", "trials"), ("", "runs"), ("-map", "claim_map")):
        assert table(tmp_path / f"here{where}", name) == table(tmp_path / f"there{where}", name)


def test_a_worker_killed_amid_a_study_costs_nothing_but_time(cluster, folder, undisturbed):
    address, _ = cluster
    process = started_with_shards(folder, 2, "--dask", address)
    victim, pid = next(iter(worker_processes(address, 2).items()))
    os.kill(pid, signal.SIGKILL)
    _, errors = process.communicate()
    assert process.returncode == 0, errors
    assert f"Worker {victim} is gone" in errors
    assert table(folder / "out") == undisturbed


def test_a_scheduler_killed_amid_a_study_is_told_and_the_study_resumed(folder, undisturbed):
    address = free_address()
    with scheduler(address, folder / "log") as process, workers(address, folder / "log"):
        study = started_with_shards(folder, 2, "--dask", address)
        process.kill()
        _, errors = study.communicate()
    assert study.returncode == 2
    assert errors.splitlines()[-1].startswith(f"finetune: --dask: the scheduler at {address} is")
    assert "Traceback" not in errors
    kept = shards(folder)
    assert 2 <= kept < 10
    with scheduler(address, folder / "log"), workers(address, folder / "log"):
        again = finetune(*RUN, "--engine", "keras", "--dask", address, cwd=folder)
    assert again.returncode == 0, again.stderr
    assert f"{2 * kept} runs are stored, {20 - 2 * kept} to train" in again.stderr
    assert table(folder / "out") == undisturbed


def test_chunks_that_fail_every_time_are_told_and_the_rest_is_trained(folder, undisturbed):
    address = free_address()
    (folder / "faulty.py").write_text(FAULTY.replace("TRIES", str(folder / "tries")))
    preload = ("--preload", str(folder / "faulty.py"))
    with scheduler(address, folder / "log"), workers(address, folder / "log", 2, *preload):
        done = finetune(*RUN, "--engine", "keras", "--dask", address, cwd=folder)
    assert done.returncode == 3, done.stderr
    assert "Traceback" not in done.stderr
    assert done.stderr.splitlines()[-1] == "4 of 20 runs failed; the report names them"
    report = (folder / "out" / "report.md").read_text()
    tries = (folder / "tries").read_text().split()
    for seed, reason in ((3, "Unreadable: no room"), (5, "a worker process died at it")):
        assert f"'plain', 'cuts' at seed {seed}: {reason}" in done.stderr
        assert f"Reason: `{reason}" in report
        assert tries.count(str(seed)) >= 3
    lost = (b",3,", b",5,")
    kept = [line for line in undisturbed.splitlines() if not any(seed in line for seed in lost)]
    trained = table(folder / "out").splitlines()
    assert [line for line in trained if b",failed," not in line] == kept


@pytest.mark.parametrize("package", ["keras", "finetune"])
def test_a_worker_with_another_version_is_refused_by_name(cluster, folder, package):
    address, _ = cluster
    info = folder / "other" / f"{package}-0.0.7.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 0.0.7\n")
    other = {"PYTHONPATH": str(info.parent)}
    with foreign_worker(address, folder / "log", "--nthreads", "1", **other):
        names = set(worker_processes(address, 3))
        done = finetune(*RUN, "--dask", address, cwd=folder)
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()[-1:]
    assert f"has {package} 0.0.7, and here it is" in line
    assert sum(name in line for name in names) == 1
    assert shards(folder) == 0


def test_a_worker_that_comes_late_and_was_started_otherwise_trains_the_same(folder, undisturbed):
    address, plain = (
        free_address(),
        {
            "TF_NUM_INTRAOP_THREADS": "2",
            "MALLOC_TRIM_THRESHOLD_": "65536",
        },
    )
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
    assert table(folder / "out") == undisturbed
