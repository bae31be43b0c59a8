"""Tables as CSV text that a spreadsheet shows and does not compute; and the way back."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from finetune.errors import escape_unprintable

# A spreadsheet takes what begins so for a formula. The apostrophe, which marks what follows as
# text, is doubled where it stands already, so that every text can be read back.
# Source: OWASP, "CSV injection".
_FORMULA = re.compile(r"'*[=+\-@\uff1d\uff0b\uff0d\uff20]")


def csv_text(table: pd.DataFrame) -> str:
    """Return a table as CSV: equal for equal tables, floats with all their digits.

    Texts, also names of columns, that a spreadsheet would take for a formula begin with an
    apostrophe, and control characters, tabs and line breaks too, are escapes; numbers stay as they
    are.
    """
    safe = table.rename(columns=_marked)
    for place, dtype in enumerate(table.dtypes):
        if not pd.api.types.is_numeric_dtype(dtype):
            safe.isetitem(place, table.iloc[:, place].astype(object).map(_marked))
    return safe.to_csv(index=False, lineterminator="\n")


def csv_files(frames: Mapping[str, pd.DataFrame]) -> dict[str, bytes]:
    """Return each table that has columns, by path in a report's folder."""
    return {
        f"tables/{name}.csv": csv_text(table).encode()
        for name, table in frames.items()
        if len(table.columns)
    }


def read_csv_text(path: Path) -> pd.DataFrame:
    """Read a table that `csv_text` wrote; a text in it may be any, as "None" or "NA"."""
    table = pd.read_csv(path, keep_default_na=False, na_values=[""], skip_blank_lines=False).rename(
        columns=_unmarked
    )
    return table.map(_unmarked)


def _marked(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    return f"'{escape_unprintable(value)}" if _FORMULA.match(value) else escape_unprintable(value)


def _unmarked(value: Any) -> Any:
    marked = isinstance(value, str) and value.startswith("'") and _FORMULA.match(value)
    return value[1:] if marked else value
