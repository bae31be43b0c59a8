"""What a process that trains needs of its environment, and how many of them a machine holds."""

import os
import subprocess
import sys
from functools import cache
from pathlib import Path

# Below this malloc gives memory back at every step, which TensorFlow then asks for again.
# Dask's own setting is 64 KiB, which is 1.5 times slower.
_LEAST_TRIM_THRESHOLD = 2**20

# One thread a process: two threads in one process train hardly faster than one.
ENVIRONMENT = {
    "TF_NUM_INTRAOP_THREADS": "1",
    "TF_NUM_INTEROP_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "MALLOC_TRIM_THRESHOLD_": str(512 * 2**20),
}


def set_environment() -> None:
    """Prepare this process for training, where it is not said otherwise."""
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)


def shortcomings(threads: int) -> list[str]:
    """Say what slows training down in this process, in words that follow "the worker ...".

    Args:
        threads: How many tasks the worker would take at once.
    """
    found = []
    if threads > 1:
        found.append(f"has {threads} threads, of which one at a time trains")
    if os.environ.get("TF_NUM_INTRAOP_THREADS") != "1":
        found.append("lets TensorFlow use several threads")
    trim = os.environ.get("MALLOC_TRIM_THRESHOLD_", "")
    if trim.isdigit() and int(trim) < _LEAST_TRIM_THRESHOLD:
        found.append(f"has MALLOC_TRIM_THRESHOLD_={trim}")
    return found


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
