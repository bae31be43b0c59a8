"""Kill -9 real programs that really train: all of their processes, the first one or a worker."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from benchmarks.reliability.lanes import in_lanes, in_lanes_until
from benchmarks.reliability.studies import command, left_in, tables
from tests.processes import finetune, start

# By either engine, in the calling process or in worker processes of its own.
_WAYS = (
    ("--seeds", "6", "--engine", "keras", "--workers", "0"),
    ("--seeds", "6", "--workers", "2"),
    ("--seeds", "6", "--engine", "keras", "--workers", "2"),
)
_VICTIMS = ("all processes", "the first process", "a worker")
# Of the time that an undisturbed program takes; before that it only loads.
_SHARES = (0.25, 1.0)
_SECONDS_AT_MOST = 300


def kills(count: int, seed: int) -> list[dict[str, Any]]:
    """Kill so often; give a row a process, those that came to their end too."""
    with tempfile.TemporaryDirectory() as scratch:
        known = _undisturbed(Path(scratch))

        def campaign(number: int) -> list[dict[str, Any]]:
            way = number % len(_WAYS)
            rng, folder = np.random.default_rng([seed, number]), Path(scratch) / f"killed-{number}"
            rows = list(_campaign(way, folder, rng, *known[way]))
            shutil.rmtree(folder, ignore_errors=True)
            return [{"what": "kill -9 of `finetune run`", **row} for row in rows]

        return in_lanes_until(campaign, count)


def _undisturbed(scratch: Path) -> list[tuple[float, dict[str, bytes]]]:
    """Give, for each way to train, the seconds that it takes and its tables."""

    def one(way: int) -> list[dict[str, Any]]:
        clock, folder = time.perf_counter(), scratch / f"way-{way}"
        done = finetune(*command("run", folder, *_WAYS[way]), cwd=scratch)
        if done.returncode:
            raise RuntimeError(f"undisturbed, a study ends with {done.returncode}: {done.stderr}")
        return [{"seconds": time.perf_counter() - clock, "lost": 0, "wrong": 0}]

    rows = in_lanes(one, range(len(_WAYS)))
    return [(row["seconds"], tables(scratch / f"way-{row['number']}")) for row in rows]


def _campaign(
    way: int, folder: Path, rng: np.random.Generator, seconds: float, known: dict[str, bytes]
) -> Iterator[dict[str, Any]]:
    """Run a study, killed at moments that are drawn, until it comes to its end."""
    folder.mkdir()
    before, code = left_in(folder), None
    while code != 0:
        victim, after = _VICTIMS[rng.integers(len(_VICTIMS))], seconds * rng.uniform(*_SHARES)
        arguments = command("run", folder, *_WAYS[way])
        process = start(*arguments, cwd=folder, start_new_session=True)
        struck = _strike(process, victim, after, rng)
        said, code, stayed = _end(process)
        now = left_in(folder)
        # Killed on purpose, or done: whatever else it ends with is wrong.
        sound = code == 0 or (code == -signal.SIGKILL and struck)
        wrong = not sound or stayed or (code == 0 and tables(folder) != known)
        yield {
            "way": " ".join(_WAYS[way]),
            "victim": struck,
            "after_seconds": after,
            "tried": int(bool(struck)),
            "lost": now.lost_since(before),
            "wrong": int(wrong),
            "code": code,
            "runs_before": len(before.runs),
            "runs_stored": len(now.runs),
            "uncommitted": now.uncommitted,
            "partial": now.partial,
            "report": now.report,
            "said": said[-500:] if wrong else "",
        }
        if not sound:
            return
        before = now


def _strike(
    process: subprocess.Popen[str], victim: str, after: float, rng: np.random.Generator
) -> str:
    """Kill after so many seconds; give whom, "" where the program was done before."""
    try:
        process.wait(after)
        return ""
    except subprocess.TimeoutExpired:
        pass
    workers = _workers(process.pid)
    if victim == "a worker" and workers:
        workers[rng.integers(len(workers))].kill()
    elif victim == "the first process" and workers:
        process.kill()
    else:
        victim = "all processes"
        os.killpg(process.pid, signal.SIGKILL)
    return victim


def _workers(pid: int) -> list[psutil.Process]:
    """Give the processes that train for another; none where it trains itself."""
    try:
        found = psutil.Process(pid).children(recursive=True)
        return [child for child in found if "spawn_main" in " ".join(child.cmdline())]
    except psutil.Error:
        return []


def _end(process: subprocess.Popen[str]) -> tuple[str, int, bool]:
    """Wait for the end; give what was said, the exit code, and whether a process stayed behind."""
    try:
        # The pipe is closed once the last process of the group has ended.
        _, said = process.communicate(timeout=_SECONDS_AT_MOST)
        return said, process.returncode, False
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        _, said = process.communicate()
        return said, process.returncode, True
