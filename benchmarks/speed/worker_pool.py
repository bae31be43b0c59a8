"""Worker processes that stay alive between rounds, so that every method is timed warm."""

import importlib
import multiprocessing
import os
import resource
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from benchmarks.speed.methods import Configuration, Method
from benchmarks.speed.trainer import Trained
from finetune.engines.base import Task


@dataclass(frozen=True)
class Timing:
    """What training tasks took: seconds of the clock, and of the processor over all workers."""

    wall: float
    cpu: float
    run_epochs: int
    row_epochs: int


class WorkerError(RuntimeError):
    """A worker process raised; the text is its traceback."""


class _Answer(NamedTuple):
    """What a call returned, and the seconds of processor and clock that it took."""

    value: Any
    cpu: float
    wall: float


class WorkerPool:
    """The processes of one method in one configuration; use it in a `with` statement."""

    def __init__(self, method: Method, configuration: Configuration):
        self.method, self.configuration = method, configuration
        options = {**method.options, **configuration.options}
        with _environment(_threads(configuration.threads)):
            self._workers = [
                _start(method.trainer, options) for _ in range(configuration.processes)
            ]

    def __enter__(self) -> "WorkerPool":
        return self

    def __exit__(self, *_: object) -> None:
        for process, connection in self._workers:
            connection.close()
            process.join()

    def prepare(self, task: Task) -> float:
        """Trace and compile for the work of `train(task)`; return the slowest worker's seconds."""
        return max((answer.wall for answer in self._call_all("prepare", task)), default=0.0)

    def train(self, task: Task) -> Timing:
        """Train a task, divided among the processes by seeds."""
        started = time.perf_counter()
        answers = self._call_all("train", task)
        wall = time.perf_counter() - started
        results: list[Trained] = [answer.value for answer in answers]
        return Timing(
            wall,
            sum(answer.cpu for answer in answers),
            sum(trained.run_epochs for trained in results),
            sum(trained.row_epochs for trained in results),
        )

    def call_first(self, name: str, *arguments: Any, **options: Any) -> Any:
        """Call a method, by its name, of the first process's trainer; return what it returns."""
        _, connection = self._workers[0]
        connection.send((name, [(arguments, options)]))
        return _receive(connection)[0].value

    def memory(self) -> float:
        """Return the peak memory of the largest process so far, in MiB."""
        for _, connection in self._workers:
            connection.send(("memory", []))
        return max(_receive(connection) for _, connection in self._workers)

    def _call_all(self, name: str, task: Task) -> list[_Answer]:
        """Call a method of each process's trainer with its share of the task."""
        busy = []
        for (_, connection), tasks in zip(self._workers, self._shares(task), strict=False):
            connection.send((name, [((share,), {}) for share in tasks]))
            busy.append(connection)
        return [answer for connection in busy for answer in _receive(connection)]

    def _shares(self, task: Task) -> list[list[Task]]:
        """Divide the seeds evenly among processes, and each share evenly into calls."""
        processes = min(self.configuration.processes, len(task.seeds))
        shares = []
        for seeds in np.array_split(task.seeds, processes):
            calls = -(-len(seeds) // self.configuration.seeds_at_once)
            splits = [tuple(map(int, some)) for some in np.array_split(seeds, calls)]
            shares.append([Task(task.spec, task.variants, s, task.engine) for s in splits])
        return shares


def _threads(count: int) -> dict[str, str]:
    number = str(count)
    names = ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS",
             "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NPROC")  # fmt: skip
    alone = {"XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false"} if count == 1 else {}
    return {
        **dict.fromkeys(names, number),
        **alone,
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "JAX_PLATFORMS": "cpu",
    }


@contextmanager
def _environment(values: Mapping[str, str]) -> Iterator[None]:
    """Set variables that processes started within inherit: libraries read them on loading."""
    before = dict(os.environ)
    os.environ.update(values)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def _start(trainer: str, options: Mapping[str, Any]):
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(theirs, trainer, dict(options)), daemon=True)
    process.start()
    theirs.close()
    return process, ours


def _receive(connection: Connection) -> Any:
    try:
        answer = connection.recv()
    except EOFError as error:
        raise WorkerError("a worker process ended without an answer") from error
    if isinstance(answer, WorkerError):
        raise answer
    return answer


def _serve(connection: Connection, trainer: str, options: Mapping[str, Any]) -> None:
    """Answer calls until the other side closes; runs in a worker process."""
    # TensorFlow's C++ writes here on loading, whatever its log level.
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    made = _make(trainer, options)
    while True:
        try:
            name, calls = connection.recv()
        except EOFError:
            return
        try:
            answer = _memory() if name == "memory" else _perform(getattr(made, name), calls)
        except Exception:
            answer = WorkerError(traceback.format_exc())
        connection.send(answer)


def _make(trainer: str, options: Mapping[str, Any]) -> Any:
    """Make the trainer; a failure to import or to make it is raised at its first call."""
    module, _, name = trainer.partition(":")
    try:
        return getattr(importlib.import_module(f"benchmarks.speed.{module}"), name)(**options)
    except Exception:
        return _Failed(traceback.format_exc())


class _Failed:
    def __init__(self, why: str):
        self._why = why

    def __getattr__(self, name: str) -> Any:
        raise WorkerError(self._why)


def _perform(function: Callable[..., Any], calls: Sequence[Any]) -> list[_Answer]:
    answers = []
    for arguments, options in calls:
        cpu, wall = time.process_time(), time.perf_counter()
        value = function(*arguments, **options)
        answers.append(_Answer(value, time.process_time() - cpu, time.perf_counter() - wall))
    return answers


def _memory() -> float:
    """Return this process's peak memory in MiB."""
    status = Path("/proc/self/status")
    if status.exists():
        # Unlike `ru_maxrss` this does not begin at the memory of the process that started it.
        line = next(s for s in status.read_text().splitlines() if s.startswith("VmHWM"))
        return int(line.split()[1]) / 2**10
    unit = 2**20 if sys.platform == "darwin" else 2**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit
