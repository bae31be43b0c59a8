"""Worker processes that stay alive between rounds, so that everybody is timed warm."""

import importlib
import multiprocessing
import os
import resource
import sys
import time
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.speed.contestants import Configuration, Contestant
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


class Crew:
    """The processes of one contestant in one configuration; use it in a `with` statement."""

    def __init__(self, contestant: Contestant, configuration: Configuration):
        self.contestant, self.configuration = contestant, configuration
        options = {**contestant.options, **configuration.options}
        with _environment(_threads(configuration.threads) | dict(contestant.environment)):
            self._workers = [
                _start(contestant.trainer, options) for _ in range(configuration.processes)
            ]

    def __enter__(self) -> "Crew":
        return self

    def __exit__(self, *_: object) -> None:
        for process, connection in self._workers:
            connection.close()
            process.join()

    def prepare(self, task: Task) -> float:
        """Trace and compile for the work of `train(task)`; give the slowest worker's seconds."""
        return max((cpu_wall[1] for _, cpu_wall in self._call("prepare", task)), default=0.0)

    def train(self, task: Task) -> Timing:
        """Train a task, divided among the processes by seeds."""
        started = time.perf_counter()
        answers = self._call("train", task)
        wall = time.perf_counter() - started
        results: list[Trained] = [trained for trained, _ in answers]
        return Timing(
            wall,
            sum(cpu for _, (cpu, _) in answers),
            sum(trained.run_epochs for trained in results),
            sum(trained.row_epochs for trained in results),
        )

    def ask(self, method: str, *arguments: Any, **options: Any) -> Any:
        """Call a method of the first process's trainer."""
        _, connection = self._workers[0]
        connection.send((method, [(arguments, options)]))
        return _answer(connection)[0][0]

    def memory(self) -> float:
        """Give the peak memory of the largest process so far, in MiB."""
        for _, connection in self._workers:
            connection.send(("memory", []))
        return max(_answer(connection) for _, connection in self._workers)

    def _call(self, method: str, task: Task) -> list[tuple[Any, tuple[float, float]]]:
        busy = []
        for (_, connection), tasks in zip(self._workers, self._shares(task), strict=False):
            connection.send((method, [((part,), {}) for part in tasks]))
            busy.append(connection)
        return [answer for connection in busy for answer in _answer(connection)]

    def _shares(self, task: Task) -> list[list[Task]]:
        """Divide the seeds evenly among processes, and each share evenly into calls."""
        processes = min(self.configuration.processes, len(task.seeds))
        shares = []
        for seeds in np.array_split(task.seeds, processes):
            calls = -(-len(seeds) // self.configuration.seeds_at_once)
            parts = [tuple(map(int, part)) for part in np.array_split(seeds, calls)]
            shares.append([Task(task.spec, task.variants, p, task.engine) for p in parts])
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
        "MALLOC_TRIM_THRESHOLD_": str(512 * 2**20),
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


def _answer(connection: Connection) -> Any:
    try:
        answer = connection.recv()
    except EOFError as error:
        raise WorkerError("a worker process ended without an answer") from error
    if isinstance(answer, WorkerError):
        raise answer
    return answer


def _serve(connection: Connection, trainer: str, options: Mapping[str, Any]) -> None:
    """Answer calls until the other side closes; runs in a worker process."""
    # TensorFlow's C++ writes here on loading, whatever it is told.
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    made = _make(trainer, options)
    while True:
        try:
            method, calls = connection.recv()
        except EOFError:
            return
        try:
            answer = _memory() if method == "memory" else _perform(getattr(made, method), calls)
        except Exception:
            answer = WorkerError(traceback.format_exc())
        connection.send(answer)


def _make(trainer: str, options: Mapping[str, Any]) -> Any:
    """Give the trainer; a failure to import or to make it is told to whoever calls it first."""
    module, _, name = trainer.partition(":")
    try:
        return getattr(importlib.import_module(f"benchmarks.speed.{module}"), name)(**options)
    except Exception:
        return _Failed(traceback.format_exc())


class _Failed:
    def __init__(self, why: str):
        self._why = why

    def __getattr__(self, method: str) -> Any:
        raise WorkerError(self._why)


def _perform(method: Any, calls: Sequence[Any]) -> list[tuple[Any, tuple[float, float]]]:
    """Make calls; give each one's result with its seconds of processor and clock."""
    answers = []
    for arguments, options in calls:
        cpu, wall = time.process_time(), time.perf_counter()
        result = method(*arguments, **options)
        answers.append((result, (time.process_time() - cpu, time.perf_counter() - wall)))
    return answers


def _memory() -> float:
    """Give this process's peak memory in MiB."""
    status = Path("/proc/self/status")
    if status.exists():
        # Unlike `ru_maxrss` this does not begin at the memory of the process that started it.
        line = next(s for s in status.read_text().splitlines() if s.startswith("VmHWM"))
        return int(line.split()[1]) / 2**10
    unit = 2**20 if sys.platform == "darwin" else 2**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit
