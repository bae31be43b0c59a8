"""One column of features at a time: numbers, categories, or a reason why it is neither."""

from collections import Counter
from dataclasses import dataclass

import numpy as np
import pandas as pd

from finetune.data.cells import PANDAS_WORDS, Cells, TextRules
from finetune.data.dates import find_compact_dates, find_dates
from finetune.data.numbers_in_text import Numbers, Unclear, missing_among_numbers, read_numbers
from finetune.data.reading import ColumnReading

# The category of an empty cell.
MISSING = "(missing)"

# A text column with more distinct values holds names, which no network learns from.
MAX_CATEGORIES = 200

# What `pandas.api.types.infer_dtype` calls columns that hold numbers, and columns of categories.
NUMERIC_DTYPES = ("integer", "floating", "mixed-integer-float", "decimal")
TEXT_DTYPES = ("string", "mixed", "mixed-integer")
CATEGORICAL_DTYPES = (*TEXT_DTYPES, "boolean", "categorical")

# The largest number whose square, and so a column's variance, float64 can hold.
LARGEST = 1e150
LARGEST_ALLOWED = f"allowed are numbers up to {LARGEST:g}, whose squares can be summed; divide it"

# What `pandas.read_csv` takes for booleans.
_BOOLEANS = {
    word: kind for kind in ("True", "False") for word in (kind, kind.upper(), kind.lower())
}

DATES_ALLOWED = (
    "allowed are numbers, text of categories and booleans; make numbers of them, such as days "
    "since a date, the month or the hour, or name what are categories in data.categorical"
)


@dataclass(frozen=True)
class Column:
    """A column of features that can be used.

    Attributes:
        values: (row,), float64 of numbers or text of categories, both with NaN where missing.
        categories: The sorted categories, missing being one; None for numbers.
        reading: What it was read as.
    """

    values: pd.Series
    categories: list[str] | None
    reading: ColumnReading


@dataclass(frozen=True)
class Problem:
    """A column of features that cannot be used: what was `found` in it and what is `allowed`."""

    name: str
    found: str
    allowed: str


def read_column(
    column: pd.Series, rules: TextRules, *, name: str, categorical: bool
) -> Column | Problem:
    """Read a column of features (row,); `categorical` says that it holds categories in any case."""
    if column.isna().all():
        return Problem(name, "has no value in any row", "")
    kind = kind_of(column)
    if categorical:
        return _categories(column, rules, name=name, wanted=True)
    if kind in NUMERIC_DTYPES:
        return _numbers(column, rules, name=name)
    if kind in TEXT_DTYPES:
        return _text(column, rules, name=name)
    if kind in CATEGORICAL_DTYPES:
        return _categories(column, rules, name=name, wanted=False)
    return Problem(name, f"holds {kind}", DATES_ALLOWED if is_temporal(kind) else _NO_COLUMN)


_NO_COLUMN = "allowed are numbers, text and booleans; turn it into numbers"


def kind_of(column: pd.Series) -> str:
    """Return what `pandas.api.types.infer_dtype` calls a column's values, missing ones aside."""
    return pd.api.types.infer_dtype(column, skipna=True)


def is_temporal(kind: str) -> bool:
    """Return whether `kind_of` a column says dates or times."""
    return kind.startswith(("date", "time", "period", "interval"))


def name_rows(positions: np.ndarray) -> str:
    """Name rows by their positions (row,): the first, counted from 1, and how many more."""
    more = len(positions) - 1
    return f"row {positions[0] + 1} (counted from 1)" + (f" and in {more} more" if more else "")


def as_booleans(column: pd.Series) -> pd.Series:
    """Return text (row,) that is booleans, however it writes them, as "True" and "False"."""
    values = column.dropna()
    if values.isin(list(_BOOLEANS)).all():
        return pd.Series([_BOOLEANS.get(word, np.nan) for word in column], dtype=object)
    return column


