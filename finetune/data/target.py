"""The target: the task that it sets, and its classes counted from 0."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from finetune.data.cells import Cells, TextRules
from finetune.data.columns import (
    CATEGORICAL_DTYPES,
    LARGEST,
    LARGEST_ALLOWED,
    NUMERIC_DTYPES,
    TEXT_DTYPES,
    as_booleans,
    is_temporal,
    kind_of,
    name_rows,
)
from finetune.data.dates import find_compact_dates, find_dates
from finetune.data.numbers_in_text import Numbers, Unclear, read_numbers
from finetune.data.reading import ColumnReading, list_words
from finetune.data.table import list_names
from finetune.errors import DataError
from finetune.spec.data import TargetTask

# Whole numbers with more distinct values than this are for regression.
MAX_INTEGER_CLASSES = 20


_NOTHING_DECLARED = TextRules()


@dataclass(frozen=True)
class Target:
    """What the network predicts.

    Attributes:
        y: (row,): classes as int64 from 0 in the order of `classes`, or float64 for regression.
        task: "binary", "multiclass" or "regression".
        classes: Names of the classes, in order; empty for regression.
        why: Why it is this task, as "the target has 312 distinct numbers".
        reading: What its column was read as.
    """

    y: np.ndarray
    task: TargetTask
    classes: tuple[str, ...]
    why: str
    reading: ColumnReading


def prepare_target(
    target: pd.Series, task: TargetTask | None, *, rules: TextRules = _NOTHING_DECLARED
) -> Target:
    """Turn a target into numbers, and infer the task where it is None.

    Text of which every cell reads as a number is numbers. Other text, booleans, pandas' categories
    and whole numbers with at most `MAX_INTEGER_CLASSES` distinct values are classes; other numbers
    are for regression. Classes are sorted. Empty cells alone are missing, and what `rules.missing`
    names: "None" and "NA" are classes.

    Raises:
        DataError: A target is missing, infinite or no number where it must be one, holds dates or
            numbers that can be read in two ways, or there are not as many classes as the task has.
    """
    name = "target" if target.name is None else str(target.name)
    target, convention = _read(target.reset_index(drop=True), task, rules)
    numeric = _is_numeric(target)
    if numeric:
        _check_finite(target)
        _check_no_date(find_compact_dates(target.to_numpy(dtype=np.float64)), task)
    if task == "regression" or (task is None and numeric and not _are_classes(target)):
        numbers = _to_numbers(target, numeric=numeric)
        reading = ColumnReading(name, "number", convention=convention)
        why = _why(task, f"{len(np.unique(numbers))} distinct numbers")
        return Target(numbers, "regression", (), why, reading)
    y, classes = _to_classes(target, numeric=numeric)
    values = "numbers, all whole and at most" if numeric else "values, which are classes"
    why = _why(task, f"{len(classes)} distinct {values}" + f" {MAX_INTEGER_CLASSES}" * numeric)
    reading = ColumnReading(name, "category", convention=convention, categories=len(classes))
    inferred: TargetTask = "binary" if len(classes) == 2 else "multiclass"
    return Target(y, task or inferred, classes, why, reading)


def _why(task: TargetTask | None, found: str) -> str:
    return "data.task says so" if task else f"the target has {found}"


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


def _read(target: pd.Series, task: TargetTask | None, rules: TextRules) -> tuple[pd.Series, str]:
    """Return a target in which nothing is missing, text of numbers as such, and its convention."""
    kind = kind_of(target)
    if kind not in TEXT_DTYPES:
        gone = target.isna().to_numpy()
        if kind in NUMERIC_DTYPES:
            gone = gone | rules.missing_numbers(target.astype(np.float64).to_numpy())
        _check_missing(gone, {})
        return target, ""
    cells = Cells.of(target)
    gone = cells.among(rules.words(usual=()))
    _check_missing(gone[cells.codes], cells.tally(gone))
    numbers = read_numbers(cells, rules, whole=True)
    if isinstance(numbers, Numbers):
        return pd.Series(numbers.values), numbers.convention
    if isinstance(numbers, Unclear) and task not in ("binary", "multiclass"):
        raise DataError(f"data.target: {numbers.found}; {numbers.allowed}")
    _check_no_date(find_dates(cells, gone), task)
    return as_booleans(target), ""


def _check_missing(gone: np.ndarray, words: Mapping[str, int]) -> None:
    missing = np.flatnonzero(gone)
    if len(missing):
        taken = ", ".join(filter(None, ("empty cells", list_words(words))))
        raise DataError(
            f"data.target: missing in {name_rows(missing)}, which is {len(missing)} of "
            f"{len(gone)} (taken for missing: {taken}); allowed is a value in every row; remove "
            "such rows"
        )


def _check_no_date(date: str | None, task: TargetTask | None) -> None:
    if date is not None and task in (None, "regression"):
        raise DataError(
            f"data.target: holds dates or times, such as {date!r}; allowed are numbers, text and "
            "booleans; make numbers of them, such as days since a date, or say "
            'task = "multiclass" if these are classes'
        )


def _is_numeric(target: pd.Series) -> bool:
    found = kind_of(target)
    if found in NUMERIC_DTYPES:
        return True
    if found in (*CATEGORICAL_DTYPES, "empty"):
        return False
    remedy = "such as days since a date" if is_temporal(found) else "or classes"
    raise DataError(
        f"data.target: received {found}; allowed are numbers, text and booleans; make numbers of "
        f"it, {remedy}"
    )


def _check_finite(target: pd.Series) -> None:
    numbers = target.to_numpy(dtype=np.float64)
    infinite = np.flatnonzero(~np.isfinite(numbers))
    if len(infinite):
        raise DataError(
            f"data.target: infinite in {name_rows(infinite)}; "
            "allowed are finite numbers; remove such rows"
        )
    largest = np.abs(numbers).max(initial=0)
    if largest > LARGEST:
        raise DataError(f"data.target: holds {largest:g}; {LARGEST_ALLOWED}")


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


def _to_classes(target: pd.Series, *, numeric: bool) -> tuple[np.ndarray, tuple[str, ...]]:
    """Return the classes counted from 0, int64 (row,), and their names."""
    values = np.asarray(target)
    if numeric or values.dtype.kind in "iuf":
        values = values.astype(np.float64)
        found, y = np.unique(values, return_inverse=True)
        names = [str(int(value)) if value == int(value) else repr(float(value)) for value in found]
    else:
        found, y = np.unique(values.astype(str), return_inverse=True)
        names = [str(value) for value in found]
    return y.astype(np.int64), tuple(names)
