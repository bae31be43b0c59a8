"""Tables made into numbers: classes counted from 0, columns scaled, encoded and imputed."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

from finetune.data.table import check_columns
from finetune.errors import DataError
from finetune.spec.data import DataSpec

# The name of a category: that the cell is empty.
MISSING = "(missing)"

# More categories in a column that nobody named categorical are names or dates, not kinds.
MOST_CATEGORIES = 200

_REMEDY = "turn it into numbers, or leave it out by drop"


@dataclass(frozen=True)
class Features:
    """Columns, each of a known kind.

    Attributes:
        table: (row, column): float64 with NaN, or text with NaN.
        numeric: Names of the columns of numbers.
        categories: Names of the columns of categories, and which each has in the whole table.
    """

    table: pd.DataFrame
    numeric: list[str]
    categories: dict[str, list[str]]

    def transformer(self) -> ColumnTransformer:
        """Give what makes numbers of the columns, to be fitted on training rows.

        Numbers: missing ones become the training rows' median, then each column is scaled to mean
        0 and deviation 1. Categories: missing is one more category, each becomes a column of 0
        and 1.
        """
        # By place, since scikit-learn loses a name's NUL characters on the way.
        places = self.table.columns.get_indexer
        kinds = list(self.categories)
        return ColumnTransformer(
            [
                ("numbers", _scaler(), places(self.numeric).tolist()),
                ("kinds", _encoder(list(self.categories.values())), places(kinds).tolist()),
            ],
            sparse_threshold=0,
        )


def _scaler() -> Pipeline:
    return make_pipeline(
        FunctionTransformer(_row_by_row),
        SimpleImputer(strategy="median", keep_empty_features=True),
        StandardScaler(),
    )


def _encoder(categories: list[list[str]]) -> Pipeline:
    # Names of categories come from the whole table, so that every seed's split has the same number
    # of columns. They tell nothing of how often, or with which target, one occurs: to the network,
    # a category that no training row has is a column of zeros.
    names: Any = categories
    return make_pipeline(
        # A column may have values in other rows than those of training alone.
        SimpleImputer(strategy="constant", fill_value=MISSING, keep_empty_features=True),
        OneHotEncoder(categories=names, handle_unknown="ignore", sparse_output=False),
    )


def prepare_features(table: pd.DataFrame, spec: DataSpec) -> Features:
    """Find out what each column holds.

    Columns of text, of booleans and of pandas' categories are categories, as are those that
    `spec.categorical` names; other columns are numbers.

    Raises:
        DataError: A column is of no such kind, all missing, infinite, or has too many categories.
    """
    named = list(spec.categorical or ())
    check_columns(named, list(table.columns), field="data.categorical", name=spec.source)
    columns, categories = {}, {}
    for name in map(str, table.columns):
        column: Any = table[name]
        if column.isna().all():
            raise DataError(f"data: column {name!r} has no value in any row; {_leave_out(name)}")
        if name in named or not _is_numeric(column, name=name):
            columns[name] = _texts(column)
            categories[name] = _categories(columns[name], name=name, wanted=name in named)
        else:
            columns[name] = _numbers(column, name=name)
    numeric = [name for name in columns if name not in categories]
    return Features(pd.DataFrame(columns), numeric, categories)


def _row_by_row(columns: Any) -> np.ndarray:
    # A mean adds up rows in the order of memory: so equal numbers scale to equal bits, from
    # whatever source and layout they come.
    return np.ascontiguousarray(columns, dtype=np.float64)


def _is_numeric(column: pd.Series, *, name: str) -> bool:
    found = pd.api.types.infer_dtype(column, skipna=True)
    if found in ("integer", "floating", "mixed-integer-float", "decimal"):
        return True
    if found in ("string", "boolean", "categorical", "mixed", "mixed-integer"):
        return False
    raise DataError(
        f"data: column {name!r} holds {found}; allowed are numbers, text and booleans; {_REMEDY} = "
        f'["{name}"]'
    )


def _numbers(column: pd.Series, *, name: str) -> pd.Series:
    numbers = column.astype(np.float64)
    infinite = np.flatnonzero(np.isinf(numbers))
    if len(infinite):
        raise DataError(
            f"data: column {name!r} is infinite in {rows(infinite)}; allowed are finite numbers "
            "and missing ones"
        )
    return numbers


def _texts(column: pd.Series) -> pd.Series:
    return column.astype(object).map(str).astype(object).where(column.notna(), np.nan)


def _categories(column: pd.Series, *, name: str, wanted: bool) -> list[str]:
    found = sorted(set(column.fillna(MISSING)))
    if len(found) > MOST_CATEGORIES and not wanted:
        raise DataError(
            f"data: column {name!r} has {len(found)} categories; allowed are {MOST_CATEGORIES} in "
            f"a column that data.categorical does not name; {_leave_out(name)}"
        )
    return found


def _leave_out(name: str) -> str:
    return f'leave it out by drop = ["{name}"]'


def rows(positions: np.ndarray) -> str:
    """Say which rows they are, as a reader of the table counts: the first, and how many more."""
    more = len(positions) - 1
    return f"row {positions[0] + 1} (counted from 1)" + (f" and in {more} more" if more else "")
