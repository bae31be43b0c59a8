"""Progress as the command line shows it: a bar on a terminal and in a notebook, or plain lines."""

import time
from typing import TYPE_CHECKING, Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from finetune.execution import progress as execution

if TYPE_CHECKING:
    from finetune.cli.notebook_progress import NotebookBar

_SECONDS_BETWEEN_LINES = 10


class ProgressBar(execution.Progress):
    """Shows how many runs are done, the rate and the time left; a context, which ends the bar.

    Args:
        console: Where to; by default the standard error.
    """

    def __init__(self, console: Console | None = None):
        self._console = console or Console(stderr=True)
        self._bar: Progress | None = None
        self._below_cell: NotebookBar | None = None
        self._total = 0
        self._start = self._last = time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        if self._bar:
            self._bar.stop()

    def note(self, text: str) -> None:
        """Print a note above the bar."""
        self._console.print(text, highlight=False, soft_wrap=True)

    def begin(self, stored: int, missing: int) -> None:
        """Print what there is and begin to count."""
        # A command may train more than once: what went before is done.
        if self._bar:
            self._bar.stop()
            self._bar = None
        self._below_cell = None
        self._total = missing
        self._console.print(f"{stored} runs are stored, {missing} to train", highlight=False)
        self._start = self._last = time.monotonic()
        if missing and self._console.is_jupyter:
            from finetune.cli.notebook_progress import NotebookBar

            self._below_cell = NotebookBar(missing)
        elif missing and self._console.is_terminal:
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
        """Show that so many runs are done, a fraction where one is amid training."""
        now = time.monotonic()
        rate = f"{done / max(now - self._start, 1e-9):.1f} runs/s"
        if self._below_cell:
            self._below_cell.update(done)
        elif self._bar:
            self._bar.update(self._bar.task_ids[0], completed=done, rate=rate)
        elif not self._console.is_terminal and now - self._last >= _SECONDS_BETWEEN_LINES:
            self._last = now
            self._console.print(f"{done:.0f} of {self._total} runs, {rate}", highlight=False)
