"""The time of each row, by which rows are split: the latest are for test."""

import math
from typing import Any

import numpy as np
import pandas as pd

from finetune.data.cells import Cells, TextRules
from finetune.data.columns import NUMERIC_DTYPES, TEXT_DTYPES, kind_of, name_rows
from finetune.data.dates import read_dates
from finetune.data.numbers_in_text import Numbers, Unclear, read_numbers
from finetune.errors import DataError
from finetune.spec.data import DataSpec

_ALLOWED = "allowed are dates, as 2024-01-31 or 2024-01-31 18:30, and numbers, one for every row"


def prepare_times(times: pd.Series, *, name: str, rules: TextRules) -> np.ndarray:
    """Return the time of each row, (row,): datetime64, timedelta64 or float64.

    Raises:
        DataError: One is missing, or they are neither numbers nor dates, or dates that can be read
            in two ways.
    """
    read = _read(times.reset_index(drop=True), rules)
    if isinstance(read, Unclear):
        raise DataError(f"data.time: {name!r} {read.found}; {read.allowed}")
    values = read.to_numpy()
    missing = np.flatnonzero(pd.isna(values) | rules.missing_numbers(_numbers(values)))
    if len(missing):
        raise DataError(f"data.time: {name!r} is missing in {name_rows(missing)}; {_ALLOWED}")
    return values


def _read(times: pd.Series, rules: TextRules) -> Any:
    """Return times as a Series, or why they are none."""
    kind = kind_of(times)
    if kind in NUMERIC_DTYPES:
        return times.astype(np.float64)
    if kind in ("datetime64", "datetime", "date"):
        return pd.to_datetime(times, utc=True).dt.tz_localize(None)
    if kind in ("timedelta64", "timedelta"):
        return pd.to_timedelta(times)
    if kind in (*TEXT_DTYPES, "categorical"):
        return _read_text(Cells.of(times), rules)
    return Unclear(f"holds {kind}", _ALLOWED)


def _read_text(cells: Cells, rules: TextRules) -> Any:
    numbers = read_numbers(cells, rules, whole=True)
    if isinstance(numbers, Numbers):
        return pd.Series(numbers.values)
    missing = cells.among(rules.words(usual=()))
    dates = read_dates(cells.words[~missing])
    if isinstance(dates, list):
        found = f"holds dates such as {dates[0]!r}, which can be read in several ways"
        return Unclear(found, "allowed are dates as 2024-01-31; write them so")
    if dates is None:
        shown = next(iter(cells.words[~missing]), "")
        found = f"holds text such as {shown!r}, which is not all dates of one form"
        return numbers if isinstance(numbers, Unclear) else Unclear(found, _ALLOWED)
    values = np.full(len(cells.words), np.datetime64("NaT"), dtype=dates.dtype)
    values[~missing] = dates
    return pd.Series(values[cells.codes])


def _numbers(values: np.ndarray) -> np.ndarray:
    return values if values.dtype.kind == "f" else np.zeros(len(values))


def split_by_time(spec: DataSpec, times: np.ndarray) -> tuple[np.ndarray, ...]:
    """Return the positions of the training, validation and test rows, each (row,).

    The latest `test_size` of the rows are for test and the latest `val_size` before them for
    validation. Rows of one time stay together, in the later of the splits between which they would
    be parted.

    Raises:
        DataError: A split is left empty.
    """
    n_test = math.ceil(spec.test_size * len(times))
    n_val = max(1, round(spec.val_size * len(times)))
    test = times >= _latest(times, n_test)
    rest = times[~test]
    val = ~test & (times >= _latest(rest, n_val)) if len(rest) else test & False
    parts = tuple(map(np.flatnonzero, (~(test | val), val, test)))
    if not all(map(len, parts)):
        train_rows, val_rows, test_rows = map(len, parts)
        raise DataError(
            f"data.time: the {len(np.unique(times))} different times of {spec.time!r} leave "
            f"{train_rows} training, {val_rows} validation and {test_rows} test rows, since rows "
            "of one time stay together; allowed are rows in every split; lower test_size or "
            "val_size, or name a column that tells more times apart"
        )
    return parts


def _latest(times: np.ndarray, count: int) -> Any:
    """Return the time from which on there are at least `count` rows, or all."""
    return np.sort(times)[-min(count, len(times))]


def time_span(times: np.ndarray) -> str:
    """Return the first and the last of some times (row,) in words, as "2019-01-02 to 2020-03-01".

    Of dates the time of day is left out where all are at midnight.
    """
    return " to ".join(dict.fromkeys(map(_in_words, (times.min(), times.max()))))


def _in_words(time: Any) -> str:
    if isinstance(time, np.datetime64):
        return str(pd.Timestamp(time)).removesuffix(" 00:00:00")
    return str(pd.Timedelta(time)) if isinstance(time, np.timedelta64) else f"{time:.15g}"
