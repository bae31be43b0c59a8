"""Features as numbers: columns imputed, scaled and one-hot encoded."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

from finetune.data.cells import TextRules
from finetune.data.columns import MISSING, Column, Problem, list_problems, read_column
from finetune.data.reading import ColumnReading
from finetune.data.table import check_columns
from finetune.errors import DataError
from finetune.spec.data import DataSpec


@dataclass(frozen=True)
class Features:
    """Columns of features, each numeric or categorical.

    Attributes:
        table: (row, column): numeric columns are float64, categorical ones text, both with NaN.
        numeric: Names of the numeric columns.
        categories: The sorted categories of each categorical column, over all rows, by its name.
        reading: What each column was read as, in the table's order, and then those left out.
        scaled: Whether numeric columns are scaled.
        whole: Whether all columns are whole numbers by their type, with none missing.
    """

    table: pd.DataFrame
    numeric: list[str]
    categories: dict[str, list[str]]
    reading: tuple[ColumnReading, ...]
    scaled: bool = True
    whole: bool = False

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of a prepared row: its number of features."""
        return (sum(column.features for column in self.reading),)

    def arrays(self, parts: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Return the rows of each part, float64 (row, feature), prepared as the first one says."""
        transformer = self.transformer().fit(self.table.iloc[parts[0]])
        return [np.asarray(transformer.transform(self.table.iloc[rows])) for rows in parts]

    def transformer(self) -> ColumnTransformer:
        """Return what turns the columns into numbers, not yet fitted: fit it on training rows.

        Numeric columns: missing values become the median, then each column is scaled to mean 0
        and standard deviation 1 if `scaled`. Categorical ones: each category, missing being one,
        becomes a column of 0 and 1.
        """
        # By position, since scikit-learn loses NUL characters in a name.
        positions = self.table.columns.get_indexer
        categorical = positions(list(self.categories)).tolist()
        return ColumnTransformer(
            [
                ("numeric", _scaler(scaled=self.scaled), positions(self.numeric).tolist()),
                ("categorical", _encoder(list(self.categories.values())), categorical),
            ],
            sparse_threshold=0,
        )


def _scaler(*, scaled: bool) -> Pipeline:
    steps = [
        FunctionTransformer(_to_row_major),
        SimpleImputer(strategy="median", keep_empty_features=True),
    ]
    return make_pipeline(*steps, *([StandardScaler()] if scaled else []))


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
    `spec.categorical` names; columns of other numbers are numeric, and so is text of which nearly
    all reads as numbers (see `finetune.data.numbers_in_text.read_numbers`).

    Raises:
        DataError: Columns are neither, all missing, infinite, can be read in two ways, hold dates,
            or have too many categories; all of them are named.
    """
    wanted = list(spec.categorical or ())
    check_columns(wanted, list(table.columns), field="data.categorical", name=spec.source)
    rules = TextRules.of(spec)
    read = [
        read_column(_series(table, name), rules, name=name, categorical=name in wanted)
        for name in map(str, table.columns)
    ]
    problems = [one for one in read if isinstance(one, Problem)]
    if problems:
        raise DataError(list_problems(problems))
    columns = {one.reading.name: one for one in read if isinstance(one, Column)}
    scaled = spec.scale != "none"
    dropped = tuple(ColumnReading(name, "dropped") for name in spec.drop)
    return Features(
        pd.DataFrame({name: column.values for name, column in columns.items()}),
        [name for name, column in columns.items() if column.categories is None],
        {name: column.categories for name, column in columns.items() if column.categories},
        (*(_reading(column, scaled=scaled) for column in columns.values()), *dropped),
        scaled=scaled,
        whole=all(map(pd.api.types.is_integer_dtype, table.dtypes))
        and all(one.categories is None and not one.reading.missing for one in columns.values()),
    )


def _reading(column: Column, *, scaled: bool) -> ColumnReading:
    numbers = column.categories is None
    return replace(column.reading, scaled=False) if numbers and not scaled else column.reading


def _series(table: Any, name: str) -> pd.Series:
    return table[name]


def _to_row_major(columns: Any) -> np.ndarray:
    # A mean adds up rows in the order of memory: with one layout, equal numbers scale to equal
    # bits from whatever source they come.
    return np.ascontiguousarray(columns, dtype=np.float64)
