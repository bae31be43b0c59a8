"""The Parquet files of a store: how they are named, written and read."""

import hashlib
import io
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq

from finetune.errors import StoreError
from finetune.spec.metrics import further_columns
from finetune.spec.regular_file import read_regular
from finetune.store.schema import MADE_BY, misfit, read_schema
from finetune.store.versions import numeric_versions


def shard_names(folder: Path) -> list[str]:
    """Return the names of the shards in a folder, in order."""
    return sorted(file.name for file in folder.glob("*.parquet"))


def encoded(frame: pd.DataFrame, *, made_by: bytes | None = None) -> bytes:
    """Return a shard's file: the same bytes for the same table.

    `made_by` are the versions of what made the numbers, as JSON; by default those here.
    """
    table = pa.Table.from_pandas(frame, preserve_index=False)
    versions = made_by or json.dumps(numeric_versions()).encode()
    table = table.replace_schema_metadata({**(table.schema.metadata or {}), MADE_BY: versions})
    written = io.BytesIO()
    pq.write_table(table, written, compression="zstd")
    return written.getvalue()


def name_of(*files: bytes) -> str:
    """Return the name of a shard that is made of these files: that of what they hold.

    So damage to a shard shows without another file to compare with,
    and the same shard written twice is one.
    """
    held = hashlib.sha256()
    for content in files:
        held.update(hashlib.sha256(content).digest())
    return f"{held.hexdigest()[:32]}.parquet"


def damage(name: str, folders: Sequence[Path]) -> str:
    """Return what is wrong with a shard that has a file in each of these folders; "" if nothing."""
    try:
        files = {folder.name: read_regular(folder / name, follow=False) for folder in folders}
    except FileNotFoundError as error:
        return f"{Path(error.filename).parent.name}/{name} is missing"
    except OSError as error:
        return f"{error.filename} cannot be read ({error.strerror})"
    # One of another program, or that was tampered with, may be named as it should be.
    written = name_of(*files.values()) == name
    return misfit(files) if written else "it does not hold what was written"


def versions_by_shard(
    folder: Path, names: list[str], wanted: ds.Expression
) -> Iterator[tuple[dict[str, str], int]]:
    """Yield, shard by shard, the versions that made it and how many of its rows are wanted ones.

    Raises:
        StoreError: a shard is missing or cannot be read.
    """
    with _readable(folder):
        shards = list(_dataset(folder, names).get_fragments())
    for shard in shards:
        with _readable(folder):
            rows = shard.count_rows(filter=wanted)
            made_by = (shard.physical_schema.metadata or {}).get(MADE_BY)
        if rows and made_by:
            yield json.loads(made_by), rows


def count_rows(folder: Path) -> int:
    """Count the rows of all shards in a folder, reading none."""
    return sum(pq.read_metadata(folder / name).num_rows for name in shard_names(folder))


def scan(folder: Path, names: list[str], *, wanted: ds.Expression, columns: list[str]) -> pa.Table:
    """Read the rows wanted from the shards of these names.

    Raises:
        StoreError: a shard is missing or cannot be read.
    """
    with _readable(folder):
        return _dataset(folder, names, further_columns(columns)).to_table(
            columns=columns, filter=wanted
        )


def further_in(folder: Path, names: list[str], wanted: ds.Expression) -> tuple[str, ...]:
    """Return the columns of further metrics that the shards with rows wanted have.

    Raises:
        StoreError: a shard is missing or cannot be read.
    """
    with _readable(folder):
        found = {
            shard: further_columns(shard.physical_schema.names)
            for shard in _dataset(folder, names).get_fragments()
        }
        kept = [
            columns
            for shard, columns in found.items()
            if columns and shard.count_rows(filter=wanted)
        ]
    return tuple(dict.fromkeys(name for columns in kept for name in columns))


def _dataset(folder: Path, names: list[str], further: tuple[str, ...] = ()) -> ds.Dataset:
    files = [str(folder / name) for name in names]
    return ds.dataset(files, format="parquet", schema=read_schema(folder.name, further))


@contextmanager
def _readable(folder: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, pa.ArrowException) as error:
        raise StoreError(
            f"store: cannot read {folder.name}: {str(error).splitlines()[0]}; run the study again: "
            "`finetune run` sets a damaged shard aside and trains anew what it held"
        ) from error
