"""Dates and times in text: found in every usual form, since no network learns from their names."""

import re
from typing import Any

import numpy as np
import pandas as pd

from finetune.data.cells import Cells

# What else stands beside dates is mostly a word for missing, and no network learns from the rest.
_HALF = 0.5

# Each with the text that it may be tried on: versions such as 1.2.23 are no dates.
_FORMS = tuple(
    (re.compile(pattern, re.ASCII), tuple(formats.split("|")))
    for pattern, formats in (
        (r"\d{4}-\d{1,2}-\d{1,2}", "%Y-%m-%d"),
        (r"\d{4}/\d{1,2}/\d{1,2}", "%Y/%m/%d"),
        (r"\d{4}\.\d\d\.\d\d\.?", "%Y.%m.%d|%Y.%m.%d."),
        (r"\d{1,2}/\d{1,2}/\d{4}", "%d/%m/%Y|%m/%d/%Y"),
        (r"\d{1,2}/\d{1,2}/\d\d", "%d/%m/%y|%m/%d/%y"),
        (r"\d{1,2}\.\s?\d{1,2}\.\s?\d{4}", "%d.%m.%Y|%d. %m. %Y|%m.%d.%Y"),
        (r"\d\d\.\d\d\.\d\d", "%d.%m.%y"),
        (r"\d{1,2}-\d{1,2}-\d{4}", "%d-%m-%Y|%m-%d-%Y"),
        (r"\d\d-\d\d-\d\d", "%d-%m-%y|%m-%d-%y|%y-%m-%d"),
        (r"\d{4}-\d\d", "%Y-%m"),
        (r"\d{4}-?W\d\d(-?\d)?", ""),
        (r"\d{4}年\d{1,2}月\d{1,2}日", "%Y年%m月%d日"),
        # The names of months are those of any language.
        (r"\d{1,2}\.?[ -](de )?[A-Za-z\u00c0-\u04ff]{3,12}\.?[ -](de )?(19|20)\d\d", ""),
        (r"\d{1,2}[ -][A-Za-z]{3}[ -]\d\d", "%d %b %y|%d-%b-%y"),
        (r"[A-Za-z]{3,9}\.? \d{1,2},? \d{4}", "%b %d, %Y|%B %d, %Y|%b %d %Y|%B %d %Y"),
        (r"[A-Za-z]{3,9}[ -]\d{4}", "%b %Y|%B %Y|%b-%Y|%B-%Y"),
        (r"[A-Za-z]{3}-\d\d", "%b-%y"),
    )
)
_TIME = r"\d{1,4}:[0-5]\d(:[0-5]\d([.,]\d+)?)?(\s?[AaPp]\.?[Mm]\.?)?"
_TIMES_AFTER = tuple(
    separator + time
    for separator in (" ", "T", ", ")
    for time in ("%H:%M", "%H:%M:%S", "%H:%M:%S.%f", "%I:%M %p", "%I:%M:%S %p")
)
_ZONE = r"\s?(Z|UTC|GMT|[+-]\d\d:?(\d\d)?)?"
_TIME_ALONE = re.compile(rf"({_TIME}|\d{{1,2}}\s?[AaPp][Mm]){_ZONE}", re.ASCII)
_TIME_AFTER = re.compile(rf"(T|,?\s+){_TIME}{_ZONE}$", re.ASCII)
_WEEKDAY = re.compile(r"^(Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*,?\s+")
_MONTH = re.compile(r"\d{4}-\d\d", re.ASCII)
_DIGITS = re.compile(r"(19|20)\d\d(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])(\d{4}|\d{6})?", re.ASCII)


def find_dates(cells: Cells, missing: np.ndarray) -> str | None:
    """Return one of the dates or times of a column of which at least half is such; None for others.

    Dates are those of ISO 8601 and the usual local ones, with a time of day after them or
    without; a time of day or a duration counts as well. `missing` (word,) is left aside.
    """
    words, counts = cells.words[~missing], cells.counts[~missing]
    # Most columns of text are sorted out here, before any calendar is asked.
    likely = np.array([any(c.isdigit() for c in word) for word in words], dtype=bool)
    if not len(words) or counts[likely].sum() < _HALF * counts.sum():
        return None
    dated = _are_dates(words)
    # 2009-10 is a month beside other months alone: beside 2019-20 it is a season.
    if not dated.all():
        dated &= np.array([not _MONTH.fullmatch(word) for word in words], dtype=bool)
    if counts[dated].sum() < _HALF * counts.sum():
        return None
    return str(words[dated][0])


def find_compact_dates(numbers: np.ndarray) -> str | None:
    """Return one of the dates of numbers (row,) that all are such as 20230131; None for others.

    Hours, minutes and seconds may follow. Of other numbers of eight digits that begin as a year
    does one in thirty looks so: two different ones do not by chance.
    """
    distinct = np.unique(numbers[~np.isnan(numbers)])
    if len(distinct) < 2 or distinct[0] < 19000101 or distinct[-1] >= 21000000000000:
        return None
    if all(_DIGITS.fullmatch(f"{number:.15g}") for number in distinct):
        return f"{distinct[0]:.14g}"
    return None


def read_dates(words: np.ndarray) -> np.ndarray | list[str] | None:
    """Read words (word,) that are all dates of one form, with a time of day after them or without.

    Returns:
        datetime64 (word,), in UTC where a zone is said; None where they are no such dates; some of
        them where they are dates that can be read in two ways, as 01/02/2024.
    """
    if not len(words):
        return None
    iso: Any = pd.to_datetime(words, format="ISO8601", errors="coerce", utc=True)
    if iso.notna().all():
        return iso.tz_localize(None).to_numpy()
    days = np.array([_WEEKDAY.sub("", word) for word in words], dtype=object)
    readings = [found for form in _whole_forms() if (found := _read_all(days, form)) is not None]
    if any(not np.array_equal(readings[0], other) for other in readings[1:]):
        return list(map(str, words))
    return readings[0] if readings else None


def _whole_forms() -> list[str]:
    """List the forms of dates that Python can read, alone and before each form of a time of day."""
    dates = [form for _, forms in _FORMS for form in forms if form]
    return [f"{date}{time}" for date in dates for time in ("", *_TIMES_AFTER)]


def _read_all(days: np.ndarray, form: str) -> np.ndarray | None:
    """Read days (word,) of one form; None where they are not all of it."""
    # Mostly the first tells.
    for part in (days[:1], days):
        read: Any = pd.to_datetime(part, format=form, errors="coerce")
        if read.isna().any():
            return None
    return read.to_numpy()


def is_date(word: str) -> bool:
    """Return whether a text is a date or a time."""
    return bool(_are_dates(np.array([word], dtype=object))[0])


def _are_dates(words: np.ndarray) -> np.ndarray:
    """Return which words (word,) are dates or times."""
    dated = np.array([bool(_TIME_ALONE.fullmatch(word)) for word in words], dtype=bool)
    days = np.array([_WEEKDAY.sub("", _TIME_AFTER.sub("", word)) for word in words], dtype=object)
    for pattern, formats in _FORMS:
        fitting = np.array([bool(pattern.fullmatch(day)) for day in days], dtype=bool) & ~dated
        if fitting.any():
            dated[fitting] = _in_calendar(days[fitting], formats)
    return dated


def _in_calendar(days: np.ndarray, formats: tuple[str, ...]) -> np.ndarray:
    if formats == ("",):
        return np.ones(len(days), dtype=bool)
    found = np.zeros(len(days), dtype=bool)
    for format in formats:
        found |= np.asarray(pd.notna(pd.to_datetime(days, format=format, errors="coerce")))
    return found
