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
from finetune.studies.run import read_study
clock = time.perf_counter()
results = read_study(Path(sys.argv[1]))
spent = time.perf_counter() - clock
(peak,) = re.findall(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())
print(len(results.epochs), spent, 1024 * int(peak))
"""


@dataclass(frozen=True)
class StoreCost:
    """A store before and after compaction.

    Attributes:
        run_epochs: Epochs of runs in it, those of the checks included.
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
class ReportCost:
    """What a report took: its run-epochs, seconds, and the peak of the process's memory."""

    run_epochs: int
    seconds: float
    bytes: int


def measure_store(study: Path, scratch: Path) -> StoreCost:
    """Compact a copy of a study's store and measure it."""
    copy = scratch / "copy"
    shutil.copytree(study / "store", copy)
    before = _checking_seconds(copy)
    clock = time.perf_counter()
    done = compact(copy, on_note=print)
    spent = time.perf_counter() - clock
    after = _checking_seconds(copy)
    epochs, runs = (count_rows(copy / half) for half in ("epochs", "runs"))
    shutil.rmtree(copy)
    return StoreCost(
        run_epochs=epochs,
        runs=runs,
        shards=(done.shards_before, done.shards_after),
        bytes=(done.bytes_before, done.bytes_after),
        compaction=spent,
        checking=(before, after),
    )


def measure_report(study: Path) -> ReportCost:
    """Write a study's report anew in a process of its own, and measure that."""
    command = [sys.executable, "-c", _REPORT, str(study)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    epochs, seconds, peak = done.stdout.split()
    return ReportCost(int(epochs), float(seconds), int(peak))


def _checking_seconds(store: Path) -> float:
    clock = time.perf_counter()
    ResultStore(store).check()
    return time.perf_counter() - clock
