"""Real Dask processes on this machine: a scheduler, and workers started in one way or other."""

import os
from pathlib import Path

from distributed import Client

from benchmarks.processes import running
from tests.processes import ROOT, SCRIPTS

_SECONDS_TO_START = 60


def _running(*command: str, log: Path, **environment: str):
    """Run an installed command, its output in a file, until the block ends."""
    # Workers import what trains from the tests.
    env = {**os.environ, "PYTHONPATH": str(ROOT), **environment}
    return running([str(SCRIPTS / command[0]), *command[1:]], log=log, env=env)


def scheduler(address: str, log: Path):
    """Run a scheduler at an address."""
    port = address.rpartition(":")[2]
    return _running(
        "dask", "scheduler", "--host", "127.0.0.1", "--port", port, "--no-dashboard", log=log
    )


def workers(address: str, log: Path, count: int = 2, *options: str):
    """Run workers as the README says."""
    command = ("finetune", "worker", address, "--workers", str(count), *options)
    return _running(*command, log=log)


def foreign_worker(address: str, log: Path, *options: str, **environment: str):
    """Run a worker by Dask's own command."""
    return _running("dask", "worker", address, "--no-dashboard", *options, log=log, **environment)


def worker_processes(address: str, count: int) -> dict[str, int]:
    """Return the process id of each worker by its address, once there are so many."""
    with Client(address, timeout="30s", set_as_default=False) as client:
        client.wait_for_workers(count, timeout=_SECONDS_TO_START)
        return dict(client.run(os.getpid))
