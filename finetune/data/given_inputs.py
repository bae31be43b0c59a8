"""Several inputs that a program holds, by name, and the NPZ file that a study reads them from."""

import inspect
import io
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from finetune.data.given import GivenData, given_data, given_features, given_target
from finetune.data.table import Table, check_inputs, list_names, table_of_arrays
from finetune.errors import DataError
from finetune.spec.data import DataSpec

# Names that `numpy.savez` cannot give to an array.
_TAKEN = tuple(inspect.signature(np.savez).parameters)[:-1]


@dataclass(frozen=True)
class GivenInputs:
    """Rows of several inputs, made plain: what an NPZ file may hold.

    Attributes:
        inputs: (row, feature) or (row, ...) of each, float64 or whole numbers, by its name.
        target: (row,).
        beside: The arrays (row,) that are no inputs but weights, groups or times, by name.
    """

    inputs: Mapping[str, np.ndarray]
    target: np.ndarray
    beside: Mapping[str, np.ndarray]

    @property
    def section(self) -> dict[str, Any]:
        """The keys of a study's `[data]` that name the file, the inputs and the target in it."""
        section = {"source": "data.npz", "inputs": list(self.inputs)}
        return section if self._target_name == "y" else {**section, "target": self._target_name}

    def as_ids(self, *, takes_ids: bool) -> "GivenInputs":
        """Return it as it is: which of several inputs are ids is found out for each."""
        return self

    def table(self, spec: DataSpec) -> Table:
        """Return the table that the file is read as, by a study with this `[data]`."""
        return table_of_arrays(self.inputs, self.target, spec, name="x, y")

    def content(self) -> bytes:
        """Return the bytes of the file."""
        buffer = io.BytesIO()
        arrays = {**self.inputs, **self.beside, self._target_name: self.target}
        # In an order of their own, so that the same arrays are the same file.
        np.savez(buffer, allow_pickle=False, **dict(sorted(arrays.items())))
        return buffer.getvalue()

    @property
    def _target_name(self) -> str:
        name = "y"
        while name in self.inputs or name in self.beside:
            name += "_"
        return name


def given_rows(x: Any, y: Any, *, beside: Collection[str | None]) -> GivenData | GivenInputs:
    """Return features of one input, or of several by name, and the target that a program gives.

    Raises:
        DataError: See `given_data` and `given_inputs`.
    """
    return given_inputs(x, y, beside=beside) if isinstance(x, Mapping) else given_data(x, y)


def given_inputs(x: Mapping[Any, Any], y: Any, *, beside: Collection[str | None]) -> GivenInputs:
    """Return several inputs and the target that a program gives.

    Args:
        x: (row, feature) or (row, ...) of each by its name: arrays, nested lists, sparse matrices
            or frames of numbers.
        y: (row,) or (row, 1): an array, a list or a Series.
        beside: The names of those in `x` that are no inputs, but weights, groups or times (row,).

    Raises:
        DataError: One of them is of another type or shape, or they differ in their rows.
    """
    _check_no_columns(x, beside)
    for name in beside:
        if isinstance(name, str) and name not in x:
            raise DataError(
                f"data: names {name!r} as weights, groups or times, which x does not have; allowed "
                f"are {list_names(list(map(str, x)))}; add it to the dictionary"
            )
    target = given_target(y)
    check_inputs({name: rows for name, rows in x.items() if name not in beside}, name="x")
    made = {name: _made(rows, name, beside=name in beside) for name, rows in x.items()}
    for name, rows in made.items():
        if len(rows) != len(target):
            raise DataError(
                f"x, y: received {len(rows)} rows of {name!r} and {len(target)} targets; allowed "
                "is one target a row; leave out rows that lack the other"
            )
        if name in _TAKEN:
            raise DataError(
                f"x: names an array {name!r}, which no NPZ file can; allowed are names but "
                f"{list_names(list(_TAKEN))}; rename it, and keras.Input(name=...)"
            )
    inputs = {name: rows for name, rows in made.items() if name not in beside}
    return GivenInputs(inputs, target, {name: made[name] for name in made.keys() - inputs.keys()})


def _check_no_columns(x: Mapping[Any, Any], beside: Collection[str | None]) -> None:
    """Check that a dictionary holds no columns of one table.

    Raises:
        DataError: Something in it has one axis.
    """
    for name, rows in x.items():
        if name not in beside and _has_one_axis(rows):
            raise DataError(
                f"x: received a dictionary in which {name!r} has one axis; allowed are the inputs "
                "of a network by name, each (row, feature) or (row, ...); of a dictionary of "
                "columns make a pandas.DataFrame, of an input of one number reshape(-1, 1)"
            )


def _has_one_axis(rows: Any) -> bool:
    try:
        return np.ndim(rows) == 1
    # Of nested lists of unequal lengths, which whoever makes an array of them tells in full.
    except ValueError:
        return False


def _made(rows: Any, name: str, *, beside: bool) -> np.ndarray:
    try:
        made = given_target(rows) if beside else _as_numbers(given_features(rows))
    except DataError as error:
        raise DataError(f"x[{name!r}]: {error}") from error
    if isinstance(made, pd.DataFrame) or made.dtype == object:
        raise DataError(
            f"x[{name!r}]: received text, categories or missing values; allowed in a dictionary of "
            "arrays are numbers; encode them, as by pandas.get_dummies"
        )
    return made


def _as_numbers(rows: np.ndarray | pd.DataFrame) -> np.ndarray | pd.DataFrame:
    """Return a frame of numbers as an array, whole where all of them are."""
    if isinstance(rows, np.ndarray):
        return rows
    is_number, is_bool = pd.api.types.is_numeric_dtype, pd.api.types.is_bool_dtype
    if not all(is_number(dtype) and not is_bool(dtype) for dtype in rows.dtypes):
        return rows
    whole = all(map(pd.api.types.is_integer_dtype, rows.dtypes)) and not rows.isna().any(axis=None)
    return rows.to_numpy(np.int64) if whole else rows.to_numpy(np.float64, na_value=np.nan)
