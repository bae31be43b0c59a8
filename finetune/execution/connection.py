"""Dask's processes: a local cluster, a connection to a running one, a worker of one."""

import logging
import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, cast

from click import ClickException
from dask import config
from distributed import Client, LocalCluster
from distributed.cli import dask_worker
from distributed.comm.addressing import get_address_host_port

from finetune.errors import SpecError
from finetune.execution.environment import ENVIRONMENT, set_environment, worker_count

# Dask logs a lost connection at the highest level, with a traceback.
_SILENT = logging.CRITICAL + 1


@contextmanager
def local_cluster() -> Iterator[LocalCluster]:
    """Start a scheduler in this process, which answers on this machine alone; no workers yet."""
    settings: dict[str, Any] = {
        "distributed.nanny.pre-spawn-environ": ENVIRONMENT,
        "distributed.logging.distributed": "critical",
    }
    with (
        config.set(settings),
        LocalCluster(
            n_workers=0,
            threads_per_worker=1,
            processes=True,
            memory_limit=0,
            host="127.0.0.1",
            dashboard_address="127.0.0.1:0",
            silence_logs=_SILENT,
        ) as cluster,
    ):
        # Without `asynchronous` it is no coroutine, which its types do not say.
        yield cast(LocalCluster, cluster)


def workers_at(client: Client) -> int:
    """Count the workers that a scheduler has."""
    known: Any = client.scheduler_info(n_workers=-1)
    return len(known["workers"])


def scale_up(cluster: LocalCluster, client: Client, workers: int) -> None:
    """Start workers of a local cluster until it has so many."""
    if len(cluster.worker_spec) >= workers:
        return
    with _interrupts_ignored():
        cluster.scale(workers)
        client.wait_for_workers(workers)


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


@contextmanager
def connected(address: str, *, timeout: str = "10s") -> Iterator[Client]:
    """Connect to a running scheduler.

    Raises:
        SpecError: none answers at the address.
    """
    # What matters of it becomes an error in one line.
    for handler in logging.getLogger("distributed").handlers:
        handler.setLevel(_SILENT)
    try:
        # First, since a client that cannot read its address is slow to end.
        get_address_host_port(address)
        client = Client(address, timeout=timeout, set_as_default=False)
    except (OSError, TimeoutError, ValueError) as error:
        raise SpecError(
            f"--dask: received {address!r}, where no scheduler answers ({error}); allowed is the "
            "address of a running Dask scheduler, as tcp://host:8786"
        ) from error
    with client:
        yield client


def serve(address: str, *, workers: int | None, options: Sequence[str] = ()) -> None:
    """Start workers for a scheduler, with the environment that training needs; return at the end.

    Args:
        address: Of the scheduler.
        workers: Processes, single-threaded; default one a core.
        options: Further ones of `dask worker`.

    Raises:
        SpecError: the address is none, or `dask worker` does not know an option.
    """
    set_environment()
    count = ["--nworkers", str(worker_count(workers)), "--nthreads", "1", "--memory-limit", "0"]
    arguments = [address, *count, "--no-dashboard", *options]
    try:
        get_address_host_port(address)
        with config.set({"distributed.nanny.pre-spawn-environ": ENVIRONMENT}):
            dask_worker.main.main(arguments, standalone_mode=False)
    except (ValueError, ClickException) as error:
        reason = (error.message if isinstance(error, ClickException) else str(error)).rstrip(".")
        raise SpecError(
            f"worker: {reason}; allowed are the address of a Dask scheduler, as "
            "tcp://host:8786, and the options of `dask worker`"
        ) from error
