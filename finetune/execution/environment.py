"""What a process that trains needs of its environment, and how many of them a machine holds."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

# Where this is set, as Dask sets it for its workers, malloc no longer learns which sizes are asked
# for again and again: at every step the memory of large tensors goes back to the system and is
# fetched anew. Training then took half as long again.
_TRIM_THRESHOLD = "MALLOC_TRIM_THRESHOLD_"

# One thread a process: two threads in one process train hardly faster than one.
ENVIRONMENT = {
    "TF_NUM_INTRAOP_THREADS": "1",
    "TF_NUM_INTEROP_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "TF_CPP_MIN_LOG_LEVEL": "3",
}

# Python puts the current folder first on the path of a process that it starts with code or a
# module, and a study's folder may hold a `threading.py`.
SAFE_PATH = {"PYTHONSAFEPATH": "1"}


@contextmanager
def safe_children() -> Iterator[None]:
    """Start processes in the block without the current folder on their path.

    Processes of `multiprocessing` get this one's path too, in which "" is the current folder.
    """
    before = {name: os.environ.get(name) for name in SAFE_PATH}
    path = list(sys.path)
    os.environ.update(SAFE_PATH)
    sys.path[:] = [folder for folder in path if folder]
    try:
        yield
    finally:
        # What the user added in the block stays.
        added = [folder for folder in sys.path if folder not in path]
        sys.path[:] = [*path, *added]
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def set_environment() -> None:
    """Prepare this process for training; what the user has set stays."""
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)


def shortcomings(threads: int) -> list[str]:
    """Return what slows training down in this process, in words that follow "the worker ...".

    Args:
        threads: How many tasks the worker would take at once.
    """
    found = []
    if threads > 1:
        found.append(f"has {threads} threads, of which one at a time trains")
    if os.environ.get("TF_NUM_INTRAOP_THREADS") != "1":
        found.append("lets TensorFlow use several threads")
    if _TRIM_THRESHOLD in os.environ:
        found.append(f"has {_TRIM_THRESHOLD}={os.environ[_TRIM_THRESHOLD]}")
    return found


@cache
def graphics_cards(devices: Path = Path("/dev")) -> int:
    """Count the graphics cards that TensorFlow can use, asking it in a process of its own.

    It is asked only where the folder of devices has one of Nvidia's.
    """
    if not any(devices.glob("nvidia[0-9]*")):
        return 0
    count = "import tensorflow as tf; print(len(tf.config.list_physical_devices('GPU')))"
    with safe_children():
        answer = subprocess.run([sys.executable, "-c", count], capture_output=True, check=False)
    return int(answer.stdout or 0)


def worker_count(wanted: int | None, *, cards: Callable[[], int] = graphics_cards) -> int:
    """Return the number of worker processes: as wanted, else one a graphics card, else one a core.

    Args:
        wanted: By the user; 0 trains in the calling process, which counts as one.
        cards: Counts the graphics cards.
    """
    if wanted is not None:
        return max(wanted, 1)
    return cards() or _cores()


def _cores() -> int:
    """Count the processor cores that this process may use, where the system tells."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
