"""Where the rows of a study come from: a file, scikit-learn, or a function of the user's."""

import inspect
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn import datasets

from finetune.data.files import FileContent, read_file
from finetune.data.table import Table, table_of_arrays, table_of_columns
from finetune.errors import DataError, one_line
from finetune.spec.data import FILE_FORMATS, DataSpec
from finetune.usercode.files import find_file, import_function

# They make one matrix, or clusters of rows and columns: refused before they make it.
_WITHOUT_TARGET = frozenset(
    {
        "make_biclusters", "make_checkerboard", "make_low_rank_matrix", "make_sparse_coded_signal",
        "make_sparse_spd_matrix", "make_spd_matrix",
    }
)  # fmt: skip


def load_table(spec: DataSpec, *, random_state: int | None = None) -> Table:
    """Load the rows of a study, not prepared.

    Args:
        spec: The study's data.
        random_state: Passed to the generator or the user's function; None leaves what `spec.args`
            has.

    Raises:
        DataError: The source is unknown, cannot be read, or returns no features with one target.
    """
    try:
        return _load(spec, random_state)
    except UnicodeEncodeError as problem:
        raise DataError(
            f"data.source: {spec.source} holds half a character ({problem.reason}); allowed is "
            "text in Unicode"
        ) from problem


def draws_rows(spec: DataSpec) -> bool:
    """Return whether the source takes a random state, and so can draw other rows."""
    return spec.kind == "function" or spec.source.startswith("make_")


def _load(spec: DataSpec, random_state: int | None) -> Table:
    match spec.kind:
        case "file":
            content = _from_file(spec)
            table = _to_table(content.rows, spec, name=Path(spec.source).name)
            table = replace(table, delimiter=content.delimiter)
            beside = {
                key: _beside(array, table, field=f"data.{key}", name=spec.beside[key])
                for key, array in content.beside.items()
            }
            return replace(table, beside=beside) if beside else table
        case "function":
            return _to_table(_from_function(spec, random_state), spec, name=spec.source)
        case _:
            return _from_sklearn(spec, random_state)


def _to_table(raw: Any, spec: DataSpec, *, name: str) -> Table:
    if isinstance(raw, pd.DataFrame):
        return table_of_columns(raw, spec, name=name)
    if spec.target and spec.kind == "function":
        raise _has_its_target(spec)
    x, y = raw
    return table_of_arrays(x, y, spec, name=name)


def _from_file(spec: DataSpec) -> FileContent:
    file, _ = find_file(spec, spec.source, field="data.source", error=DataError)
    named = {"target": spec.target, "beside": spec.beside, "inputs": spec.inputs}
    return read_file(file, format=spec.format, **named)


def _beside(array: np.ndarray, table: Table, *, field: str, name: str) -> pd.Series:
    if array.shape != (len(table.target),):
        raise DataError(
            f"{field}: the array {name!r} has the shape {array.shape}; allowed is one value for "
            f"each of the {len(table.target)} rows"
        )
    return pd.Series(array)


def _from_function(spec: DataSpec, random_state: int | None) -> Any:
    load = import_function(spec, spec.source, field="data.source", error=DataError)
    raw = load(**_arguments(spec, random_state))
    if isinstance(raw, pd.DataFrame) or (isinstance(raw, tuple) and len(raw) == 2):
        return raw
    raise DataError(
        f"data.source: {spec.source} returned {type(raw).__name__}; allowed is (x, y), two arrays "
        "or a dictionary of inputs and an array, or a pandas DataFrame with the column that "
        "data.target names"
    )


def _from_sklearn(spec: DataSpec, random_state: int | None) -> Table:
    source = _sklearn_function(spec.source)
    if spec.source in _WITHOUT_TARGET:
        raise _has_no_target(spec)
    arguments = _arguments(spec, random_state)
    if spec.source.startswith("load_"):
        arguments["return_X_y"] = True
    try:
        raw = source(**arguments)
    except Exception as problem:
        reason = one_line(problem)
        raise DataError(f"data.args: {spec.source} refuses {spec.args}: {reason}") from problem
    if not (isinstance(raw, tuple) and len(raw) == 2 and np.ndim(raw[0]) == 2):
        raise _has_no_target(spec)
    if spec.target:
        raise _has_its_target(spec)
    x, y = raw
    # Whole numbers are classes here, however many: scikit-learn's regression targets are floats.
    if np.ndim(y) == 1 and np.asarray(y).dtype.kind in "iu":
        y = pd.Series(pd.Categorical(y))
    return table_of_arrays(x, y, spec, name=spec.source)


def _has_no_target(spec: DataSpec) -> DataError:
    return DataError(
        f"data.source: {spec.source} gives no features with a target; allowed is a generator or "
        "loader of sklearn.datasets for classification or regression, as make_moons"
    )


def _has_its_target(spec: DataSpec) -> DataError:
    return DataError(
        f"data.target: received {spec.target!r}, but {spec.source} gives its target apart from the "
        "features; leave it out"
    )


def _arguments(spec: DataSpec, random_state: int | None) -> dict[str, Any]:
    return spec.args | ({} if random_state is None else {"random_state": random_state})


def _sklearn_function(source: str) -> Callable[..., Any]:
    if source not in _sklearn_sources():
        raise DataError(
            f"data.source: received {source!r}; allowed is a file ({', '.join(FILE_FORMATS)}), "
            "module:function, or a generator or loader of sklearn.datasets: "
            f"{', '.join(_sklearn_sources())}"
        )
    return getattr(datasets, source)


@cache
def _sklearn_sources() -> tuple[str, ...]:
    """List the generators and loaders of scikit-learn that give features and a target."""

    def takes(name: str, argument: str) -> bool:
        return argument in inspect.signature(getattr(datasets, name)).parameters

    return tuple(
        name
        for name in dir(datasets)
        if (name.startswith("make_") and takes(name, "random_state"))
        or (name.startswith("load_") and takes(name, "return_X_y"))
    )
