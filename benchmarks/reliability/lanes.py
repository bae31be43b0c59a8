"""Work on all cores at once by forks of this process, its results in order."""

import multiprocessing
import os
import sys
from collections.abc import Callable, Iterable
from typing import Any

Rows = list[dict[str, Any]]

_LANES = os.cpu_count() or 1
_work: Callable[[int], Rows] | None = None


def in_lanes(work: Callable[[int], Rows], numbers: Iterable[int]) -> Rows:
    """Do the work of each number, to the end of all."""
    global _work  # noqa: PLW0603  a fork inherits it; it could not be sent
    _work = work
    rows: Rows = []
    with multiprocessing.get_context("fork").Pool(_LANES) as pool:
        for found in pool.imap(_one, numbers):
            rows += found
            _tell(found)
    return rows


def in_lanes_until(work: Callable[[int], Rows], tried: int) -> Rows:
    """Do the work of 0, 1, ... until its rows have tried so often, or a little more often."""
    rows: Rows = []
    while (done := sum(row["tried"] for row in rows)) < tried:
        print(f"{done} of {tried}", file=sys.stderr, flush=True)
        begin = max((row["number"] for row in rows), default=-1) + 1
        rows += in_lanes(work, range(begin, begin + 2 * _LANES))
    return rows


def _one(number: int) -> Rows:
    assert _work
    return [{"number": number, **row} for row in _work(number)]


def _tell(rows: Rows) -> None:
    """Say at once what was lost or is wrong."""
    for row in rows:
        if row["lost"] or row["wrong"]:
            print(row, file=sys.stderr, flush=True)
