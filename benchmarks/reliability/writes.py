"""Kill -9 while a study, a search or a compaction writes; training is made up and takes no time."""

import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.reliability.forked import Ended, forked
from benchmarks.reliability.lanes import in_lanes
from benchmarks.reliability.studies import Left, command, left_in, tables

# Mean seconds from the moment that is drawn to the kill: about what one write takes.
_MEAN_DELAY = 0.003

# A search takes some times longer than the others.
_PATHS = ("study", "compaction", "study", "compaction", "study", "search")


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
                return [{"what": f"kill -9 amid a {path}", "campaign": number, **r} for r in rows]
            finally:
                shutil.rmtree(folder, ignore_errors=True)

        return in_lanes(campaign, until=count)


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
        forked(arguments("study", folder), folder)
    ended = forked(arguments(path, folder), folder)
    if ended.code:
        raise RuntimeError(f"undisturbed, a {path} ends with {ended.code}: {ended.said}")
    return Undisturbed(ended.touches, dict(tables(folder)))


def _campaign(
    path: str, known: Undisturbed, folder: Path, *, start: Path, rng: np.random.Generator
) -> Iterator[dict[str, Any]]:
    """Kill a path at moments that are drawn, until it comes to its end before its moment."""
    if path == "compaction":
        shutil.copytree(start / "study", folder)
    before, killed = left_in(folder), True
    while killed:
        touch, delay = int(rng.integers(1, known.touches + 1)), rng.exponential(_MEAN_DELAY)
        ended = forked(arguments(path, folder), folder, touch=touch, kill_after=delay)
        after, killed = left_in(folder), ended.killed
        wrong = 0 if killed else _wrong(path, ended, folder, known)
        yield {"touch": touch, "delay_ms": 1000 * delay, **row(ended, before, after, wrong=wrong)}
        before = after


def _wrong(path: str, ended: Ended, folder: Path, known: Undisturbed) -> int:
    """Tell whether the numbers are others than the undisturbed ones; 1 if so."""
    if not ended.code and path == "compaction":
        ended = forked(arguments("study", folder), folder)
    return int(ended.code != 0 or tables(folder) != known.tables)


def row(ended: Ended, before: Left, after: Left, *, wrong: int) -> dict[str, Any]:
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
