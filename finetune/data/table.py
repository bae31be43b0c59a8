"""A table of rows: features by named column, and one target."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from finetune.data.inputs import OfInputs
from finetune.errors import DataError, one_line
from finetune.spec.base import MAX_NAME
from finetune.spec.data import DataSpec
from finetune.spec.messages import shorten

_MAX_LISTED = 10

# Rows of one input: (row, column), or (row, ...) of more axes.
InputRows = pd.DataFrame | np.ndarray


@dataclass(frozen=True)
class Table:
    """Rows as they come from their source.

    Attributes:
        features: (row, column), or an array (row, ...) of more axes; of a network with several
            inputs one of these for each by its name.
        target: (row,).
        beside: The columns (row,) that `data.weight`, `data.groups` and `data.time` name, by key.
        delimiter: What separates the fields of a text file, where its suffix says otherwise.
    """

    features: OfInputs[InputRows]
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

    Features may be a dictionary of such by the names of a network's inputs. The columns of an array
    are named by their number, from 0. `name` is what errors call the two.

    Raises:
        DataError: A shape is not allowed, the two differ in their rows, or the target has the name
            of a feature with other values.
    """
    target = y if isinstance(y, pd.Series) else _series(y, name=name)
    if isinstance(x, Mapping):
        return _table_of_inputs(x, target.reset_index(drop=True), spec, name=name)
    features = x if isinstance(x, pd.DataFrame) else _features_array(x, name=name)
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


def _table_of_inputs(
    x: Mapping[str, Any], target: pd.Series, spec: DataSpec, *, name: str
) -> Table:
    """Make a table of several inputs; what `spec.beside` names among them is none."""
    keys = {} if spec.format == ".npz" else spec.beside
    check_columns(list(keys.values()), list(x), field="data.source", name=name)
    beside = {key: _series(x[one], name=f"{one!r} of {name}") for key, one in keys.items()}
    inputs = {key: one for key, one in x.items() if key not in keys.values()}
    check_inputs(inputs, name=name)
    features = {key: _input_rows(one, name=f"{key!r} of {name}") for key, one in inputs.items()}
    for key, one in {**features, **{keys[key]: column for key, column in beside.items()}}.items():
        if len(one) != len(target):
            raise DataError(
                f"data.source: {name} gives {len(one)} rows of {key!r} and {len(target)} targets; "
                "allowed is one target a row"
            )
    return Table(features, target, beside)


def check_inputs(inputs: Mapping[Any, Any], *, name: str) -> None:
    """Check the names of several inputs; `name` is what errors call all of them.

    Raises:
        DataError: There are not several, or a name is none that a study may say.
    """
    if len(inputs) < 2:
        raise DataError(
            f"data.source: {name} gives a dictionary of {len(inputs)} inputs; allowed are two or "
            "more by name; give the array of the only one itself"
        )
    for key in inputs:
        if not (isinstance(key, str) and key.isprintable() and 0 < len(key) <= MAX_NAME):
            raise DataError(
                f"data.source: {name} names an input {shorten(key)}; allowed is printable text of "
                f"at most {MAX_NAME} characters, as keras.Input has its name"
            )


def _input_rows(values: Any, *, name: str) -> InputRows:
    rows = values if isinstance(values, pd.DataFrame) else _features_array(values, name=name)
    if isinstance(rows, np.ndarray):
        return rows
    return _with_plain_names(rows, name=name).infer_objects()


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
