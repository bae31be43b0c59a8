"""Processes that are measured: the command line, and a Dask cluster on this machine."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
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
    address = _free_address()
    port = address.rpartition(":")[2]
    scheduler = ("dask", "scheduler", "--host", "127.0.0.1", "--port", port, "--no-dashboard")
    serve = ("finetune", "worker", address, "--workers", str(workers))
    with _running(*scheduler, log=log) as process, _running(*serve, log=log):
        with Client(address, timeout="30s", set_as_default=False) as client:
            client.wait_for_workers(workers, timeout=_SECONDS_TO_START)
        yield address, process.pid


def _free_address() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"tcp://127.0.0.1:{probe.getsockname()[1]}"


@contextmanager
def _running(module: str, *arguments: str, log: Path) -> Iterator["subprocess.Popen[bytes]"]:
    command = [sys.executable, "-m", module, *arguments]
    with log.open("ab") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, start_new_session=True)
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
