"""Shards whose names fit what they hold, and which hold what this program never writes."""

import json
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from finetune.store.schema import MADE_BY
from finetune.store.shards import name_of

Change = Callable[[pa.Table], pa.Table]


def _cast(column: str, kind: pa.DataType) -> Change:
    def change(table: pa.Table) -> pa.Table:
        at = table.schema.get_field_index(column)
        return table.set_column(at, column, table[column].cast(kind))

    return change


def _put(column: str, value: object) -> Change:
    """Return what puts a value into the first row of a column."""

    def change(table: pa.Table) -> pa.Table:
        at, values = table.schema.get_field_index(column), table[column].to_pylist()
        kind = table.schema.field(column).type
        return table.set_column(at, column, pa.array([value, *values[1:]], kind))

    return change


def _put_versions(versions: object) -> Change:
    made_by = {MADE_BY: json.dumps(versions).encode()}
    return lambda table: table.replace_schema_metadata({**table.schema.metadata, **made_by})


def _mix_precisions(table: pa.Table) -> pa.Table:
    return _cast("loss", pa.float64())(_cast("val_loss", pa.float32())(table))


def _add(*columns: str) -> Change:
    def change(table: pa.Table) -> pa.Table:
        for column in columns:
            table = table.append_column(column, table["test_loss"])
        return table

    return change


_AUC = ("train_auc", "val_auc", "test_auc")

# Which table is changed, and how.
FOREIGN: dict[str, tuple[str, Change]] = {
    "text in the seeds": ("runs", _cast("seed", pa.string())),
    "seeds of 32 bits": ("epochs", _cast("seed", pa.int32())),
    "a negative seed": ("runs", _put("seed", -1)),
    "a gap in the seeds": ("runs", _put("seed", None)),
    "a gap in the recipes": ("runs", _put("recipe", None)),
    "another status": ("runs", _put("status", "done")),
    "a negative epoch": ("epochs", _put("epoch", -1)),
    "an epoch missing": ("epochs", lambda table: table.slice(1)),
    "epochs of another run": ("epochs", _put("seed", 999)),
    "a run without epochs": ("epochs", lambda table: table.slice(0, 0)),
    "losses as text": ("runs", _cast("test_loss", pa.string())),
    "losses of 16 bits": ("epochs", _cast("loss", pa.float16())),
    "losses of two precisions": ("epochs", _mix_precisions),
    "a column more": ("runs", lambda t: t.append_column("more", t["seed"])),
    "a column twice": ("runs", lambda t: t.append_column("seed", t["seed"])),
    "a column less": ("epochs", lambda t: t.drop_columns(["loss"])),
    "a metric that nobody knows": ("runs", _add("train_luck", "val_luck", "test_luck")),
    "a metric without a split": ("runs", _add("train_auc", "test_auc")),
    "a metric of the runs alone": ("runs", _add(*_AUC)),
    "a metric twice": ("epochs", _add(*_AUC, *_AUC)),
    "a metric before others": ("runs", lambda t: _add(*_AUC)(t).select([*_AUC, *t.column_names])),
    "columns in another order": ("runs", lambda t: t.select(sorted(t.column_names))),
    "versions that are no table": ("runs", _put_versions(["keras"])),
    "versions that are numbers": ("runs", _put_versions({"keras": 3})),
}


def replace_shard(store: Path, name: str, *, junk: bytes = b"", kind: str = "") -> str:
    """Put a foreign shard in the place of a sound one; return the name, which fits it.

    Args:
        store: The folder of the store.
        name: The sound shard's.
        junk: What the file of its runs holds.
        kind: Otherwise, one of `FOREIGN`.
    """
    files = {table: (store / table / name).read_bytes() for table in ("runs", "epochs")}
    if kind:
        table, change = FOREIGN[kind]
        files[table] = _written(change(pq.read_table(store / table / name)))
    else:
        files["runs"] = junk
    fitting = name_of(*files.values())
    for table, content in files.items():
        (store / table / name).unlink()
        (store / table / fitting).write_bytes(content)
    return fitting


def _written(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink)
    return sink.getvalue().to_pybytes()
