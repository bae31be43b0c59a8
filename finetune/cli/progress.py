"""Progress on the command line: a bar on a terminal, plain lines elsewhere."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

_SECONDS_BETWEEN_LINES = 10


class RunProgress:
    """Shows how many runs are done, the rate and the time left."""

    def __init__(self, console: Console):
        self._console = console
        self._bar: Progress | None = None
        self._total = 0
        self._start = self._last = time.monotonic()

    @contextmanager
    def shown(self) -> Iterator["RunProgress"]:
        """Show progress while the block runs."""
        try:
            yield self
        finally:
            if self._bar:
                self._bar.stop()

    def plan(self, stored: int, missing: int) -> None:
        """Say what there is and begin to count."""
        # A command may train more than once: what went before is done.
        if self._bar:
            self._bar.stop()
            self._bar = None
        self._total = missing
        self._console.print(f"{stored} runs are stored, {missing} to train", highlight=False)
        self._start = self._last = time.monotonic()
        if missing and self._console.is_terminal:
            self._bar = Progress(
                TextColumn("training"),
                BarColumn(),
                TextColumn("{task.completed:.0f}/{task.total:.0f} runs"),
                TextColumn("{task.fields[rate]}"),
                TimeElapsedColumn(),
                TextColumn("left"),
                TimeRemainingColumn(),
                console=self._console,
            )
            self._bar.add_task("training", total=missing, rate="")
            self._bar.start()

    def update(self, done: float) -> None:
        """Show that this many runs are done; parts of runs count."""
        now = time.monotonic()
        rate = f"{done / max(now - self._start, 1e-9):.1f} runs/s"
        if self._bar:
            self._bar.update(self._bar.task_ids[0], completed=done, rate=rate)
        elif not self._console.is_terminal and now - self._last >= _SECONDS_BETWEEN_LINES:
            self._last = now
            self._console.print(f"{done:.0f} of {self._total} runs, {rate}", highlight=False)
