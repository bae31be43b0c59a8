"""What a shard's tables must be, whoever wrote them: columns, types and values in their range."""

import json
from collections.abc import Mapping
from functools import cache

import pyarrow as pa
import pyarrow.parquet as pq

from finetune.errors import one_line
from finetune.spec.metrics import further_columns, metric_columns, metric_of

# Of every run and every epoch; the columns of further metrics come after them.
RUN_COLUMNS = (
    "variant", "seed", "status", "train_loss", "train_accuracy", "val_loss", "val_accuracy",
    "test_loss", "test_accuracy", "epochs_run", "best_epoch", "lr_reductions",
    "first_reduction_epoch", "final_lr",
)  # fmt: skip
EPOCH_COLUMNS = (
    "variant", "seed", "epoch", "loss", "val_loss", "val_accuracy", "test_loss", "test_accuracy",
    "train_loss", "train_accuracy", "learning_rate",
)  # fmt: skip
# `setting` is what a trial tries, by path, as `Trial.written` gives it.
TRIAL_COLUMNS = ("search", "number", "setting", "value")

# The key of a shard's metadata that holds the versions of what made its numbers, as JSON.
MADE_BY = b"finetune.store.versions"

_COLUMNS = {
    "runs": ("recipe", *RUN_COLUMNS),
    "epochs": ("recipe", *EPOCH_COLUMNS),
    "trials": TRIAL_COLUMNS,
}
_INTEGERS = ("seed", "number", "epochs_run", "best_epoch", "lr_reductions", "first_reduction_epoch")
_TEXTS = ("recipe", "variant", "status", "search", "setting")

# Never missing; numbers among them are 0 or more. A number that is NaN is missing in Parquet.
_KEYS = (*_TEXTS, *_INTEGERS[:-1], "epoch")
_STATUSES = ("ok", "failed")

# Larger ones need not be whole as floats, and no seed, epoch or patience is.
_LARGEST = 2**53

# Rows that are decoded at a time: a shard may take a hundred times its size.
_BATCH = 2**16


class _MisfitError(Exception):
    """Says in what a table is not what it must be."""


@cache
def read_schema(table: str, further: tuple[str, ...] = ()) -> pa.Schema:
    """Return the types of a table as it is read: epochs of either precision as float64.

    `further` are its columns of further metrics.
    """

    def kind(name: str) -> pa.DataType:
        if name in _TEXTS:
            return pa.string()
        if name == "epoch":
            return pa.int32()
        return pa.int64() if name in _INTEGERS else pa.float64()

    return pa.schema([(name, kind(name)) for name in (*_COLUMNS[table], *further)])


def misfit(files: Mapping[str, bytes]) -> str:
    """Return in what a shard is not one that this program writes; "" where it is.

    Every value is decoded.

    Args:
        files: The Parquet file of each table, by its name: runs and epochs, or trials.
    """
    table = ""
    try:
        parts = {}
        for table, content in files.items():
            parts[table] = _checked(table, content)
        if "epochs" in parts:
            _check_metrics(files)
            _check_halves(parts["runs"], parts["epochs"])
    # Broken bytes make the readers raise many kinds of exceptions.
    except Exception as problem:
        reason = one_line(problem)[:200] or type(problem).__name__
        return f"its {table} are not what finetune writes: {reason}"
    return ""


def _checked(table: str, content: bytes) -> pa.Table:
    """Check one table of a shard; return its columns of text and whole numbers."""
    file = pq.ParquetFile(pa.BufferReader(content))
    _check_types(table, file.schema_arrow)
    _check_versions(file.schema_arrow.metadata or {})
    kept = [name for name in _COLUMNS[table] if name in _KEYS]
    types = pa.schema([field for field in read_schema(table) if field.name in kept])
    batches = []
    for batch in file.iter_batches(_BATCH):
        batch.validate(full=True)
        _check_values(batch)
        columns = [batch.column(name).cast(types.field(name).type) for name in kept]
        batches.append(pa.record_batch(columns, schema=types))
    return pa.Table.from_batches(batches, schema=types)