def _text(column: pd.Series, rules: TextRules, *, name: str) -> Column | Problem:
    cells = Cells.of(column)
    numbers = read_numbers(cells, rules)
    if isinstance(numbers, Unclear):
        return Problem(name, numbers.found, numbers.allowed)
    if numbers:
        return _numbers(pd.Series(numbers.values), rules, name=name, text=numbers)
    date = find_dates(cells, missing_among_numbers(cells, rules))
    if date is not None:
        return Problem(name, f"holds dates or times, such as {date!r}", DATES_ALLOWED)
    return _categories(column, rules, name=name, wanted=False, cells=cells)


def _numbers(
    column: pd.Series, rules: TextRules, *, name: str, text: Numbers | None = None
) -> Column | Problem:
    numbers = column.astype(np.float64)
    infinite = np.flatnonzero(np.isinf(numbers))
    if len(infinite):
        return Problem(
            name, f"is infinite in {name_rows(infinite)}", "allowed are finite numbers and missing"
        )
    words = dict(text.missing_words) if text else {}
    gone = rules.missing_numbers(numbers.to_numpy())
    if gone.any():
        words |= Counter(f"{number:g}" for number in numbers.to_numpy()[gone])
        numbers = numbers.mask(gone)
    if numbers.isna().all():
        return Problem(name, "has no value in any row", "")
    date = find_compact_dates(numbers.to_numpy())
    if date is not None:
        return Problem(name, f"holds dates or times, such as {date!r}", DATES_ALLOWED)
    if numbers.abs().max() > LARGEST:
        return Problem(name, f"holds {numbers.abs().max():g}", LARGEST_ALLOWED)
    reading = ColumnReading(
        name,
        "number",
        convention=text.convention if text else "",
        missing=int(numbers.isna().sum()),
        missing_words=words,
        features=1,
    )
    return Column(numbers, None, reading)


def _categories(
    column: pd.Series, rules: TextRules, *, name: str, wanted: bool, cells: Cells | None = None
) -> Column | Problem:
    cells = cells or Cells.of(column)
    gone = cells.among(rules.words(usual=PANDAS_WORDS))
    if gone[cells.codes].all():
        return Problem(name, "has no value in any row", "")
    values = as_booleans(_to_text(column).mask(gone[cells.codes]))
    categories = sorted(set(values.fillna(MISSING)))
    codes = _codes_remark(cells) if not wanted else ""
    if len(categories) > MAX_CATEGORIES and not wanted:
        found = f"has {len(categories)} categories" + (f" ({codes})" if codes else "")
        return Problem(name, found, _TOO_MANY)
    reading = ColumnReading(
        name,
        "category",
        missing=int(values.isna().sum()),
        missing_words=cells.tally(gone),
        categories=len(categories),
        features=len(categories),
        remark=codes,
    )
    return Column(values, categories, reading)


_TOO_MANY = f"allowed are {MAX_CATEGORIES} in a column that data.categorical does not name"


def _codes_remark(cells: Cells) -> str:
    """Say that whole numbers with zeros before them are codes, where a column is nothing else."""
    words = [word for word in cells.words if word.isdecimal()]
    zeros = [word for word in words if len(word) > 1 and word[0] == "0"]
    if not zeros or 2 * len(words) < len(cells.words):
        return ""
    return f"codes with zeros before them, such as {zeros[0]!r}"


def _to_text(column: pd.Series) -> pd.Series:
    pairs = zip(column.astype(object), column.notna(), strict=True)
    return pd.Series([str(value) if there else np.nan for value, there in pairs], dtype=object)


def list_problems(problems: list[Problem]) -> str:
    """Return one line that names every column that cannot be used, with what is allowed instead."""
    parts = []
    for allowed in dict.fromkeys(problem.allowed for problem in problems):
        alike = [problem for problem in problems if problem.allowed == allowed]
        found = ", ".join(f"column {problem.name!r} {problem.found}" for problem in alike)
        parts.append("; ".join(filter(None, (found, allowed))))
    names = ", ".join(f'"{problem.name}"' for problem in problems)
    them = "it" if len(problems) == 1 else "them"
    return f"data: {'; '.join(parts)}; or leave {them} out by drop = [{names}]"
