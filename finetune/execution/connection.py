"""Dask's processes: a local cluster, a connection to a running one, a worker of one."""

import logging
import signal
import sys
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
from finetune.execution import local_worker
from finetune.execution.environment import (
    ENVIRONMENT,
    SAFE_PATH,
    safe_children,
    set_environment,
    worker_count,
)

_PRELOAD = "distributed.worker.preload"
_REQUIRE_ENCRYPTION = "distributed.comm.require-encryption"

# What every worker process starts with.
_WORKER_ENVIRONMENT = {"distributed.nanny.pre-spawn-environ": ENVIRONMENT | SAFE_PATH}

# Dask logs a lost connection at the highest level, with a traceback.
_SILENT = logging.CRITICAL + 1


@contextmanager
def local_cluster() -> Iterator[LocalCluster]:
    """Start a scheduler in this process, which answers on this machine alone; no workers yet.

    Raises:
        SpecError: Dask's configuration requires encryption.
    """
    _check_encryption("tcp://127.0.0.1", field="--workers", remedy="give --workers 0")
    settings: dict[str, Any] = {
        **_WORKER_ENVIRONMENT,
        _PRELOAD: [*_user_preloads(), local_worker.__name__],
        "distributed.logging.distributed": "critical",
        # It looks at what a worker does a hundred times a second, a twentieth of the training.
        "distributed.worker.profile.enabled": False,
    }
    with (
        safe_children(),
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


def _user_preloads() -> list[str]:
    """Return what the user's configuration has every worker load: a name, or a list of them."""
    wanted: str | list[str] = config.get(_PRELOAD, [])
    return [wanted] if isinstance(wanted, str) else wanted


def _check_encryption(address: str, *, field: str, remedy: str) -> None:
    """Check that Dask's configuration allows to talk to an address.

    Raises:
        SpecError: It requires encryption, and the address has none.
    """
    if config.get(_REQUIRE_ENCRYPTION, None) and not address.startswith("tls://"):
        raise SpecError(
            f"{field}: Dask's configuration has {_REQUIRE_ENCRYPTION}, which {address} does not "
            f"offer; allowed is an address that begins with tls://; {remedy}, or leave that out "
            "of the configuration"
        )


def workers_at(client: Client) -> int:
    """Count the workers that a scheduler has."""
    known: Any = client.scheduler_info(n_workers=-1)
    return len(known["workers"])


def scale_up(cluster: LocalCluster, client: Client, workers: int) -> None:
    """Start workers of a local cluster until it has so many.

    Raises:
        SpecError: Processes cannot load the program that starts them, and would never come.
    """
    if len(cluster.worker_spec) >= workers:
        return
    _check_program()
    with _interrupts_ignored():
        cluster.scale(workers)
        client.wait_for_workers(workers)


def _check_program() -> None:
    """Refuse a program without a file: a new process begins by loading that of the old one."""
    file = getattr(sys.modules["__main__"], "__file__", None) or ""
    if file.startswith("<"):
        raise SpecError(
            f"--workers: worker processes cannot load this program, which is {file}; allowed are "
            "programs in a file, notebooks, and 0 workers; save it as a file, or train in this "
            "process"
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


@contextmanager
def connected(address: str, *, timeout: str = "10s") -> Iterator[Client]:
    """Connect to a running scheduler.

    Raises:
        SpecError: none answers at the address, or Dask's configuration forbids it.
    """
    _check_encryption(address, field="--dask", remedy="start the scheduler with TLS")
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
        SpecError: the address is none, Dask's configuration forbids it, or `dask worker` does not
            know an option.
    """
    _check_encryption(address, field="worker", remedy="start the scheduler with TLS")
    set_environment()
    count = ["--nworkers", str(worker_count(workers)), "--nthreads", "1", "--memory-limit", "0"]
    arguments = [address, *count, "--no-dashboard", *options]
    try:
        get_address_host_port(address)
        with safe_children(), config.set(_WORKER_ENVIRONMENT):
            dask_worker.main.main(arguments, standalone_mode=False)
    except (ValueError, ClickException) as error:
        reason = (error.message if isinstance(error, ClickException) else str(error)).rstrip(".")
        raise SpecError(
            f"worker: {reason}; allowed are the address of a Dask scheduler, as "
            "tcp://host:8786, and the options of `dask worker`"
        ) from error
