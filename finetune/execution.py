"""Where tasks are trained: in this process, in local worker processes, or on a Dask cluster."""

import logging
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from dask import config
from distributed import Client, KilledWorker, LocalCluster, as_completed, get_worker

from finetune.engines.base import Frames, Task
from finetune.engines.registry import engine
from finetune.errors import EngineError, SpecError

OnProgress = Callable[[int, float], None]

_CONNECTION_TIMEOUT = "10s"

# One thread a process: two threads in one process train hardly faster than one.
_ENVIRONMENT = {
    "TF_NUM_INTRAOP_THREADS": "1",
    "TF_NUM_INTEROP_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    # Dask's default of 64 KiB makes malloc return memory at every step, which TensorFlow then
    # asks for again: 1.5 times slower.
    "MALLOC_TRIM_THRESHOLD_": str(512 * 2**20),
}


class Workers:
    """Who trains: this process, local worker processes, or a Dask cluster.

    It is a context. Processes start with the first task and end with the context, so that what
    trains tasks many times, as a search does, starts them once.

    Args:
        wanted: Local worker processes, single-threaded; default one a core, 0 trains in the
            calling process.
        address: A running Dask scheduler, used instead of local processes.
        at_most: No more local processes than this, where it is known that few tasks come.
    """

    def __init__(
        self, wanted: int | None = None, address: str | None = None, *, at_most: int | None = None
    ):
        self._here = wanted == 0 and not address
        self._count = min(worker_count(wanted), at_most or worker_count(wanted))
        self._address = address
        self._open = ExitStack()
        self._client: Client | None = None
        self._calls = 0

    def __enter__(self) -> "Workers":
        return self

    def __exit__(self, *error: object) -> None:
        self._client = None
        self._open.close()

    def train(
        self, tasks: Sequence[Task], on_progress: OnProgress = lambda position, share: None
    ) -> Iterator[tuple[int, Frames]]:
        """Train tasks; give each one's position and results as it is done, in any order.

        `on_progress` is told a task's position and the share of it that is done.

        Raises:
            SpecError: No scheduler answers at the address.
            FinetuneError: Whatever a task raised.
        """
        if self._here:
            yield from _in_process(tasks, on_progress)
        elif tasks:
            if self._client is None:
                self._client = self._open.enter_context(_client(self._count, self._address))
            self._calls += 1
            topic = f"finetune-progress-{self._calls}"
            yield from _on_client(self._client, tasks, topic=topic, on_progress=on_progress)


def worker_count(wanted: int | None) -> int:
    """Give the number of worker processes: as wanted, else one a graphics card, else one a core.

    Training in the calling process, `wanted` 0, counts as one.
    """
    if wanted is not None:
        return max(wanted, 1)
    return _graphics_cards() or _cores()


def _cores() -> int:
    """Count the processor cores that this process may use, where the system tells."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@cache
def _graphics_cards() -> int:
    """Count the graphics cards that TensorFlow can use, asking it in a process of its own."""
    if not any(Path("/dev").glob("nvidia[0-9]*")):
        return 0
    ask = "import tensorflow as tf; print(len(tf.config.list_physical_devices('GPU')))"
    answer = subprocess.run([sys.executable, "-c", ask], capture_output=True, check=False)
    return int(answer.stdout or 0)


def _in_process(tasks: Sequence[Task], on_progress: OnProgress) -> Iterator[tuple[int, Frames]]:
    for name, value in _ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    for position, task in enumerate(tasks):

        def report(share: float, position: int = position) -> None:
            on_progress(position, share)

        yield position, engine(task.engine).train(task, report)


def _on_client(
    client: Client, tasks: Sequence[Task], *, topic: str, on_progress: OnProgress
) -> Iterator[tuple[int, Frames]]:
    client.subscribe_topic(topic, lambda event: on_progress(*event[1]))
    futures = [
        client.submit(_train, position, task, topic, pure=False, retries=0)
        for position, task in enumerate(tasks)
    ]
    try:
        done = as_completed(futures, with_results=True, loop=client.loop)
        yield from (result for _, result in done)
    except KilledWorker as error:
        raise EngineError(
            "workers: a worker process died again and again at one task, most likely for want "
            "of memory; what is finished is stored; give less to --memory or --workers"
        ) from error
    finally:
        client.unsubscribe_topic(topic)


def _train(position: int, task: Task, topic: str) -> tuple[int, Frames]:
    """Train one task; runs in a worker."""
    worker = get_worker()
    # Local workers are named 0, 1, ...: each sees the card of its number, where there are cards.
    if isinstance(worker.name, int):
        os.environ.setdefault("CUDA_VISIBLE_DEVICES", str(worker.name))

    def report(share: float) -> None:
        worker.log_event(topic, (position, share))

    return position, engine(task.engine).train(task, report)


@contextmanager
def _client(workers: int, address: str | None) -> Iterator[Client]:
    if address:
        with _connected(address) as client:
            yield client
        return
    settings: dict[str, Any] = {
        "distributed.nanny.pre-spawn-environ": _ENVIRONMENT,
        "distributed.logging.distributed": "critical",
    }
    with (
        config.set(settings),
        _local_cluster(workers) as cluster,
        Client(cluster, set_as_default=False) as client,
    ):
        yield client


def _local_cluster(workers: int) -> LocalCluster:
    with _interrupts_ignored():
        return LocalCluster(
            n_workers=workers,
            threads_per_worker=1,
            processes=True,
            memory_limit=0,
            host="127.0.0.1",
            dashboard_address="127.0.0.1:0",
            silence_logs=logging.CRITICAL,
        )


@contextmanager
def _interrupts_ignored() -> Iterator[None]:
    """Start processes that ignore Ctrl-C, which a terminal sends them too; the driver ends them."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _connected(address: str) -> Client:
    try:
        return Client(address, timeout=_CONNECTION_TIMEOUT, set_as_default=False)
    except (OSError, TimeoutError, ValueError) as error:
        raise SpecError(
            f"--dask: received {address!r}, where no scheduler answers ({error}); allowed is the "
            "address of a running Dask scheduler, as tcp://host:8786"
        ) from error
