"""Processes that are measured: the command line, and a Dask cluster on this machine."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from distributed import Client

_SECONDS_TO_START = 60


def start_finetune(*arguments: str, cwd: Path, **options: Any) -> "subprocess.Popen[str]":
    """Start `finetune ARGUMENTS`, its output in pipes; further options go to `Popen`."""
    command = [sys.executable, "-m", "finetune", *arguments]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, cwd=cwd, stdout=pipe, stderr=pipe, text=True, **options)


@contextmanager
def dask_cluster(workers: int, *, log: Path) -> Iterator[tuple[str, int]]:
    """Run a scheduler with workers, as the README starts them, until the block ends.

    Args:
        workers: How many, each a process of one thread.
        log: File for what they print.

    Yields:
        The scheduler's address and its process id, once all workers are there.
    """
    address = free_address()
    port = address.rpartition(":")[2]
    python = (sys.executable, "-m")
    local = ("--host", "127.0.0.1", "--port", port)
    scheduler = (*python, "dask", "scheduler", *local, "--no-dashboard")
    serve = (*python, "finetune", "worker", address, "--workers", str(workers))
    with running(scheduler, log=log) as process, running(serve, log=log):
        with Client(address, timeout="30s", set_as_default=False) as client:
            client.wait_for_workers(workers, timeout=_SECONDS_TO_START)
        yield address, process.pid


def free_address() -> str:
    """Return an address on which nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"tcp://127.0.0.1:{probe.getsockname()[1]}"


@contextmanager
def running(
    command: Sequence[str], *, log: Path, env: Mapping[str, str] | None = None
) -> Iterator["subprocess.Popen[bytes]"]:
    """Run a command, its output in a file, until the block ends.

    Its environment is this process's, unless `env` replaces it.
    """
    with log.open("ab") as output:
        process = subprocess.Popen(
            command, stdout=output, stderr=output, env=env, start_new_session=True
        )
    try:
        yield process
    finally:
        # The whole group: a worker and the nanny that watches it are two processes.
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
