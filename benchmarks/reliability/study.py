"""The small study that is disturbed, and what its folder holds before and after."""

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
    "claims=[{kind='underfits',treatment='cuts',control='cuts late'}]",
    "search.trials=4",
    "search.seeds=2",
    "search.batch=2",
)


def command(name: str, folder: Path, *options: str) -> list[str]:
    """Return the arguments of a command that trains the study."""
    settings = [argument for override in OVERRIDES for argument in ("--set", override)]
    return [name, *settings, "--out", str(folder), *options]


@dataclass(frozen=True)
class FolderState:
    """What a study's folder holds.

    Attributes:
        runs: Recipe and seed of each stored run that can be read.
        trials: Search and setting of each stored trial that can be read.
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

    def lost_since(self, before: "FolderState") -> int:
        """Count what was stored before and cannot be read now."""
        gone = len(before.runs - self.runs) + len(before.trials - self.trials)
        return gone + (self.damaged and not before.damaged)


def read_state(folder: Path) -> FolderState:
    """Read what the folder of a study holds."""
    store = folder / "store"
    runs, epochs = (set(shard_names(store / half)) for half in ("runs", "epochs"))
    damaged = False
    try:
        ResultStore(store).check()
    except StoreError:
        damaged = True
    return FolderState(
        runs=_read_rows(store / "runs", ["recipe", "seed"]),
        trials=_read_rows(store / "trials", ["search", "setting"]),
        uncommitted=len(epochs - runs),
        partial=len([*folder.rglob(".*.partial")]),
        damaged=damaged,
        report=(folder / "report.md").exists(),
    )


def _read_rows(shards: Path, columns: Sequence[str]) -> frozenset[tuple]:
    rows = set()
    for name in shard_names(shards):
        with suppress(OSError, pa.ArrowException):
            listed = pq.read_table(shards / name, columns=list(columns)).to_pylist()
            rows |= {tuple(row.values()) for row in listed}
    return frozenset(rows)


def read_tables(folder: Path) -> dict[str, bytes]:
    """Read every number of a report: its tables and the verdict, by file name."""
    files = [*sorted((folder / "tables").glob("*.csv")), folder / "verdict.json"]
    return {file.name: file.read_bytes() for file in files if file.exists()}
