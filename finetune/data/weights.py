"""Weights of rows: what each training row counts in the loss."""

import numpy as np
import pandas as pd

from finetune.data.cells import TextRules
from finetune.data.columns import Problem, name_rows, read_column
from finetune.errors import DataError

_ALLOWED = "allowed are finite numbers of 0 or more, one for every row, that are not all 0"


def prepare_weights(weight: pd.Series, *, name: str, rules: TextRules) -> np.ndarray:
    """Return the weights of all rows, float64 (row,); text that is numbers is read as of features.

    Raises:
        DataError: One is missing, negative, infinite or no number, or all are 0.
    """
    read = read_column(weight, rules, name=name, categorical=False)
    if isinstance(read, Problem) or read.categories is not None:
        found = read.found if isinstance(read, Problem) else "holds categories, not numbers"
        raise DataError(f"data.weight: the column {name!r} {found}; {_ALLOWED}")
    weights = read.values.to_numpy(dtype=np.float64)
    for wrong, what in ((np.isnan(weights), "is missing"), (weights < 0, "is negative")):
        if wrong.any():
            rows = name_rows(np.flatnonzero(wrong))
            raise DataError(f"data.weight: {name!r} {what} in {rows}; {_ALLOWED}; mend such rows")
    check_any_counts(weights, name=name, where="in every row")
    return weights


def check_any_counts(weights: np.ndarray, *, name: str, where: str) -> None:
    """Check that some weight (row,) is above 0.

    Raises:
        DataError: All are 0; `where` says of which rows.
    """
    if not weights.any():
        raise DataError(
            f"data.weight: {name!r} is 0 {where}, so that nothing is learned; {_ALLOWED}; leave "
            "it out to weigh all rows alike"
        )
