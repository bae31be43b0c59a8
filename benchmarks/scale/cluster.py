"""Measurements on a real Dask cluster of this machine."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil

from benchmarks.processes import dask_cluster
from finetune.engines.base import Task
from finetune.engines.registry import DEFAULT
from finetune.execution.base import Executor
from finetune.execution.choice import choose_executor
from finetune.execution.training import Options, train_blocks
from finetune.planning.block import Block
from finetune.planning.plan import Plan
from finetune.spec.study import StudySpec
from finetune.spec.study_file import parse_spec
from finetune.store.base import Store
from finetune.store.results import ResultStore
from finetune.studies.load import load_spec

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
    scheduler: psutil.Process


@dataclass(frozen=True)
class TrainingCost:
    """What training a study took.

    Attributes:
        where: Who trained, in words.
        workers: Processes.
        runs: Trained.
        run_epochs: Epochs of these runs.
        tasks: That the runs were cut into.
        seconds: From the first task sent to the last result stored.
        bytes: What passed between scheduler, workers and driver, heartbeats and headers included.
        scheduler_seconds: Of the scheduler's processor time.
    """

    where: str
    workers: int
    runs: int
    run_epochs: int
    tasks: int
    seconds: float
    bytes: int
    scheduler_seconds: float


@contextmanager
def running_cluster(folder: Path, workers: int) -> Iterator[Cluster]:
    """Run a scheduler and so many workers until the block ends; `folder` is for their output."""
    with dask_cluster(workers, log=folder / f"{workers}-workers.log") as (address, pid):
        yield Cluster(address, psutil.Process(pid))


def train_on_cluster(cluster: Cluster, *, seeds: int, return_results: bool = False) -> TrainingCost:
    """Train the founding study's runs on a cluster, into a new folder each time."""
    how = "results given back" if return_results else "results in the shared folder"
    executor = choose_executor(address=cluster.address, return_results=return_results)
    return _train(f"cluster, {how}", executor, seeds=seeds, cluster=cluster)


def train_locally(workers: int, *, seeds: int) -> TrainingCost:
    """Train the same runs by local worker processes, without a cluster."""
    return _train("local processes", choose_executor(workers), seeds=seeds)


def _train(
    where: str, executor: Executor, *, seeds: int, cluster: Cluster | None = None
) -> TrainingCost:
    spec = load_spec("founding", overrides=[f"seeds={seeds}"])
    block = Plan.of(spec, DEFAULT.name).runs
    with _new_store() as store, executor:
        options, slots = Options(executor), executor.slots
        # Libraries are loaded and the graph is traced before the clock starts.
        train_blocks([_warm_up(spec, slots)], store, options)
        memory = executor.memory_per_task(options.memory)
        tasks = list(block.tasks(store, workers=slots, memory=memory))
        traffic, spent, clock = _traffic(), _processor_seconds(cluster), time.perf_counter()
        summary = train_blocks([block], store, options)
        return TrainingCost(
            where=where,
            workers=slots,
            runs=summary.runs_trained,
            run_epochs=summary.run_epochs_delivered,
            tasks=len(tasks),
            seconds=time.perf_counter() - clock,
            bytes=_traffic() - traffic,
            scheduler_seconds=_processor_seconds(cluster) - spent,
        )


@contextmanager
def _new_store() -> Iterator[ResultStore]:
    with TemporaryDirectory() as folder:
        store = ResultStore(Path(folder) / "store")
        store.open()
        yield store


def _warm_up(spec: StudySpec, workers: int) -> Block:
    """Return a block of other seeds, so that the study's own runs are still missing afterwards."""
    seeds = tuple(range(10**6, 10**6 + 64 * workers))
    return Block(spec.with_epochs(2), spec.variants, seeds, DEFAULT.name)


def runs_per_task() -> int:
    """Count the runs of the founding study that train together where there are seeds enough."""
    block = Plan.of(load_spec("founding", overrides=["seeds=10000"]), DEFAULT.name).runs
    with _new_store() as store:
        options = Options()
        return len(next(block.tasks(store, workers=1, memory=options.memory)).runs)


def task_milliseconds(cluster: Cluster, *, tasks: int) -> dict[str, float]:
    """Train tiny tasks on a cluster and in this process; return the milliseconds a task of each.

    The work is equal, so that the difference is what a cluster adds to a task.
    """
    spec = parse_spec(_TINY)
    every = [Task(spec, spec.variants, (seed,), DEFAULT.name) for seed in range(2 * tasks)]
    executors = {
        "cluster": choose_executor(address=cluster.address),
        "in one process": choose_executor(0),
    }
    milliseconds = {}
    with _new_store() as store:
        for name, executor in executors.items():
            with executor:
                _time_tasks(executor, every[:tasks], store)
                seconds = _time_tasks(executor, every[tasks:], store)
            milliseconds[name] = 1000 * seconds / tasks
    return milliseconds


def _time_tasks(executor: Executor, tasks: list[Task], store: Store) -> float:
    clock = time.perf_counter()
    for _ in executor.train(tasks, store, lambda position, share: None):
        pass
    return time.perf_counter() - clock


def _traffic() -> int:
    """Return the bytes that have passed the loopback interface, each counted once."""
    return psutil.net_io_counters(pernic=True)["lo"].bytes_sent


def _processor_seconds(cluster: Cluster | None) -> float:
    if cluster is None:
        return 0.0
    spent = cluster.scheduler.cpu_times()
    return spent.user + spent.system
