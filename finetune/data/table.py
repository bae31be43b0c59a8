"""A table of rows: features by named column, and one target."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from finetune.errors import DataError, one_line
from finetune.spec.data import DataSpec

_MAX_LISTED = 10


@dataclass(frozen=True)
class Table:
    """Rows as they come from their source.

    Attributes:
        features: (row, column), or an array (row, ...) of more axes.
        target: (row,).
        beside: The columns (row,) that `data.weight`, `data.groups` and `data.time` name, by key.
        delimiter: What separates the fields of a text file, where its suffix says otherwise.
    """

    features: pd.DataFrame | np.ndarray
    target: pd.Series
    beside: Mapping[str, pd.Series] = field(default_factory=dict)
    delimiter: str | None = None


def table_of_columns(frame: pd.DataFrame, spec: DataSpec, *, name: str) -> Table:
    """Split a frame (row, column) into features and target, without the columns of `spec.drop`.

    `name` is what errors call the frame.

    Raises:
        DataError: A column that `spec` names is not there, names are not unique, or no feature or
            row is left.
    """
    frame = _with_plain_names(frame, name=name)
    columns = list(frame.columns)
    if spec.target is None:
        raise DataError(
            f"data.target: missing; allowed is a column of {name}: {list_names(columns)}"
        )
    check_columns([spec.target], columns, field="data.target", name=name)
    features, beside = _take_beside(frame.drop(columns=[spec.target]), spec, name=name)
    target: Any = frame[spec.target]
    return Table(_features(features, spec, name=name), target, beside)


def table_of_arrays(x: Any, y: Any, spec: DataSpec, *, name: str) -> Table:
    """Make a table of features (row, column) or (row, ...) and their target (row,) or (row, 1).

    The columns of an array are named by their number, from 0. `name` is what errors call the two.

    Raises:
        DataError: A shape is not allowed, the two differ in their rows, or the target has the name
            of a feature with other values.
    """
    features = x if isinstance(x, pd.DataFrame) else _features_array(x, name=name)
    target = y if isinstance(y, pd.Series) else _series(y, name=name)
    if len(features) != len(target):
        raise DataError(
            f"data.source: {name} gives {len(features)} rows of features and {len(target)} "
            "targets; allowed is one target a row"
        )
    if isinstance(features, np.ndarray):
        return Table(features, target.reset_index(drop=True))
    features = _with_plain_names(features, name=name)
    if isinstance(x, pd.DataFrame) and target.name in x.columns:
        features = without_target(features, target, name=name)
    features, beside = _take_beside(features, spec, name=name)
    return Table(_features(features, spec, name=name), target.reset_index(drop=True), beside)


def without_target(features: pd.DataFrame, target: pd.Series, *, name: str) -> pd.DataFrame:
    """Drop the feature of the target's name, which holds the target.

    Raises:
        DataError: It holds other values.
    """
    column = str(target.name)
    same: Any = features[column].astype(object)
    if same.equals(target.reset_index(drop=True).astype(object)):
        return features.drop(columns=[column])
    raise DataError(
        f"data.source: {name} gives a target named {column!r} and a column of features of that "
        "name with other values; allowed is one of each name; rename the target or the column"
    )


def check_columns(wanted: list[str], columns: list[str], *, field: str, name: str) -> None:
    """Check that every wanted column is there.

    Raises:
        DataError: One is not.
    """
    for column in wanted:
        if column not in columns:
            raise DataError(
                f"{field}: received {column!r}, which {name} does not have; allowed are "
                f"{list_names(columns)}"
            )


def list_names(names: list[str]) -> str:
    """Join names into a list for an error, the first of them where there are many."""
    listed = ", ".join(map(repr, names[:_MAX_LISTED]))
    more = len(names) - _MAX_LISTED
    return f"{listed} and {more} more" if more > 0 else listed or "none"


def _with_plain_names(frame: pd.DataFrame, *, name: str) -> pd.DataFrame:
    frame = frame.set_axis([str(column) for column in frame.columns], axis=1)
    frame = frame.reset_index(drop=True)
    repeated = frame.columns[frame.columns.duplicated()]
    if len(repeated):
        raise DataError(
            f"data.source: {name} has the column {repeated[0]!r} more than once; allowed is once "
            "each; rename all but one"
        )
    return frame


def _take_beside(
    frame: pd.DataFrame, spec: DataSpec, *, name: str
) -> tuple[pd.DataFrame, dict[str, pd.Series]]:
    """Part the columns of weights, groups and times from the features."""
    # In an NPZ file they are arrays beside them.
    if spec.format == ".npz":
        return frame, {}
    taken: dict[str, Any] = {}
    for key, column in spec.beside.items():
        check_columns([column], list(frame.columns), field=f"data.{key}", name=name)
        taken[key] = frame[column]
    return frame.drop(columns=list(spec.beside.values())), taken


def _features(frame: pd.DataFrame, spec: DataSpec, *, name: str) -> pd.DataFrame:
    check_columns(list(spec.drop), list(frame.columns), field="data.drop", name=name)
    frame = frame.drop(columns=list(spec.drop))
    # So pandas names a column without a header in a text file: mostly it holds row numbers.
    unnamed = [column for column in frame.columns if column.startswith("Unnamed: ")]
    if unnamed:
        raise DataError(
            f"data.source: {name} has a column without a name; name it in the file, or leave it "
            f'out by drop = ["{unnamed[0]}"]'
        )
    if frame.shape[1] == 0:
        raise DataError(f"data.source: {name} has no columns for features beside the target")
    if len(frame) == 0:
        raise DataError(f"data.source: {name} has no rows")
    return frame.infer_objects()


def _features_array(x: Any, *, name: str) -> pd.DataFrame | np.ndarray:
    if isinstance(x, Mapping):
        raise DataError(
            f"data.source: {name} gives several inputs ({list_names(list(map(str, x)))}); allowed "
            "is one array of features; join them, and take them apart in the network"
        )
    x = _array(x, name=name)
    if x.ndim < 2:
        raise DataError(
            f"data.source: {name} gives features with {x.ndim} axes; allowed are 2, (row, column), "
            "or more, as (row, height, width, channel); reshape them"
        )
    if len(x) == 0:
        raise DataError(f"data.source: {name} has no rows")
    return pd.DataFrame(x) if x.ndim == 2 else x


def _series(y: Any, *, name: str) -> pd.Series:
    y = _array(y, name=name)
    if y.ndim == 2 and y.shape[1] == 1:
        y = y[:, 0]
    if y.ndim != 1:
        raise DataError(
            f"data.source: {name} gives targets of shape {y.shape}; allowed is one target a row; "
            "give classes by their number or name"
        )
    return pd.Series(y).infer_objects()


def _array(values: Any, *, name: str) -> np.ndarray:
    try:
        return np.asarray(values)
    except Exception as problem:
        raise DataError(f"data.source: {name} gives no arrays: {one_line(problem)}") from problem
