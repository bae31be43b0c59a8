"""Features and target that a program holds, and the file that a study reads them from."""

import io
from dataclasses import dataclass, replace
from decimal import Decimal
from numbers import Number
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from pyarrow import parquet
from scipy import sparse

from finetune.data.columns import NUMERIC_DTYPES, is_temporal, kind_of, name_rows
from finetune.data.table import Table, table_of_arrays, table_of_columns, without_target
from finetune.errors import DataError, one_line
from finetune.spec.data import DataSpec

# What `pandas.api.types.infer_dtype` says of objects that are of several types.
_MIXED = ("mixed", "mixed-integer")
_TEXT = "string"

# Numbers of a sparse matrix once its zeros are stored too: 8 GB.
_MAX_DENSE = 10**9

# Of a target that has none, and as long as a study file allows.
_TARGET, _LONGEST_NAME = "target", 80

_ALLOWED = {
    "x": "(row, feature), an array of numbers or text, a sparse matrix or a pandas.DataFrame, or "
    "(row, ...), an array of numbers",
    "y": "(row,), an array or a pandas.Series of classes or numbers",
}


@dataclass(frozen=True)
class GivenData:
    """Rows as a program gives them, made plain: what a study file's table may hold.

    Attributes:
        features: (row, feature) or (row, ...), float64 or whole numbers; or a frame where there are
            names or more than numbers.
        target: (row,).
        target_name: Of the target's column beside a frame's.
    """

    features: np.ndarray | pd.DataFrame
    target: np.ndarray
    target_name: str

    @property
    def section(self) -> dict[str, str]:
        """The keys of a study's `[data]` that name the file and the target in it."""
        if isinstance(self.features, np.ndarray):
            return {"source": "data.npz"}
        return {"source": "data.parquet", "target": self.target_name}

    def as_ids(self, *, takes_ids: bool) -> "GivenData":
        """Return it with whole numbers of columns as floats, but for a network that takes ids.

        It is the same reading, and the file by which runs that are stored already are known.
        """
        if takes_ids or isinstance(self.features, pd.DataFrame) or self.features.ndim > 2:
            return self
        return replace(self, features=self.features.astype(np.float64))

    def table(self, spec: DataSpec) -> Table:
        """Return the table that the file is read as, by a study with this `[data]`."""
        if isinstance(self.features, np.ndarray):
            return table_of_arrays(self.features, self.target, spec, name="x, y")
        return table_of_columns(self._as_arrow().to_pandas(), spec, name="x")

    def content(self) -> bytes:
        """Return the bytes of the file."""
        buffer = io.BytesIO()
        if isinstance(self.features, np.ndarray):
            np.savez(buffer, allow_pickle=False, x=self.features, y=self.target)
        else:
            parquet.write_table(self._as_arrow(), buffer)
        return buffer.getvalue()

    def _as_arrow(self) -> pa.Table:
        assert isinstance(self.features, pd.DataFrame)
        try:
            frame = self.features.assign(**{self.target_name: self.target})
            return pa.Table.from_pandas(frame, preserve_index=False)
        # Types of columns that no file holds, as complex numbers.
        except (pa.ArrowException, TypeError, ValueError) as error:
            raise DataError(
                f"x: {one_line(error)}; allowed in a column are numbers, text, booleans and "
                "categories; leave it out"
            ) from error


def given_data(x: Any, y: Any) -> GivenData:
    """Return features and target that a program gives, whatever holds them.

    Text, booleans and categories of a frame, or of an array of text, are read as a study file's
    table is. A sparse matrix becomes dense; what a masked array masks is missing.

    Args:
        x: (row, feature): an array, a nested list, a sparse matrix, or a frame of named columns.
        y: (row,) or (row, 1): an array, a list or a Series.

    Raises:
        DataError: One of them is of another type or shape, or they differ in their rows.
    """
    features, target = given_features(x), given_target(y)
    if len(features) != len(target):
        raise DataError(
            f"x, y: received {len(features)} rows of features and {len(target)} targets; allowed "
            "is one target a row; leave out rows that lack the other"
        )
    if 0 in features.shape:
        raise DataError(
            f"x: received shape {features.shape}; allowed are a row and a feature or more; was "
            "everything filtered out?"
        )
    if isinstance(features, np.ndarray):
        return GivenData(features, target, _TARGET)
    name = _own_name(y)
    if name in features:
        features = without_target(features, pd.Series(target, name=name), name="x, y")
    name = name or _TARGET
    while name in features:
        name += "_"
    return GivenData(features, target, name)


def given_features(x: Any) -> np.ndarray | pd.DataFrame:
    """Return features that a program gives, (row, feature) or (row, ...), made plain.

    Raises:
        DataError: See `given_data`.
    """
    if isinstance(x, pd.Series):
        raise DataError(
            f"x: received a Series of shape {x.shape}; allowed are {_ALLOWED['x']}; give "
            "x.to_frame()"
        )
    frame = x if isinstance(x, pd.DataFrame) else _converted(x)
    if isinstance(frame, pd.DataFrame):
        return _plain_frame(frame)
    array = _array(x, field="x")
    if array.ndim > 2 and array.dtype.kind in "biuf":
        return array
    if array.ndim != 2:
        remedy = "; give x.reshape(-1, 1)" if array.ndim == 1 else ""
        raise DataError(f"x: received shape {array.shape}; allowed is {_ALLOWED['x']}{remedy}")
    if array.dtype.kind in "biuf":
        return array if array.dtype.kind in "iu" else array.astype(np.float64)
    plain = _plain_frame(pd.DataFrame(array.astype(object)))
    numbers = all(pd.api.types.is_numeric_dtype(kind) for kind in plain.dtypes)
    return plain.to_numpy(np.float64) if numbers else plain


