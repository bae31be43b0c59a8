"""Work on all cores at once by forks of this process, its results in order."""

import multiprocessing
import os
from collections.abc import Callable
from itertools import count
from typing import Any

Rows = list[dict[str, Any]]

_work: Callable[[int], Rows] | None = None


def in_lanes(work: Callable[[int], Rows], *, until: int) -> Rows:
    """Do work number 0, 1, ... until their rows have tried so often; a row's "tried" is counted."""
    global _work  # noqa: PLW0603  a fork inherits it; it could not be sent
    _work = work
    rows: Rows = []
    lanes = os.cpu_count() or 1
    with multiprocessing.get_context("fork").Pool(lanes) as pool:
        for begin in count(step=4 * lanes):
            for found in pool.imap(_one, range(begin, begin + 4 * lanes)):
                rows += found
                if sum(row["tried"] for row in rows) >= until:
                    return rows
    return rows


def _one(number: int) -> Rows:
    assert _work
    return _work(number)
