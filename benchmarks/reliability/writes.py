"""Kill -9 while a study, a search or a compaction writes; training is simulated."""

import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.reliability.events import Events
from benchmarks.reliability.forks import Outcome, start_fork
from benchmarks.reliability.parallel import run_until
from benchmarks.reliability.study import command, read_state, read_tables
from finetune.engines.registry import REFERENCE

# Seconds from the file operation that is drawn to the kill: within a write. A search goes on long
# after an operation, since SQLite writes its file without any that Python sees.
_DELAYS = {"study": (1e-4, 0.01), "compaction": (1e-4, 0.01), "search": (1e-4, 0.3)}

# A search takes some times longer than the others.
_COMMANDS = (*("study", "compaction", "study") * 3, "search")


@dataclass(frozen=True)
class Undisturbed:
    """What a command does undisturbed: its number of file operations, and the report's tables."""

    operations: int
    tables: dict[str, bytes]


def kill_while_writing(count: int, seed: int) -> Events:
    """Kill so often; return an event a process, those that came to their end too."""
    with tempfile.TemporaryDirectory() as scratch:
        expected = {
            name: run_undisturbed(name, Path(scratch) / name) for name in sorted(set(_COMMANDS))
        }

        def work(number: int) -> Events:
            name = _COMMANDS[number % len(_COMMANDS)]
            rng = np.random.default_rng([seed, number])
            folder = Path(scratch) / f"killed-{number}"
            if name == "compaction":
                shutil.copytree(Path(scratch) / "study", folder)
            try:
                return list(_kill_until_done(name, expected[name], folder, rng=rng))
            finally:
                shutil.rmtree(folder, ignore_errors=True)

        return run_until(work, count)


def arguments(name: str, folder: Path) -> list[str]:
    """Return the arguments of a command: that of a study, a search or a compaction."""
    if name == "compaction":
        return ["compact", str(folder)]
    if name == "search":
        return command("search", folder)
    # The reference engine trains a seed a task, so that there are many shards.
    return command("run", folder, "--engine", REFERENCE.name)


def run_undisturbed(name: str, folder: Path) -> Undisturbed:
    """Run a command to its end in a folder; a compaction is of a study that is run there first."""
    if name == "compaction":
        start_fork(arguments("study", folder), folder).wait()
    outcome = start_fork(arguments(name, folder), folder).wait()
    if outcome.code:
        raise RuntimeError(f"undisturbed, a {name} ends with {outcome.code}: {outcome.output}")
    return Undisturbed(outcome.operations, read_tables(folder))


def _kill_until_done(
    name: str, expected: Undisturbed, folder: Path, *, rng: np.random.Generator
) -> Iterator[dict]:
    """Kill a command at moments that are drawn, until it ends before its moment."""
    before, killed = read_state(folder), True
    while killed:
        # More of them early, where the store is written, than late, where the report is.
        first = 1 + int(expected.operations * rng.random() ** 2)
        fork = start_fork(arguments(name, folder), folder, first=first)
        fork.kill_after(_draw_delay(name, rng))
        outcome = fork.wait()
        after, killed = read_state(folder), outcome.killed
        errors = 0 if killed else _count_errors(name, outcome, folder, expected)
        yield {
            "kind": f"kill -9 amid a {name}",
            "tried": int(killed),
            "lost": after.lost_since(before),
            "errors": errors,
            "runs_stored": len(after.runs),
            "uncommitted": after.uncommitted,
            "partial": after.partial,
            "report": after.report,
            "output": outcome.output[-500:] if errors else "",
        }
        before = after


def _draw_delay(name: str, rng: np.random.Generator) -> float:
    """Draw seconds, evenly on a logarithmic scale."""
    least, most = np.log(_DELAYS[name])
    return float(np.exp(rng.uniform(least, most)))


def _count_errors(name: str, outcome: Outcome, folder: Path, expected: Undisturbed) -> int:
    """Return 1 where the command failed or the numbers differ from the undisturbed ones, else 0."""
    if not outcome.code and name == "compaction":
        outcome = start_fork(arguments("study", folder), folder).wait()
    return int(outcome.code != 0 or read_tables(folder) != expected.tables)
