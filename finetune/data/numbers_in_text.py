"""Numbers that stand in a table as text: what is missing, and the one convention of the rest."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from finetune.data.cells import WORDS_AMONG_NUMBERS, Cells, TextRules, to_numbers
from finetune.data.conventions import CONVENTIONS, PLAIN, Convention, Written, take_apart

# The share of a column's cells, those missing left aside, that must read as numbers.
NEARLY_ALL = 0.95
# With this share of numbers, and more different ones, text is no plain list of categories either.
_MANY, _MANY_DIFFERENT = 0.5, 20

# A whole number with zeros before it.
_CODE = re.compile(r"0[0-9]+")


@dataclass(frozen=True)
class Numbers:
    """A column of text read as numbers.

    Attributes:
        values: (row,), float64 with NaN where missing.
        convention: In words, empty where it is plain.
        missing_words: How many cells hold each word that was taken for missing.
    """

    values: np.ndarray
    convention: str
    missing_words: Mapping[str, int]


@dataclass(frozen=True)
class Unclear:
    """Why a column can be read in two ways: what was `found`, and what is `allowed`."""

    found: str
    allowed: str


def read_numbers(
    cells: Cells, rules: TextRules, *, whole: bool = False
) -> Numbers | Unclear | None:
    """Read a column of text as numbers, where it is one.

    It is, where at least 95 % of the cells that are not missing read as numbers in one convention;
    what does not is missing then. The convention is the one that reads most cells; plain numbers,
    as Python writes them, come first among equals. Not numbers are:

    - whole numbers of which some begin with 0, as 01234, which are codes;
    - one and the same number beside words for missing, which is one of two categories.

    Args:
        cells: The column.
        rules: What the study says of it.
        whole: Whether every cell must be a number, as in a target, where only an empty cell and
            `rules.missing` are missing.

    Returns:
        The numbers; None where the column is not numbers; why not, where it may be.
    """
    missing = missing_among_numbers(cells, rules, strict=whole)
    best = _best_reading(cells, missing, rules)
    if isinstance(best, Unclear):
        return best
    read = ~np.isnan(best.values)
    share = _share(cells, read, missing)
    different = len(np.unique(best.values[read]))
    if not read.any() or _are_codes(cells, read, best.values):
        return None
    if share < (1 if whole else NEARLY_ALL):
        if share < _MANY or different <= _MANY_DIFFERENT:
            return None
        return _half_numbers(cells, ~read & ~missing, different, rules, target=whole)
    words = cells.tally(~read)
    if different == 1 and words:
        return None
    return _mixed_units(best) or Numbers(best.values[cells.codes], best.words(), words)


def missing_among_numbers(cells: Cells, rules: TextRules, *, strict: bool = False) -> np.ndarray:
    """Return which words (word,) stand for missing among numbers, the usual ones not if strict."""
    usual = () if strict else WORDS_AMONG_NUMBERS
    return cells.among(rules.words(usual=usual), fold=rules.missing is None)


@dataclass(frozen=True)
class _Reading:
    """Values (word,) in one convention, NaN where a word is no number, and the signs of units."""

    convention: Convention
    values: np.ndarray
    units: tuple[str, ...] = ()
    some_bare: bool = False

    def words(self) -> str:
        signs = (str(self.convention), *map(repr, self.units))
        listed = " and ".join(filter(None, signs))
        return f"with {listed}" if listed else ""


def _share(cells: Cells, chosen: np.ndarray, missing: np.ndarray) -> float:
    """Return the share of the cells, those missing left aside, that hold the chosen words."""
    counts = np.where(missing, 0, cells.counts)
    return float(counts[chosen].sum() / max(1, counts.sum()))


def _best_reading(cells: Cells, missing: np.ndarray, rules: TextRules) -> _Reading | Unclear:
    declared = [convention for convention in CONVENTIONS if _is_declared(convention, rules)]
    plain = _Reading(PLAIN, to_numbers(np.where(missing, "", cells.words)))
    if PLAIN in declared and _share(cells, ~np.isnan(plain.values), missing) == 1:
        return plain
    written = [
        None if gone else take_apart(word) for word, gone in zip(cells.words, missing, strict=True)
    ]
    if not any(written):
        return plain
    best = _most_read(cells, missing, written, declared)
    # A column that is written otherwise than the study declares can still be plain to see.
    if _share(cells, ~np.isnan(best[0].values), missing) < NEARLY_ALL:
        best = _most_read(cells, missing, written, CONVENTIONS)
    return _only(cells, best)


def _is_declared(convention: Convention, rules: TextRules) -> bool:
    return rules.decimal in (None, convention.decimal) and (
        rules.thousands in (None, convention.thousands)
    )


def _most_read(
    cells: Cells,
    missing: np.ndarray,
    written: list[Written | None],
    conventions: Sequence[Convention],
) -> list[_Reading]:
    """Return the readings, in the order of the conventions, that read as many cells as any."""
    units = tuple(sorted({one.unit for one in written if one and one.unit}))
    some_bare = any(one and not one.unit and one.digits.strip("0.,") for one in written)
    readings = [
        _Reading(
            convention,
            to_numbers([one.value(convention) if one else "" for one in written]),
            units,
            some_bare,
        )
        for convention in conventions
    ]
    shares = [_share(cells, ~np.isnan(reading.values), missing) for reading in readings]
    return [one for one, share in zip(readings, shares, strict=True) if share == max(shares)]


def _only(cells: Cells, best: list[_Reading]) -> _Reading | Unclear:
    """Return the first of the best readings, or why another differs."""
    first = best[0]
    if first.convention == PLAIN:
        return first
    for other in best[1:]:
        if not np.array_equal(first.values, other.values, equal_nan=True):
            return _two_readings(cells, first, other)
    return first


def _two_readings(cells: Cells, one: _Reading, other: _Reading) -> Unclear | _Reading:
    both = ~np.isnan(one.values) & ~np.isnan(other.values) & (one.values != other.values)
    if not both.any():
        return one
    place = np.flatnonzero(both)[0]
    return Unclear(
        f"holds {cells.words[place]!r}, which is {one.values[place]:.15g} with {one.convention} "
        f"and {other.values[place]:.15g} with {other.convention}",
        f"say which: {one.convention.key} or {other.convention.key}",
    )


def _are_codes(cells: Cells, read: np.ndarray, values: np.ndarray) -> bool:
    whole = bool((values[read] == np.floor(values[read])).all())
    return whole and any(_CODE.fullmatch(word) for word in cells.words[read])


def _half_numbers(
    cells: Cells, others: np.ndarray, different: int, rules: TextRules, *, target: bool
) -> Unclear:
    words = cells.tally(others)
    first = max(words, key=lambda word: words[word])
    more = f" and {len(words) - 1} other words" if len(words) > 1 else ""
    missing = ", ".join(f'"{word}"' for word in (*(rules.missing or ()), first))
    classes = (
        'data.task = "multiclass"' if target else "data.categorical, where they are categories"
    )
    return Unclear(
        f"holds {different} different numbers, but also {first!r}{more} in {sum(words.values())} "
        "cells",
        f"say what these are: data.missing = [{missing}], or {classes}",
    )


def _mixed_units(reading: _Reading) -> Unclear | None:
    if len(reading.units) > 1:
        signs = " and ".join(map(repr, reading.units))
        return Unclear(f"holds numbers with {signs}", "allowed is one unit a column; convert them")
    if "%" in reading.units and reading.some_bare:
        return Unclear("holds numbers with '%' and without", "allowed is either; write all alike")
    return None
