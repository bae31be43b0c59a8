"""Progress below a notebook's cell: a bar that works wherever a notebook shows HTML."""

import time
from typing import Any

from IPython.display import HTML, display

# A notebook keeps up with a few changes a second.
_SECONDS_BETWEEN = 0.2


class NotebookBar:
    """A bar below the cell that is running; it stays there as it last was.

    Args:
        total: Number of runs to train.
    """

    def __init__(self, total: int):
        self._total = total
        self._start = time.monotonic()
        self._last = 0.0
        self._shown: Any = display(self._bar(0), display_id=True)

    def update(self, done: float) -> None:
        """Show that so many runs are done; the last is shown at once."""
        now = time.monotonic()
        if done >= self._total or now - self._last >= _SECONDS_BETWEEN:
            self._last = now
            self._shown.update(self._bar(done))

    def _bar(self, done: float) -> HTML:
        passed = time.monotonic() - self._start
        left = passed * (self._total - done) / done if done else 0
        words = f"{done:.0f}/{self._total} runs, {passed:.0f} s" + (
            f", {left:.0f} s left" * (left > 0)
        )
        return HTML(f'<progress value="{done:.2f}" max="{self._total}"></progress> {words}')
