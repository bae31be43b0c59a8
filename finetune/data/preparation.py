"""Features as numbers: columns imputed, scaled and one-hot encoded."""

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

# The category of an empty cell.
MISSING = "(missing)"

# A text column with more distinct values holds names or dates, which no network learns from.
MAX_CATEGORIES = 200

# What `pandas.api.types.infer_dtype` calls columns that hold numbers, and columns of categories.
NUMERIC_DTYPES = ("integer", "floating", "mixed-integer-float", "decimal")
CATEGORICAL_DTYPES = ("string", "boolean", "categorical", "mixed", "mixed-integer")

_REMEDY = "turn it into numbers, or leave it out by drop"


@dataclass(frozen=True)
class Features:
    """Columns of features, each numeric or categorical.

    Attributes:
        table: (row, column): numeric columns are float64, categorical ones text, both with NaN.
        numeric: Names of the numeric columns.
        categories: The sorted categories of each categorical column, over all rows, by its name.
    """

    table: pd.DataFrame
    numeric: list[str]
    categories: dict[str, list[str]]

    def transformer(self) -> ColumnTransformer:
        """Return what turns the columns into numbers, not yet fitted: fit it on training rows.

        Numeric columns: missing values become the median, then each column is scaled to mean 0
        and standard deviation 1. Categorical ones: each category, missing being one, becomes a
        column of 0 and 1.
        """
        # By position, since scikit-learn loses NUL characters in a name.
        positions = self.table.columns.get_indexer
        categorical = positions(list(self.categories)).tolist()
        return ColumnTransformer(
            [
                ("numeric", _scaler(), positions(self.numeric).tolist()),
                ("categorical", _encoder(list(self.categories.values())), categorical),
            ],
            sparse_threshold=0,
        )


def _scaler() -> Pipeline:
    return make_pipeline(
        FunctionTransformer(_to_row_major),
        SimpleImputer(strategy="median", keep_empty_features=True),
        StandardScaler(),
    )


def _encoder(categories: list[list[str]]) -> Pipeline:
    # Categories come from the whole table, so that every seed's split has the same number of
    # columns. Their names say nothing of how often, or with which target, each occurs: to the
    # network, a category that no training row has is a column of zeros.
    names: Any = categories
    return make_pipeline(
        # A column may have values in other rows than those of training alone.
        SimpleImputer(strategy="constant", fill_value=MISSING, keep_empty_features=True),
        OneHotEncoder(categories=names, handle_unknown="ignore", sparse_output=False),
    )


def prepare_features(table: pd.DataFrame, spec: DataSpec) -> Features:
    """Find out which columns (row, column) are numeric and which categorical.

    Columns of text, of booleans and of pandas' categories are categorical, as are those that
    `spec.categorical` names; columns of other numbers are numeric.

    Raises:
        DataError: A column is neither, all missing, infinite, or has too many categories.
    """
    wanted = list(spec.categorical or ())
    check_columns(wanted, list(table.columns), field="data.categorical", name=spec.source)
    columns, categories = {}, {}
    for name in map(str, table.columns):
        column: Any = table[name]
        if column.isna().all():
            raise DataError(f"data: column {name!r} has no value in any row; {_leave_out(name)}")
        if name in wanted or not _is_numeric(column, name=name):
            columns[name] = _to_text(column)
            categories[name] = _categories(columns[name], name=name, wanted=name in wanted)
        else:
            columns[name] = _to_numbers(column, name=name)
    numeric = [name for name in columns if name not in categories]
    return Features(pd.DataFrame(columns), numeric, categories)


def _to_row_major(columns: Any) -> np.ndarray:
    # A mean adds up rows in the order of memory: with one layout, equal numbers scale to equal
    # bits from whatever source they come.
    return np.ascontiguousarray(columns, dtype=np.float64)


def _is_numeric(column: pd.Series, *, name: str) -> bool:
    found = pd.api.types.infer_dtype(column, skipna=True)
    if found in NUMERIC_DTYPES:
        return True
    if found in CATEGORICAL_DTYPES:
        return False
    raise DataError(
        f"data: column {name!r} holds {found}; allowed are numbers, text and booleans; {_REMEDY} = "
        f'["{name}"]'
    )


def _to_numbers(column: pd.Series, *, name: str) -> pd.Series:
    numbers = column.astype(np.float64)
    infinite = np.flatnonzero(np.isinf(numbers))
    if len(infinite):
        raise DataError(
            f"data: column {name!r} is infinite in {name_rows(infinite)}; allowed are finite "
            "numbers and missing ones"
        )
    return numbers


def _to_text(column: pd.Series) -> pd.Series:
    return column.astype(object).map(str).astype(object).where(column.notna(), np.nan)


def _categories(column: pd.Series, *, name: str, wanted: bool) -> list[str]:
    found = sorted(set(column.fillna(MISSING)))
    if len(found) > MAX_CATEGORIES and not wanted:
        raise DataError(
            f"data: column {name!r} has {len(found)} categories; allowed are {MAX_CATEGORIES} in "
            f"a column that data.categorical does not name; {_leave_out(name)}"
        )
    return found


def _leave_out(name: str) -> str:
    return f'leave it out by drop = ["{name}"]'


def name_rows(positions: np.ndarray) -> str:
    """Name rows by their positions (row,): the first, counted from 1, and how many more."""
    more = len(positions) - 1
    return f"row {positions[0] + 1} (counted from 1)" + (f" and in {more} more" if more else "")
