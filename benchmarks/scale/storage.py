"""Measurements of a study's store: its size, its compaction, and what reading it takes."""

import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from finetune.store.compaction import compact
from finetune.store.results import ResultStore
from finetune.store.shards import count_rows

# The system's count of a process's own peak: that of `getrusage` begins with its parent's.
_REPORT = """
import re, sys, time
from pathlib import Path
from finetune.study import read_study
clock = time.perf_counter()
results = read_study(Path(sys.argv[1]))
spent = time.perf_counter() - clock
(peak,) = re.findall(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())
print(len(results.epochs), spent, 1024 * int(peak))
"""


@dataclass(frozen=True)
class Stored:
    """A store before and after compaction.

    Attributes:
        run_epochs: Epochs of runs in it, those that the report rests on besides included.
        runs: Rows of runs.
        shards: Before and after.
        bytes: Before and after.
        compaction: Seconds.
        checking: Seconds to see that every shard is sound, before and after.
    """

    run_epochs: int
    runs: int
    shards: tuple[int, int]
    bytes: tuple[int, int]
    compaction: float
    checking: tuple[float, float]


@dataclass(frozen=True)
class Analysed:
    """What a report took: its run-epochs, seconds, and the peak of the process's memory."""

    run_epochs: int
    seconds: float
    bytes: int


def store_of(study: Path, scratch: Path) -> Stored:
    """Compact a copy of a study's store and measure it."""
    copy = scratch / "copy"
    shutil.copytree(study / "store", copy)
    before = _checked(copy)
    clock = time.perf_counter()
    done = compact(copy, on_note=print)
    spent = time.perf_counter() - clock
    after = _checked(copy)
    epochs, runs = (count_rows(copy / part) for part in ("epochs", "runs"))
    shutil.rmtree(copy)
    return Stored(
        run_epochs=epochs,
        runs=runs,
        shards=(done.shards_before, done.shards_after),
        bytes=(done.bytes_before, done.bytes_after),
        compaction=spent,
        checking=(before, after),
    )


def report_of(study: Path) -> Analysed:
    """Write a study's report anew in a process of its own, and measure that."""
    answer = subprocess.run(
        [sys.executable, "-c", _REPORT, str(study)], check=True, capture_output=True, text=True
    )
    epochs, seconds, peak = answer.stdout.split()
    return Analysed(int(epochs), float(seconds), int(peak))


def _checked(folder: Path) -> float:
    clock = time.perf_counter()
    ResultStore(folder).check()
    return time.perf_counter() - clock
