"""The target: the task that it sets, and its classes counted from 0."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from finetune.data.preparation import CATEGORICAL_DTYPES, NUMERIC_DTYPES, name_rows
from finetune.data.table import list_names
from finetune.errors import DataError
from finetune.spec.data import TargetTask

# Whole numbers with more distinct values than this are for regression.
MAX_INTEGER_CLASSES = 20


@dataclass(frozen=True)
class Target:
    """What the network predicts.

    Attributes:
        y: (row,): classes as int64 from 0 in the order of `classes`, or float64 for regression.
        task: "binary", "multiclass" or "regression".
        classes: Names of the classes, in order; empty for regression.
    """

    y: np.ndarray
    task: TargetTask
    classes: tuple[str, ...]


def prepare_target(target: pd.Series, task: TargetTask | None) -> Target:
    """Turn a target into numbers, and infer the task where it is None.

    Text, booleans, pandas' categories and whole numbers with at most `MAX_INTEGER_CLASSES`
    distinct values are classes; other numbers are for regression. Classes are sorted.

    Raises:
        DataError: A target is missing, infinite or no number where it must be one, or there are
            not as many classes as the task has.
    """
    missing = np.flatnonzero(target.isna())
    if len(missing):
        raise DataError(
            f"data.target: missing in {name_rows(missing)}; allowed "
            "is a value in every row; remove such rows"
        )
    numeric = _is_numeric(target)
    if numeric:
        _check_finite(target)
    if task == "regression" or (task is None and numeric and not _are_classes(target)):
        return Target(_to_numbers(target, numeric=numeric), "regression", ())
    return _to_classes(target, task, numeric=numeric)


def check_classes(target: Target, task: TargetTask | None) -> None:
    """Check that there are as many classes as the task needs.

    Raises:
        DataError: There is one class only, or the task is binary and there are more than two.
    """
    count = len(target.classes)
    if target.task == "regression":
        return
    if count < 2:
        raise DataError(
            f"data.target: all rows have the class {target.classes[0]!r}; allowed are two classes "
            'or more, or numbers with task = "regression"'
        )
    if task == "binary" and count != 2:
        raise DataError(
            f"data.task: received 'binary', but the target has {count} classes: "
            f"{list_names(list(target.classes))}; allowed are 'multiclass' and, for numbers, "
            "'regression'"
        )


def _is_numeric(target: pd.Series) -> bool:
    found = pd.api.types.infer_dtype(target)
    if found in NUMERIC_DTYPES:
        return True
    if found in (*CATEGORICAL_DTYPES, "empty"):
        return False
    raise DataError(
        f"data.target: received {found}; allowed are numbers, text and booleans; turn it into one "
        "of them"
    )


def _check_finite(target: pd.Series) -> None:
    infinite = np.flatnonzero(~np.isfinite(target.astype(np.float64)))
    if len(infinite):
        raise DataError(
            f"data.target: infinite in {name_rows(infinite)}; "
            "allowed are finite numbers; remove such rows"
        )


def _are_classes(target: pd.Series) -> bool:
    distinct = np.unique(target.astype(np.float64))
    return len(distinct) <= MAX_INTEGER_CLASSES and bool((distinct == np.floor(distinct)).all())


def _to_numbers(target: pd.Series, *, numeric: bool) -> np.ndarray:
    if isinstance(target.dtype, pd.CategoricalDtype):
        target = pd.Series(np.asarray(target))
    numbers: Any = target if numeric else pd.to_numeric(target, errors="coerce")
    wrong = np.flatnonzero(numbers.isna())
    if len(wrong):
        raise DataError(
            f"data.target: received {target.iloc[wrong[0]]!r} in {name_rows(wrong)}; allowed with "
            'task = "regression" are numbers'
        )
    return numbers.to_numpy(dtype=np.float64)


def _to_classes(target: pd.Series, task: TargetTask | None, *, numeric: bool) -> Target:
    values = np.asarray(target)
    if numeric or values.dtype.kind in "iuf":
        values = values.astype(np.float64)
        found, y = np.unique(values, return_inverse=True)
        names = [str(int(value)) if value == int(value) else repr(float(value)) for value in found]
    else:
        found, y = np.unique(values.astype(str), return_inverse=True)
        names = [str(value) for value in found]
    inferred: TargetTask = "binary" if len(names) == 2 else "multiclass"
    return Target(y.astype(np.int64), task or inferred, tuple(names))
