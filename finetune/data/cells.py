"""Cells of text: a column's distinct words, and which of them stand for missing."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from finetune.spec.data import DataSpec

# What `pandas.read_csv` takes for missing.
PANDAS_WORDS = frozenset(
    {
        *("#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN"),
        *("<NA>", "N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null"),
    }
)
# Among numbers these stand for missing too, and all of them whatever their case: marks, the
# dashes of typographers, and what spreadsheets write for an error.
WORDS_AMONG_NUMBERS = frozenset(
    {
        *("?", "??", "-", "--", "---", "\u2013", "\u2014", ".", "..", "n.a.", "n/d", "nil"),
        *("#div/0!", "#name?", "#null!", "#num!", "#ref!", "#value!"),
        *(word.casefold() for word in PANDAS_WORDS),
    }
)


@dataclass(frozen=True)
class TextRules:
    """What a study says of text that is numbers: `decimal`, `thousands` and `missing` of `data`."""

    decimal: str | None = None
    thousands: str | None = None
    missing: tuple[str, ...] | None = None

    @classmethod
    def of(cls, spec: DataSpec) -> "TextRules":
        """Return the rules of a study's data."""
        return cls(spec.decimal, spec.thousands, spec.missing)

    def words(self, *, usual: Iterable[str]) -> frozenset[str]:
        """Return the words for missing: those of the study, where it names some, or the usual."""
        return frozenset(usual if self.missing is None else map(str.strip, self.missing))

    def missing_numbers(self, numbers: np.ndarray) -> np.ndarray:
        """Return which numbers (row,) are among the study's words for missing, as -999 may be."""
        words = to_numbers(list(self.missing or ()))
        return np.isin(numbers, words[~np.isnan(words)])


@dataclass(frozen=True)
class Cells:
    """The text of a column.

    Attributes:
        words: (word,): the distinct cells as text, without white space around them; that of a
            missing value is empty.
        codes: (row,): each row's position in `words`.
    """

    words: np.ndarray
    codes: np.ndarray

    @classmethod
    def of(cls, column: pd.Series) -> "Cells":
        """Return the text of a column of any values."""
        values: Any = column.astype(object).where(column.notna(), "")
        codes, found = pd.factorize(_objects([str(value) for value in values]))
        again, words = pd.factorize(_objects([str(word).strip() for word in found]))
        return cls(np.asarray(words), again[codes])

    @cached_property
    def counts(self) -> np.ndarray:
        """How many cells hold each word: (word,)."""
        return np.bincount(self.codes, minlength=len(self.words))

    def tally(self, chosen: np.ndarray) -> dict[str, int]:
        """Return how many cells hold each of the chosen words (word,), the empty one left out."""
        pairs = zip(self.words[chosen], self.counts[chosen], strict=True)
        return {word: int(count) for word, count in pairs if word}

    def among(self, words: frozenset[str], *, fold: bool = False) -> np.ndarray:
        """Return which words (word,) are empty or among some, whatever their case if `fold`."""
        return np.array(
            [not w or (w.casefold() if fold else w) in words for w in self.words], dtype=bool
        )


def to_numbers(words: Any) -> np.ndarray:
    """Return words (word,) as float64, NaN where one is no number as Python writes it."""
    numbers: Any = pd.to_numeric(_objects(words), errors="coerce")
    return np.asarray(numbers, dtype=np.float64)


def _objects(words: Any) -> np.ndarray:
    # As objects, since text of NumPy's or Arrow's own type cannot hold every string of Python's.
    return np.array(words, dtype=object)
