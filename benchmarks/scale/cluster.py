"""Measurements on a real Dask cluster of this machine."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil

from finetune.engines.base import Task
from finetune.execution.training import Options, train_blocks, workers_for
from finetune.execution.workers import Workers
from finetune.planning.block import Block
from finetune.planning.plan import Plan
from finetune.spec.study import StudySpec
from finetune.spec.study_file import parse_spec
from finetune.store.results import ResultStore
from finetune.studies.load import load_spec
from tests.clusters import free_address, scheduler, worker_processes, workers

Say = Callable[[str], None]

# A study whose tasks are nearly all overhead: one run of one epoch on 60 rows.
_TINY = {
    "name": "tiny",
    "vary": ["init"],
    "data": {"source": "make_classification", "args": {"n_samples": 100, "random_state": 1}},
    "model": {"hidden": [4]},
    "training": {"epochs": 1},
    "variants": [{"name": "plain"}],
}


@dataclass(frozen=True)
class Cluster:
    """A running scheduler with its workers."""

    address: str
    workers: int
    scheduler: psutil.Process


@dataclass(frozen=True)
class Trained:
    """What training a study took.

    Attributes:
        where: Who trained, in words.
        workers: Processes.
        runs: Trained.
        run_epochs: Epochs of these runs.
        chunks: Tasks that the runs were cut into.
        seconds: From the first task sent to the last result stored.
        bytes: What passed between scheduler, workers and driver, heartbeats and headers included.
        scheduler_seconds: Of the scheduler's processor time.
    """

    where: str
    workers: int
    runs: int
    run_epochs: int
    chunks: int
    seconds: float
    bytes: int
    scheduler_seconds: float


@contextmanager
def cluster(folder: Path, count: int) -> Iterator[Cluster]:
    """Run a scheduler and so many workers, as users are told to, until the block ends."""
    address = free_address()
    with (
        scheduler(address, folder / "scheduler.log") as process,
        workers(address, folder / "workers.log", count),
    ):
        worker_processes(address, count)
        yield Cluster(address, count, psutil.Process(process.pid))


def train_on(running: Cluster, *, seeds: int, return_results: bool = False) -> Trained:
    """Train the founding study's runs on a cluster, into a new folder each time."""
    options = Options(address=running.address, return_results=return_results)
    how = "results given back" if return_results else "results in the shared folder"
    return _train(f"cluster, {how}", options, seeds=seeds, running=running)


def train_here(count: int, *, seeds: int) -> Trained:
    """Train the same runs by local worker processes, without a cluster."""
    return _train("local processes", Options(workers=count), seeds=seeds)


def _train(where: str, options: Options, *, seeds: int, running: Cluster | None = None) -> Trained:
    spec = load_spec("founding", overrides=[f"seeds={seeds}"])
    block = Plan.of(spec, "population").runs
    with TemporaryDirectory() as folder:
        store = ResultStore(Path(folder) / "store")
        store.open()
        with workers_for(store, options) as crew:
            count = crew.count
            # Libraries are loaded and the graph is traced before the clock starts.
            train_blocks([_warm_up(spec, count)], store, options, workers=crew)
            chunks = len(list(block.tasks(store, workers=count, memory=options.memory)))
            before, spent, clock = _traffic(), _processor(running), time.perf_counter()
            effort = train_blocks([block], store, options, workers=crew)
            seconds = time.perf_counter() - clock
            moved, spent = _traffic() - before, _processor(running) - spent
    return Trained(
        where,
        count,
        effort.runs_trained,
        effort.run_epochs_delivered,
        chunks,
        seconds,
        moved,
        spent,
    )


def _warm_up(spec: StudySpec, workers: int) -> Block:
    seeds = tuple(range(10**6, 10**6 + 64 * workers))
    return Block(spec.with_epochs(2), spec.variants, seeds, "population")


def chunk_overhead(running: Cluster, *, chunks: int) -> dict[str, float]:
    """Train tiny tasks on a cluster and in this process; give the milliseconds of a chunk of each.

    The work is equal, so that the difference is what a cluster adds to a chunk.
    """
    spec = parse_spec(_TINY)
    tasks = [Task(spec, spec.variants, (seed,), "population") for seed in range(2 * chunks)]
    with TemporaryDirectory() as folder:
        store = ResultStore(Path(folder) / "store")
        store.open()
        there = Workers(store, address=running.address)
        here = Workers(store, wanted=0)
        timed = {}
        for name, crew in (("cluster", there), ("in one process", here)):
            with crew:
                _timed(crew, tasks[:chunks])
                timed[name] = 1000 * _timed(crew, tasks[chunks:]) / chunks
    return timed


def _timed(crew: Workers, tasks: list[Task]) -> float:
    clock = time.perf_counter()
    for _ in crew.train(tasks):
        pass
    return time.perf_counter() - clock


def _traffic() -> int:
    """Give the bytes that have passed the loopback interface, each once."""
    return psutil.net_io_counters(pernic=True)["lo"].bytes_sent


def _processor(running: Cluster | None) -> float:
    if running is None:
        return 0.0
    spent = running.scheduler.cpu_times()
    return spent.user + spent.system
