"""Work on all cores by forks of this process, with the events in order."""

import multiprocessing
import os
import sys
from collections.abc import Callable, Iterable

from benchmarks.reliability.events import Events, failed, total

_PROCESSES = os.cpu_count() or 1
_work: Callable[[int], Events] | None = None


def run_parallel(work: Callable[[int], Events], numbers: Iterable[int]) -> Events:
    """Call `work` for each number; return all events, each with its number."""
    global _work  # noqa: PLW0603  a fork inherits it; a closure could not be sent
    _work = work
    events: Events = []
    with multiprocessing.get_context("fork").Pool(_PROCESSES) as pool:
        for some in pool.imap(_call, numbers):
            events += some
            # Shown at once: the whole takes minutes.
            for event in filter(lambda event: failed([event]), some):
                print(event, file=sys.stderr, flush=True)
    return events


def run_until(work: Callable[[int], Events], tried: int) -> Events:
    """Call `work` for 0, 1, ... until its events count so many attempts, or a few more."""
    events: Events = []
    while (done := total(events, "tried")) < tried:
        print(f"{done} of {tried}", file=sys.stderr, flush=True)
        start = max((event["number"] for event in events), default=-1) + 1
        events += run_parallel(work, range(start, start + 2 * _PROCESSES))
    return events


def _call(number: int) -> Events:
    assert _work
    return [{"number": number, **event} for event in _work(number)]