def given_target(y: Any) -> np.ndarray:
    """Return a target that a program gives, (row,), made plain.

    Raises:
        DataError: See `given_data`.
    """
    y = _converted(y)
    if isinstance(y, pd.DataFrame):
        y = y.iloc[:, 0] if y.shape[1] == 1 else y.to_numpy()
    array = _array(y, field="y")
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim != 1:
        raise DataError(
            f"y: received shape {array.shape}; allowed is {_ALLOWED['y']}; of one-hot classes give "
            "y.argmax(axis=1)"
        )
    if array.dtype == object:
        array = _plain_column(pd.Series(array, dtype=object), name="target", field="y").to_numpy()
    # What is missing is named by whoever reads the target; an NPZ file holds no objects.
    complete = array.dtype == object and not pd.isna(array).any()
    return array.astype(type(array[0])) if complete and len(array) else array


def _own_name(y: Any) -> str | None:
    """Return the name of a Series, where a study file can say it."""
    name = getattr(y, "name", None)
    short = isinstance(name, str) and name.isprintable() and 0 < len(name) <= _LONGEST_NAME
    return name if short else None


def _converted(values: Any) -> Any:
    """Return a table of another library's, as of polars or Arrow, as a frame; else the values."""
    convert = getattr(values, "to_pandas", None)
    return convert() if callable(convert) else values


def _array(values: Any, *, field: str) -> np.ndarray:
    """Return values as an array of numbers, booleans, text, dates or objects."""
    if sparse.issparse(values):
        values = _dense(values, field=field)
    if isinstance(values, np.ma.MaskedArray):
        objects = values.data.astype(object)
        objects[np.ma.getmaskarray(values)] = None
        values = objects
    received = f"{field}: received {type(values).__name__}"
    try:
        array = np.asarray(values)
    # Symbolic tensors, nested lists of unequal lengths, and whatever an object of the user's does.
    except Exception as error:
        raise DataError(
            f"{received}, of which NumPy makes no array: {one_line(error)[:200]}; allowed is "
            f"{_ALLOWED[field]}"
        ) from error
    if array.ndim == 0:
        raise DataError(
            f"{received}; allowed is {_ALLOWED[field]}; of a dictionary of columns make a "
            "pandas.DataFrame, of batches an array by numpy.concatenate"
        )
    if array.dtype.kind not in "biufOUTM":
        raise DataError(
            f"{field}: received an array of {array.dtype}; allowed are numbers, text and booleans; "
            "turn it into these"
        )
    # The type of text that grows is none that an NPZ file holds.
    return array.astype(object) if array.dtype.kind == "T" else array


def _dense(matrix: Any, *, field: str) -> np.ndarray:
    count = int(np.prod([int(length) for length in matrix.shape], dtype=object))
    if count > _MAX_DENSE:
        raise DataError(
            f"{field}: received a sparse matrix of shape {matrix.shape}, which a network takes "
            f"with its zeros; allowed are at most {_MAX_DENSE:,} numbers; reduce its columns, as "
            "by sklearn.decomposition.TruncatedSVD"
        )
    return matrix.toarray()


def _plain_frame(frame: pd.DataFrame) -> pd.DataFrame:
    # By position, since names may repeat; whoever reads the table names those that do.
    columns = [
        _plain_column(frame.iloc[:, place], name=str(name), field="x")
        for place, name in enumerate(frame.columns)
    ]
    names = list(map(str, frame.columns))
    repeated = [name for name in names if names.count(name) > 1]
    if repeated:
        raise DataError(
            f"x: has the column {repeated[0]!r} more than once; allowed is once each; rename all "
            "but one"
        )
    return pd.DataFrame(dict(zip(names, columns, strict=True)), index=range(len(frame)))


def _plain_column(column: Any, *, name: str, field: str) -> pd.Series:
    """Return a column of which every cell is of one type that a file holds."""
    column = column.reset_index(drop=True)
    if isinstance(column.dtype, pd.SparseDtype):
        column = column.sparse.to_dense()
    if isinstance(column.dtype, pd.CategoricalDtype):
        return column.cat.rename_categories(list(map(str, column.cat.categories)))
    kind = kind_of(column)
    if column.dtype != object and kind != "complex":
        return column
    if kind in NUMERIC_DTYPES:
        return column.where(column.notna(), np.nan).astype(np.float64)
    if kind in _MIXED:
        _check_cells(column, name=name, field=field)
        return column.map(str, na_action="ignore").where(column.notna(), None)
    if kind not in (_TEXT, "boolean", "empty") and not is_temporal(kind):
        raise _no_cells(name, kind, field=field)
    return column.where(column.notna(), None)


def _check_cells(column: pd.Series, *, name: str, field: str) -> None:
    for value, missing in zip(column, column.isna(), strict=True):
        if not missing and not isinstance(value, str | Number | Decimal | np.bool_):
            where = np.flatnonzero([type(other) is type(value) for other in column])
            raise _no_cells(name, f"{type(value).__name__} in {name_rows(where)}", field=field)


def _no_cells(name: str, found: str, *, field: str) -> DataError:
    return DataError(
        f"{field}: column {name!r} holds {found}; allowed in a cell are numbers, text, booleans "
        "and missing values; turn it into these, or leave it out"
    )
