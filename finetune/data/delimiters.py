"""Text files of tables: what separates their fields, and whether line 1 holds names."""

import csv
from collections.abc import Sequence
from itertools import islice
from pathlib import Path

import numpy as np
import pandas as pd

from finetune.data.cells import Cells, TextRules
from finetune.data.dates import is_date
from finetune.data.numbers_in_text import Numbers, read_numbers

DELIMITERS = (",", ";", "\t", "|")

# Lines that are looked at.
_LINES = 50


def find_delimiter(file: Path, *, usual: str) -> str:
    """Return what separates the fields of a text file, one of `DELIMITERS`.

    It is the usual one, where that splits all of the first lines into as many fields, two or more;
    else the one of the others that does so into most; else the one that splits line 1 into most.
    """
    ordered = (usual, *(sign for sign in DELIMITERS if sign != usual))
    fields = {sign: _fields(file, sign) for sign in ordered}
    steady = [sign for sign in ordered if len(set(fields[sign])) == 1 and fields[sign][0] > 1]
    if usual in steady:
        return usual
    # `max` returns the first of equals, and so the usual one.
    return max(steady or ordered, key=lambda sign: (fields[sign] or [0])[0])


def are_values(names: Sequence[str], table: pd.DataFrame) -> bool:
    """Return whether the names of a table's columns look like one more row of it.

    Each is a number, a date, or a value of its own column, and one at least is a number or a date;
    whole numbers from 0 or 1 on are names, since pandas and NumPy count columns so.
    """
    named = [name for name in names if name]
    counted = [str(number) for number in range(len(named) + 1)]
    if not named or named in (counted[:-1], counted[1:]):
        return False
    values = [_is_number(name) or is_date(name.strip()) for name in names]
    return any(values) and all(
        value or not name or bool((table.iloc[:, place] == name).any())
        for place, (name, value) in enumerate(zip(names, values, strict=True))
    )


def _fields(file: Path, delimiter: str) -> list[int]:
    """Count the fields of each of the first lines that is not empty."""
    try:
        with file.open(encoding="utf-8-sig", errors="replace", newline="") as opened:
            return [
                len(row)
                for row in islice(filter(None, csv.reader(opened, delimiter=delimiter)), _LINES)
            ]
    except csv.Error:
        return []


def _is_number(name: str) -> bool:
    cells = Cells(np.array([name.strip()], dtype=object), np.zeros(1, dtype=np.int64))
    return isinstance(read_numbers(cells, TextRules(decimal=".")), Numbers)
