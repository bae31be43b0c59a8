"""Progress of a measurement on the standard error."""

import sys
import time
from collections.abc import Callable

Log = Callable[[str], None]


def elapsed_log() -> Log:
    """Return a function that prints a line with the seconds since this call before it."""
    started = time.perf_counter()

    def log(text: str) -> None:
        print(f"{time.perf_counter() - started:6.0f} s  {text}", file=sys.stderr, flush=True)

    return log
