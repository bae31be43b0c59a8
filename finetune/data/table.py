"""A table of rows: features by named column, and one target."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from finetune.errors import DataError
from finetune.spec.data import DataSpec

_MOST_NAMES = 10


@dataclass(frozen=True)
class Table:
    """Rows as they come from their source: `features` (row, column), `target` (row,)."""

    features: pd.DataFrame
    target: pd.Series


def table_of_columns(frame: pd.DataFrame, spec: DataSpec, *, name: str) -> Table:
    """Take the target and the dropped columns out of a table; the rest are features.

    Raises:
        DataError: A named column is not there, or names are not unique, or nothing is left.
    """
    frame = _with_plain_names(frame, name=name)
    columns = list(frame.columns)
    if spec.target is None:
        raise DataError(
            f"data.target: missing; allowed is the name of a column of {name}: {named(columns)}"
        )
    check_columns([spec.target], columns, field="data.target", name=name)
    features = _kept(frame.drop(columns=[spec.target]), spec, name=name)
    target: Any = frame[spec.target]
    return Table(features, target)


def table_of_arrays(x: Any, y: Any, spec: DataSpec, *, name: str) -> Table:
    """Make a table of features (row, column) and their target (row,).

    Columns of an array are named by their number, from 0.

    Raises:
        DataError: The shapes are others, or do not fit together, or the target has the name of a
            column of features that is another.
    """
    features = x if isinstance(x, pd.DataFrame) else _frame(x, name=name)
    target = y if isinstance(y, pd.Series) else _series(y, name=name)
    if len(features) != len(target):
        raise DataError(
            f"data.source: {name} gives {len(features)} rows of features and {len(target)} "
            "targets; allowed is one target a row"
        )
    features = _with_plain_names(features, name=name)
    if isinstance(x, pd.DataFrame) and target.name in x.columns:
        features = _without_target(features, target, name=name)
    features = _kept(features, spec, name=name)
    return Table(features, target.reset_index(drop=True))


def check_columns(wanted: list[str], columns: list[str], *, field: str, name: str) -> None:
    """See that columns are there.

    Raises:
        DataError: One is not; which there are.
    """
    for column in wanted:
        if column not in columns:
            raise DataError(
                f"{field}: received {column!r}, which {name} does not have; allowed are "
                f"{named(columns)}"
            )


def named(columns: list[str]) -> str:
    """List names, the first of them where there are many."""
    listed = ", ".join(map(repr, columns[:_MOST_NAMES]))
    more = len(columns) - _MOST_NAMES
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


def _without_target(features: pd.DataFrame, target: pd.Series, *, name: str) -> pd.DataFrame:
    """Drop the column of the target's name where it is the target; by chance it may be another."""
    column = str(target.name)
    same: Any = features[column].astype(object)
    if same.equals(target.reset_index(drop=True).astype(object)):
        return features.drop(columns=[column])
    raise DataError(
        f"data.source: {name} gives a target named {column!r} and a column of features of that "
        "name with other values; allowed is one of each name; rename the target or the column"
    )


def _kept(frame: pd.DataFrame, spec: DataSpec, *, name: str) -> pd.DataFrame:
    check_columns(list(spec.drop), list(frame.columns), field="data.drop", name=name)
    frame = frame.drop(columns=list(spec.drop))
    # What pandas calls a column of a text file that has no name: mostly the number of the row.
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


def _frame(x: Any, *, name: str) -> pd.DataFrame:
    x = _array(x, name=name)
    if x.ndim != 2:
        raise DataError(
            f"data.source: {name} gives features with {x.ndim} axes; allowed are 2, (row, column); "
            "reshape them"
        )
    return pd.DataFrame(x)


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
        said = " ".join(str(problem).split())
        raise DataError(f"data.source: {name} gives no arrays: {said}") from problem
