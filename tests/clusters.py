"""Real Dask processes on this machine: a scheduler, and workers started in one way or other."""

import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from distributed import Client

from tests.processes import ROOT, SCRIPTS

_SECONDS_TO_START = 60


def free_address() -> str:
    """Return an address on which nothing listens."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return f"tcp://127.0.0.1:{one.getsockname()[1]}"


@contextmanager
def running(*command: str, log: Path, **environment: str) -> Iterator["subprocess.Popen[bytes]"]:
    """Run an installed command, its output in a file, until the block ends."""
    with log.open("ab") as output:
        process = subprocess.Popen(
            [SCRIPTS / command[0], *command[1:]],
            stdout=output,
            stderr=output,
            # Workers import what trains from the tests.
            env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
            start_new_session=True,
        )
    try:
        yield process
    finally:
        # Its own processes too: a nanny and the worker that it watches are two.
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def scheduler(address: str, log: Path):
    """Run a scheduler at an address."""
    port = address.rpartition(":")[2]
    return running(
        "dask", "scheduler", "--host", "127.0.0.1", "--port", port, "--no-dashboard", log=log
    )


def workers(address: str, log: Path, count: int = 2, *options: str):
    """Run workers as the README says."""
    command = ("finetune", "worker", address, "--workers", str(count), *options)
    return running(*command, log=log)


def foreign_worker(address: str, log: Path, *options: str, **environment: str):
    """Run a worker by Dask's own command."""
    return running("dask", "worker", address, "--no-dashboard", *options, log=log, **environment)


def worker_processes(address: str, count: int) -> dict[str, int]:
    """Return the process id of each worker by its address, once there are so many."""
    with Client(address, timeout="30s", set_as_default=False) as client:
        client.wait_for_workers(count, timeout=_SECONDS_TO_START)
        return dict(client.run(os.getpid))
