"""Several programs on one folder at once; training is simulated."""

import shutil
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.reliability.events import Events
from benchmarks.reliability.forks import Outcome, start_fork
from benchmarks.reliability.parallel import run_parallel
from benchmarks.reliability.study import command, read_tables
from finetune.engines.registry import REFERENCE

_FIRST = ("--engine", REFERENCE.name)
# Another study of the same folder, which shares runs with the first.
_SECOND = (*_FIRST, "--set", "variants.0.reduce_lr.patience=2")

_SECONDS_APART = 0.5


def run_concurrently(count: int, seed: int) -> Events:
    """Start two runs of a study, one of another and two compactions on a folder, so often."""
    with tempfile.TemporaryDirectory() as scratch:
        expected = {}
        for options in (_FIRST, _SECOND):
            folder = Path(scratch) / str(len(expected))
            start_fork(command("run", folder, *options), folder).wait()
            expected[options] = read_tables(folder)

        def work(number: int) -> Events:
            rng, folder = np.random.default_rng([seed, number]), Path(scratch) / f"all-{number}"
            # Every other time the first study has been trained before.
            if number % 2:
                shutil.copytree(Path(scratch) / "0", folder)
            try:
                return [_compare(folder, _run_at_once(folder, rng), expected)]
            finally:
                shutil.rmtree(folder, ignore_errors=True)

        return run_parallel(work, range(count))


def _run_at_once(folder: Path, rng: np.random.Generator) -> list[Outcome]:
    runs = [command("run", folder, *options) for options in (_FIRST, _FIRST, _SECOND)]
    commands = [*runs, ["compact", str(folder)], ["compact", str(folder)]]
    delays = rng.uniform(0, _SECONDS_APART, len(commands))
    forks = [start_fork(c, folder, delay=d) for c, d in zip(commands, delays, strict=True)]
    return [fork.wait() for fork in forks]


def _compare(folder: Path, outcomes: list[Outcome], expected: dict) -> dict[str, Any]:
    """Run both studies once more: nothing may be left to train, and the numbers must be right."""
    failures = [o.output for o in outcomes if o.code and not _met_no_store(o)]
    lost, errors = 0, len(failures)
    for options, tables in expected.items():
        again = start_fork(command("run", folder, *options), folder).wait()
        lost += " 0 to train" not in again.output
        errors += again.code != 0 or read_tables(folder) != tables
    kind, output = "five programs on one folder at once", "\n".join(failures)[-2000:]
    return {"kind": kind, "tried": 1, "lost": lost, "errors": errors, "output": output}


def _met_no_store(outcome: Outcome) -> bool:
    """Return whether a compaction began before there was a store."""
    return outcome.is_user_error and "holds no stored runs" in outcome.output
