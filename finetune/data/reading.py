"""How a table was read: a record for each column, and the plain sentences that say it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

ColumnKind = Literal["number", "category", "dropped"]

# A sentence names at most this many of the words that were taken for missing.
_MAX_WORDS = 5


@dataclass(frozen=True)
class ColumnReading:
    """What one column was read as, and what became of it.

    Attributes:
        name: Its name; a target without one is called "target".
        kind: "number", "category", or "dropped" where `data.drop` names it.
        convention: How its text writes numbers, in words; empty where that is plain.
        missing: Number of cells that are missing.
        missing_words: How many cells hold each word that was taken for missing, empty cells not
            among them.
        categories: Number of categories, missing being one; 0 for numbers.
        features: Number of columns that the network gets of it; 0 for the target.
        remark: Why it was read so, where that is not plain; else empty.
        scaled: Whether numbers are scaled.
        input: The network's input that it is for; empty where there is one.
    """

    name: str
    kind: ColumnKind
    convention: str = ""
    missing: int = 0
    missing_words: Mapping[str, int] = field(default_factory=dict)
    categories: int = 0
    features: int = 0
    remark: str = ""
    scaled: bool = True
    input: str = ""

    @property
    def full_name(self) -> str:
        """Its name, and the input that it is for where there are several."""
        return f"{self.name} of {self.input}" if self.input not in ("", self.name) else self.name

    @property
    def of_array(self) -> bool:
        """Whether it is all of an array, whose rows are no list of columns."""
        return self.kind == "number" and self.features > 1

    @property
    def notable(self) -> bool:
        """Whether a choice was made that the reader should know of."""
        return bool(self.convention or self.missing_words or self.remark)


@dataclass(frozen=True)
class TableReading:
    """What a table was read as.

    Attributes:
        target: The column that is predicted.
        columns: All others, those that `data.drop` names last.
        delimiter: What stands between the fields of a text file, where it is not what the file's
            suffix says; else None.
    """

    target: ColumnReading
    columns: tuple[ColumnReading, ...]
    delimiter: str | None = None


def describe(column: ColumnReading) -> str:
    """Return a sentence without a stop: "horsepower: numbers, 6 cells ('?') taken for missing"."""
    return ", ".join(filter(None, (_kind(column), _missing(column), column.remark)))


def reading_notes(reading: TableReading) -> tuple[str, ...]:
    """Return a sentence for each choice that was made in reading: delimiter, words, conventions."""
    delimiter = DELIMITER_NAMES.get(reading.delimiter or "", reading.delimiter)
    first = (f"the file's fields are separated by {delimiter}",) if reading.delimiter else ()
    columns = (reading.target, *reading.columns)
    return (*first, *(describe(column) for column in columns if column.notable))


def list_words(words: Mapping[str, int]) -> str:
    """Return the words of a count, the most frequent first, as "'?', 'NA' and 3 more"."""
    ranked = sorted(words, key=lambda word: (-words[word], word))
    listed = ", ".join(map(repr, ranked[:_MAX_WORDS]))
    more = len(ranked) - _MAX_WORDS
    return f"{listed} and {more} more" if more > 0 else listed


DELIMITER_NAMES: Mapping[str, str] = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "'|'"}


def _kind(column: ColumnReading) -> str:
    match column.kind:
        case "number":
            return f"{column.full_name}: numbers" + f" {column.convention}".rstrip()
        case "category":
            return f"{column.full_name}: {column.categories} categories"
        case "dropped":
            return f"{column.name}: left out"


def _missing(column: ColumnReading) -> str:
    if not column.missing:
        return ""
    cells = "1 cell" if column.missing == 1 else f"{column.missing} cells"
    words = column.missing_words
    if not words:
        return f"{cells} missing"
    empty = column.missing - sum(words.values())
    listed = list_words(words) + (f" and {empty} empty" if empty else "")
    return f"{cells} ({listed}) taken for missing"
