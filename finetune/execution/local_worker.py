"""What Dask loads in every local worker process as it starts; it calls `dask_setup`."""

import atexit
import os

from distributed import Worker


def dask_setup(worker: Worker) -> None:
    """Let this process end without taking apart what it has loaded.

    For TensorFlow Python does that for more than a second, and nothing of it is needed: results
    are stored, and the worker is closed. What is registered later still runs before.
    """
    atexit.register(os._exit, 0)
