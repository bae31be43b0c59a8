"""Dates and times in text: found in every usual form, since no network learns from their names."""

import re

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
