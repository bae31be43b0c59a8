"""Fewer and larger shards: what a store of many tasks is turned into."""

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
from pandas.util import hash_pandas_object

from finetune.errors import StoreError
from finetune.store.atomic import is_abandoned
from finetune.store.results import ResultStore
from finetune.store.schema import MADE_BY
from finetune.store.shards import damage, encoded, shard_names

# The folders in which a shard has a file each. Runs come first: epochs without them are not read.
_TABLES = ("runs", "epochs")

# A shard is made in memory, where it takes some ten times its size on disk.
_MOST_BYTES = 64 * 2**20


@dataclass(frozen=True)
class Compacted:
    """How many shards and bytes there were, and how many there are now."""

    shards_before: int
    shards_after: int
    bytes_before: int
    bytes_after: int


def compact(
    folder: Path, *, most_bytes: int = _MOST_BYTES, on_note: Callable[[str], None]
) -> Compacted:
    """Merge the shards of a store, each run once, into shards of about `most_bytes`.

    It may be killed at any moment, and programs may train into the folder meanwhile: a shard is
    removed once what it held is in another.

    Args:
        folder: The store's.
        most_bytes: Of the shards that are merged into one.
        on_note: Called with what a user should know of the shards.

    Raises:
        StoreError: the folder holds no store, or cannot be written.
    """
    store = ResultStore(folder)
    if not (folder / "runs").is_dir():
        raise StoreError(
            f"DIR: {str(folder.parent)!r} holds no stored runs; allowed is a folder that "
            "`finetune run`, `map` or `search` wrote"
        )
    store.open(on_note)
    before = _sizes(folder)
    try:
        _merge_all(store, most_bytes)
        _remove_uncommitted(folder, on_note)
    except OSError as error:
        raise StoreError(
            f"DIR: cannot compact {str(folder)!r}: {error.strerror or error}; every run is kept; "
            "mend that, and compact again"
        ) from error
    after = _sizes(folder)
    return Compacted(before[0], after[0], before[1], after[1])


def _merge_all(store: ResultStore, most_bytes: int) -> None:
    folder = store.folder
    names_at_first = shard_names(folder / "runs")
    try:
        for names in _groups(folder, most_bytes):
            merged = store.write_files(*(_merged(folder / table, names) for table in _TABLES))
            _check_merged(folder, merged, names)
            for table in _TABLES:
                for name in set(names) - {merged}:
                    (folder / table / name).unlink(missing_ok=True)
    except FileNotFoundError as error:
        if shard_names(folder / "runs") == names_at_first:
            raise StoreError(
                f"store: cannot read a shard: {str(error).splitlines()[0]}; run the study again: "
                "`finetune run` sets the shard aside and trains anew what it held"
            ) from error
        # Another compaction at the same time has merged some of these.
        _merge_all(store, most_bytes)


def _check_merged(folder: Path, merged: str, names: Sequence[str]) -> None:
    """Check, as the disk has them, that a merged shard's tables hold each row of the others.

    Raises:
        StoreError: they do not.
        FileNotFoundError: another compaction has removed one of them.
    """
    reason = damage(merged, [folder / table for table in _TABLES])
    for table in _TABLES if not reason else ():
        held = _row_keys(folder / table / merged)
        if not all(np.isin(_row_keys(folder / table / name), held).all() for name in names):
            reason = f"it lacks {table} of the shards that it was merged from"
    if reason and not (folder / "runs" / merged).exists():
        # Another compaction at the same time has merged it once more.
        raise FileNotFoundError(merged)
    if reason:
        raise StoreError(
            f"store: the merged shard {merged} is damaged: {reason}; the shards it was merged from "
            "are kept; run the study again: `finetune run` sets the merged one aside"
        )


def _row_keys(file: Path) -> np.ndarray:
    """Return a digest of what identifies each row, (row,)."""
    frame = pq.read_table(file, columns=_key(pq.read_schema(file).names)).to_pandas(
        ignore_metadata=True
    )
    return hash_pandas_object(frame, index=False).to_numpy()  # pyright: ignore[reportCallIssue]


def _key(columns: Sequence[str]) -> list[str]:
    return [name for name in ("recipe", "seed", "epoch") if name in columns]


def _groups(folder: Path, most_bytes: int) -> Iterator[list[str]]:
    """Return the names of shards to merge: those that are not large, of one kind each."""
    open_groups: dict[Hashable, list[str]] = defaultdict(list)
    sizes: dict[Hashable, int] = defaultdict(int)
    for name in shard_names(folder / "runs"):
        size = _size(folder, name)
        if size > most_bytes / 2:
            continue
        kind = _kind(folder / "epochs" / name)
        open_groups[kind].append(name)
        sizes[kind] += size
        if sizes[kind] >= most_bytes:
            yield open_groups.pop(kind)
            sizes[kind] = 0
    yield from (names for names in open_groups.values() if len(names) > 1)


def _kind(file: Path) -> Hashable:
    """Return what shards must have in common to be one: columns, precision, who made them."""
    schema = pq.read_schema(file)
    return (*schema.names, str(schema.field("loss").type), (schema.metadata or {}).get(MADE_BY))


def _merged(folder: Path, names: Sequence[str]) -> bytes:
    tables = [pq.read_table(folder / name) for name in names]
    made_by = (tables[0].schema.metadata or {}).get(MADE_BY)
    frame = pd.concat(
        [table.to_pandas(ignore_metadata=True) for table in tables], ignore_index=True
    )
    texts = frame.select_dtypes(exclude="number").columns
    key = _key(list(frame))
    # pandas makes floats of whole numbers with gaps.
    gaps = {"first_reduction_epoch": "Int64"}
    frame = frame.astype({name: kind for name, kind in gaps.items() if name in frame})
    frame = frame.astype(dict.fromkeys(texts, "str")).drop_duplicates(key)
    frame = frame.sort_values(key, ignore_index=True)
    return encoded(frame.astype(dict.fromkeys(texts, "category")), made_by=made_by)


def _remove_uncommitted(folder: Path, on_note: Callable[[str], None]) -> None:
    committed = set(shard_names(folder / "runs"))
    left = [
        file
        for file in (folder / "epochs").glob("*.parquet")
        if file.name not in committed and file.is_file() and is_abandoned(file)
    ]
    for file in left:
        file.unlink(missing_ok=True)
    if left:
        on_note(
            f"Removed {len(left)} files of epochs without runs, left by programs that were killed"
        )


def _sizes(folder: Path) -> tuple[int, int]:
    """Return the number of shards and their bytes."""
    names = shard_names(folder / "runs")
    return len(names), sum(_size(folder, name) for name in names)


def _size(folder: Path, name: str) -> int:
    size = 0
    for table in _TABLES:
        # Another compaction may have removed it.
        with suppress(FileNotFoundError):
            size += (folder / table / name).stat().st_size
    return size
