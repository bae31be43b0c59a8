"""The small studies that are disturbed, and what tells that nothing of them was lost or changed."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from finetune.errors import StoreError
from finetune.store.results import ResultStore
from finetune.store.shards import shard_names

# Three variants with a claim, one of which stops early; few rows, so that real training is short.
OVERRIDES = (
    "data.args.n_samples=80",
    "model.hidden=[4]",
    "training.batch_size=16",
    "training.epochs=6",
    "vary=['init']",
    "seeds=9",
    "variants=[{name='cuts',reduce_lr={patience=1}},"
    "{name='cuts late',reduce_lr={patience=1,start_from_epoch=3}},"
    "{name='stops',early_stopping={patience=2}}]",
    "claim={treatment='cuts',control='cuts late'}",
    "search.trials=4",
    "search.seeds=2",
    "search.batch=2",
)


def command(name: str, folder: Path, *options: str) -> list[str]:
    """Give the arguments of a command that trains the study."""
    settings = [part for override in OVERRIDES for part in ("--set", override)]
    return [name, *settings, "--out", str(folder), *options]


@dataclass(frozen=True)
class Left:
    """What is in a study's folder.

    Attributes:
        runs: Recipe and seed of each run that is stored and can be read.
        trials: Search, number and setting of each trial that is stored.
        uncommitted: Shards of which only the first half is there.
        partial: Files that were being written.
        damaged: Whether a shard does not hold what was written.
        report: Whether there is a report.
    """

    runs: frozenset[tuple]
    trials: frozenset[tuple]
    uncommitted: int
    partial: int
    damaged: bool
    report: bool

    def lost_since(self, before: "Left") -> int:
        """Count what was stored before and cannot be read now."""
        gone = len(before.runs - self.runs) + len(before.trials - self.trials)
        return gone + (self.damaged and not before.damaged)


def left_in(folder: Path) -> Left:
    """Look into the folder of a study."""
    store = folder / "store"
    runs, epochs = (set(shard_names(store / part)) for part in ("runs", "epochs"))
    damaged = False
    try:
        ResultStore(store).check()
    except StoreError:
        damaged = True
    return Left(
        runs=_rows(store / "runs", ["recipe", "seed"]),
        trials=_rows(store / "trials", ["search", "factor", "patience", "start_from_epoch"]),
        uncommitted=len(epochs - runs),
        partial=len([*folder.rglob(".*.partial")]),
        damaged=damaged,
        report=(folder / "report.md").exists(),
    )


def _rows(part: Path, columns: Sequence[str]) -> frozenset[tuple]:
    rows = set()
    for name in shard_names(part):
        with suppress(OSError, pa.ArrowException):
            found = pq.read_table(part / name, columns=list(columns)).to_pylist()
            rows |= {tuple(row.values()) for row in found}
    return frozenset(rows)


def tables(folder: Path) -> dict[str, bytes]:
    """Give every number of a report: its tables and the verdict, by name."""
    files = [*sorted((folder / "tables").glob("*.csv")), folder / "verdict.json"]
    return {file.name: file.read_bytes() for file in files if file.exists()}
