"""Kill -9 while a study, a search or a compaction writes; training is made up and takes no time."""

import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.reliability.forked import Ended, begin
from benchmarks.reliability.lanes import in_lanes_until
from benchmarks.reliability.studies import Left, command, left_in, tables

# Seconds from the touch that is drawn to the kill: within a write. A search goes on long after a
# touch, since it writes its SQLite file without any that shows.
_DELAYS = {"study": (1e-4, 0.01), "compaction": (1e-4, 0.01), "search": (1e-4, 0.3)}

# A search takes some times longer than the others.
_PATHS = (*("study", "compaction", "study") * 3, "search")


@dataclass(frozen=True)
class Undisturbed:
    """What a path does where nothing disturbs it: how often it touches files, and its tables."""

    touches: int
    tables: dict[str, bytes]


def writes(count: int, seed: int) -> list[dict[str, Any]]:
    """Kill so often; give a row a process, those that came to their end too."""
    with tempfile.TemporaryDirectory() as scratch:
        known = {path: undisturbed(path, Path(scratch) / path) for path in sorted(set(_PATHS))}

        def campaign(number: int) -> list[dict[str, Any]]:
            path = _PATHS[number % len(_PATHS)]
            rng = np.random.default_rng([seed, number])
            folder = Path(scratch) / f"campaign-{number}"
            try:
                rows = list(_campaign(path, known[path], folder, start=Path(scratch), rng=rng))
                return [{"what": f"kill -9 amid a {path}", **row} for row in rows]
            finally:
                shutil.rmtree(folder, ignore_errors=True)

        return in_lanes_until(campaign, count)


def arguments(path: str, folder: Path) -> list[str]:
    """Give the arguments of a path's command."""
    if path == "compaction":
        return ["compact", str(folder)]
    # The reference engine trains a seed a task, so that there are many shards.
    engine = () if path == "search" else ("--engine", "keras")
    return command("search" if path == "search" else "run", folder, *engine)


def undisturbed(path: str, folder: Path) -> Undisturbed:
    """Run a path in a folder of its own, where compaction finds the study of the path before."""
    if path == "compaction":
        begin(arguments("study", folder), folder).end()
    ended = begin(arguments(path, folder), folder).end()
    if ended.code:
        raise RuntimeError(f"undisturbed, a {path} ends with {ended.code}: {ended.said}")
    return Undisturbed(ended.touches, tables(folder))


def _campaign(
    path: str, known: Undisturbed, folder: Path, *, start: Path, rng: np.random.Generator
) -> Iterator[dict[str, Any]]:
    """Kill a path at moments that are drawn, until it comes to its end before its moment."""
    if path == "compaction":
        shutil.copytree(start / "study", folder)
    before, killed = left_in(folder), True
    while killed:
        # More of them early, where the store is written, than late, where the report is.
        touch, delay = 1 + int(known.touches * rng.random() ** 2), _delay(path, rng)
        begun = begin(arguments(path, folder), folder, touch=touch)
        begun.kill_after(delay)
        ended = begun.end()
        after, killed = left_in(folder), ended.killed
        wrong = 0 if killed else _wrong(path, ended, folder, known)
        yield {"touch": touch, "delay_ms": 1000 * delay, **_row(ended, before, after, wrong=wrong)}
        before = after


def _delay(path: str, rng: np.random.Generator) -> float:
    least, most = np.log(_DELAYS[path])
    return float(np.exp(rng.uniform(least, most)))


def _wrong(path: str, ended: Ended, folder: Path, known: Undisturbed) -> int:
    """Tell whether the numbers are others than the undisturbed ones; 1 if so."""
    if not ended.code and path == "compaction":
        ended = begin(arguments("study", folder), folder).end()
    return int(ended.code != 0 or tables(folder) != known.tables)


def _row(ended: Ended, before: Left, after: Left, *, wrong: int) -> dict[str, Any]:
    """Give what is recorded of one process."""
    return {
        "tried": int(ended.killed),
        "lost": after.lost_since(before),
        "wrong": wrong,
        "code": ended.code,
        "runs_stored": len(after.runs),
        "trials_stored": len(after.trials),
        "uncommitted": after.uncommitted,
        "partial": after.partial,
        "report": after.report,
        "said": "" if ended.killed or not (wrong or ended.code) else ended.said[-500:],
    }
