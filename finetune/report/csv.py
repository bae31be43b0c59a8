"""Tables as CSV text that a spreadsheet shows and does not compute; and the way back."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

import pandas as pd

from finetune.errors import escape_unprintable

# A spreadsheet takes what begins so for a formula: at the start of a text, or after a character
# that separates fields where commas do not, in which case quotes in a line's middle are none. The
# apostrophe, which marks what follows as text, is put before any that stands there already, so
# that every text can be read back.
# Source: OWASP, "CSV injection".
_START, _SIGN = r"(^|[;,|\t])", r"(?=[ \"']*[=+\-@\uff1d\uff0b\uff0d\uff20])"
_FORMULA, _MARKED = re.compile(_START + _SIGN), re.compile(f"{_START}'{_SIGN}")


def csv_text(table: pd.DataFrame) -> str:
    """Return a table as CSV: equal for equal tables, floats with all their digits.

    What a spreadsheet would take for a formula in a text, or the name of a column, begins with an
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


def read_csv_text(path: Path | BinaryIO) -> pd.DataFrame:
    """Read a table that `csv_text` wrote; a text in it may be any, as "None" or "NA"."""
    table = pd.read_csv(path, keep_default_na=False, na_values=[""], skip_blank_lines=False).rename(
        columns=_unmarked
    )
    return table.map(_unmarked)


def _marked(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    return _FORMULA.sub(r"\1'", escape_unprintable(value))


def _unmarked(value: Any) -> Any:
    return _MARKED.sub(r"\1", value) if isinstance(value, str) else value