def _check_types(table: str, found: pa.Schema) -> None:
    columns, further = _COLUMNS[table], () if table == "trials" else further_columns(found.names)
    if tuple(found.names) != (*columns, *further) or not _are_whole(further):
        raise _MisfitError(f"its columns are {', '.join(found.names)}")
    schema = read_schema(table, further)
    for field in found:
        if not _fits(field.name, field.type, schema.field(field.name).type, table):
            raise _MisfitError(f"the column {field.name} is {field.type}")
    precisions = {field.type for field in found if table == "epochs" and _is_curve(field.name)}
    if len(precisions) > 1:
        raise _MisfitError("its losses are of two precisions")


def _are_whole(further: tuple[str, ...]) -> bool:
    """Return whether columns of further metrics are all splits of each, and each once."""
    return further == metric_columns(dict.fromkeys(map(metric_of, further)))


def _fits(name: str, kind: pa.DataType, wanted: pa.DataType, table: str) -> bool:
    if name in _TEXTS:
        text = kind.value_type if pa.types.is_dictionary(kind) else kind
        return pa.types.is_string(text) or pa.types.is_large_string(text)
    if table == "epochs" and _is_curve(name):
        return kind in (pa.float32(), pa.float64())
    # Shards that were merged by versions up to 0.1 hold it as floats.
    return kind == wanted or (name == "first_reduction_epoch" and kind == pa.float64())


def _is_curve(name: str) -> bool:
    return name.endswith(("loss", "accuracy")) or bool(further_columns([name]))


def _check_versions(metadata: Mapping[bytes, bytes]) -> None:
    versions = json.loads(metadata.get(MADE_BY, b"{}"))
    if not isinstance(versions, dict) or not all(isinstance(v, str) for v in versions.values()):
        raise _MisfitError("the versions that made them are no table of texts")


def _check_values(batch: pa.RecordBatch) -> None:
    for name, values in zip(batch.schema.names, batch.columns, strict=True):
        if name in _KEYS and values.null_count:
            raise _MisfitError(f"the column {name} has gaps")
        if not _in_range(name, values):
            raise _MisfitError(f"the column {name} has values out of range")


def _in_range(name: str, values: pa.Array) -> bool:
    if name == "status":
        return {*values.cast(pa.string()).unique().to_pylist()} <= set(_STATUSES)
    if name == "setting":
        return all(map(_is_setting, values.cast(pa.string()).unique().to_pylist()))
    if name not in (*_INTEGERS, "epoch"):
        return True
    numbers = values.drop_null().to_numpy(zero_copy_only=False)
    if numbers.dtype.kind == "f" and (numbers % 1 != 0).any():
        return False
    return bool(((numbers >= 0) & (numbers <= _LARGEST)).all())


def _is_setting(text: str) -> bool:
    """Return whether a text is a table of values by path as JSON, in the one form for it."""
    setting = json.loads(text)
    written = json.dumps(setting, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return isinstance(setting, dict) and written == text


def _check_metrics(files: Mapping[str, bytes]) -> None:
    """Check that runs and epochs have the same further metrics."""
    ran, found = (
        further_columns(pq.read_schema(pa.BufferReader(files[table])).names)
        for table in ("runs", "epochs")
    )
    if ran != found:
        raise _MisfitError("their metrics are not those of its runs")


def _check_halves(runs: pa.Table, epochs: pa.Table) -> None:
    """Check that every run has each of its epochs once, and nothing else has any."""
    last = pa.array(runs["epochs_run"].to_numpy() - 1, pa.int32())
    ran = _by_run(runs.append_column("last", last), total="epochs_run", last="last")
    ones = pa.repeat(pa.scalar(1, pa.int64()), len(epochs))
    found = _by_run(epochs.append_column("count", ones), total="count", last="epoch")
    if not ran.equals(found):
        raise _MisfitError("they are not those of its runs")


def _by_run(rows: pa.Table, *, total: str, last: str) -> pa.Table:
    """Return a sorted table: recipe, seed, how many epochs, the number of the last."""
    found = rows.group_by(["recipe", "seed"]).aggregate([(total, "sum"), (last, "max")])
    named = found.select(["recipe", "seed", f"{total}_sum", f"{last}_max"])
    names = ["recipe", "seed", "total", "last"]
    return named.rename_columns(names).sort_by([("recipe", "ascending"), ("seed", "ascending")])
