"""Kill -9 real programs that really train: all of their processes, the first one or a worker."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import psutil

from benchmarks.processes import start_finetune
from benchmarks.reliability.events import Events
from benchmarks.reliability.parallel import run_parallel, run_until
from benchmarks.reliability.study import command, read_state, read_tables
from finetune.engines.registry import REFERENCE

# By either engine, in the calling process or in worker processes.
_MODES = (
    ("--seeds", "6", "--engine", REFERENCE.name, "--workers", "0"),
    ("--seeds", "6", "--workers", "2"),
    ("--seeds", "6", "--engine", REFERENCE.name, "--workers", "2"),
)
_TARGETS = ("all processes", "the first process", "a worker")
# Of the time that an undisturbed program takes; before that it only loads.
_SHARES = (0.25, 1.0)
_MAX_SECONDS = 300


def kill_training(count: int, seed: int) -> Events:
    """Kill so often; return an event a process, those that came to their end too."""
    with tempfile.TemporaryDirectory() as scratch:
        expected = _run_undisturbed(Path(scratch))

        def work(number: int) -> Events:
            mode = number % len(_MODES)
            rng, folder = np.random.default_rng([seed, number]), Path(scratch) / f"killed-{number}"
            events = list(_kill_until_done(mode, folder, rng, *expected[mode]))
            shutil.rmtree(folder, ignore_errors=True)
            return events

        return run_until(work, count)


def _run_undisturbed(scratch: Path) -> list[tuple[float, dict[str, bytes]]]:
    """Return, for each mode, the seconds that it takes undisturbed, and its tables."""

    def work(mode: int) -> Events:
        clock, folder = time.perf_counter(), scratch / f"mode-{mode}"
        process = start_finetune(*command("run", folder, *_MODES[mode]), cwd=scratch)
        _, output = process.communicate()
        if process.returncode:
            raise RuntimeError(f"undisturbed, a study ends with {process.returncode}: {output}")
        return [{"seconds": time.perf_counter() - clock, "lost": 0, "errors": 0}]

    events = run_parallel(work, range(len(_MODES)))
    return [
        (event["seconds"], read_tables(scratch / f"mode-{event['number']}")) for event in events
    ]


def _kill_until_done(
    mode: int, folder: Path, rng: np.random.Generator, seconds: float, tables: dict[str, bytes]
) -> Iterator[dict]:
    """Run a study, killed at moments that are drawn, until it comes to its end."""
    folder.mkdir()
    before, code = read_state(folder), None
    while code != 0:
        target, delay = _TARGETS[rng.integers(len(_TARGETS))], seconds * rng.uniform(*_SHARES)
        arguments = command("run", folder, *_MODES[mode])
        process = start_finetune(*arguments, cwd=folder, start_new_session=True)
        killed = _kill_after(delay, process, target, rng)
        output, code, stuck = _wait(process)
        after = read_state(folder)
        # Killed on purpose, or done: any other end is an error.
        sound = code == 0 or (code == -signal.SIGKILL and killed)
        error = not sound or stuck or (code == 0 and read_tables(folder) != tables)
        yield {
            "kind": "kill -9 of `finetune run`",
            "tried": int(killed),
            "lost": after.lost_since(before),
            "errors": int(error),
            "runs_stored": len(after.runs),
            "uncommitted": after.uncommitted,
            "partial": after.partial,
            "report": after.report,
            "output": output[-500:] if error else "",
        }
        if not sound:
            return
        before = after


def _kill_after(
    seconds: float, process: subprocess.Popen[str], target: str, rng: np.random.Generator
) -> bool:
    """Kill the target after so many seconds; return whether the program still ran then."""
    try:
        process.wait(seconds)
        return False
    except subprocess.TimeoutExpired:
        pass
    workers = _workers(process.pid)
    if target == "a worker" and workers:
        workers[rng.integers(len(workers))].kill()
    elif target == "the first process" and workers:
        process.kill()
    else:
        os.killpg(process.pid, signal.SIGKILL)
    return True


def _workers(pid: int) -> list[psutil.Process]:
    """Return the worker processes of a program; none where it trains itself."""
    try:
        children = psutil.Process(pid).children(recursive=True)
        return [child for child in children if "spawn_main" in " ".join(child.cmdline())]
    except psutil.Error:
        return []


def _wait(process: subprocess.Popen[str]) -> tuple[str, int, bool]:
    """Wait for the end; return errors printed, exit code, and whether a process had to be ended."""
    stuck = False
    try:
        # The pipe is closed once the last process of the group has ended.
        _, output = process.communicate(timeout=_MAX_SECONDS)
    except subprocess.TimeoutExpired:
        stuck = True
        os.killpg(process.pid, signal.SIGKILL)
        _, output = process.communicate()
    return output, process.returncode, stuck
