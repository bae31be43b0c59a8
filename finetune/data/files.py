"""Tables in files: CSV, TSV, Parquet and NPZ, whatever is wrong with one in one line."""

import re
import warnings
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from pyarrow import parquet

from finetune.data.table import list_names
from finetune.errors import DataError, one_line

Arrays = tuple[Any, Any]


def read_file(file: Path, *, format: str, target: str | None) -> pd.DataFrame | Arrays:
    """Read a file of data.

    Args:
        file: Its path.
        format: One of `finetune.spec.data.FILE_FORMATS`.
        target: The key of the target in an NPZ file; None stands for `y`.

    Returns:
        A frame (row, column) with all columns, or `(x, y)` from an NPZ file.

    Raises:
        DataError: The file cannot be read or parsed, whatever its bytes; the message gives the
            number of the line where there is one.
    """
    try:
        match format:
            case ".parquet":
                return _read_parquet(file)
            case ".npz":
                return _read_npz(file, target or "y")
            case _:
                return _read_text(file, separator="\t" if format == ".tsv" else ",")
    except DataError:
        raise
    # Broken bytes make the readers raise many kinds of exceptions.
    except Exception as problem:
        raise _unreadable(file, format, problem) from problem


def _unreadable(file: Path, format: str, problem: Exception) -> DataError:
    reason = one_line(problem)[:200] or type(problem).__name__
    if isinstance(problem, UnicodeDecodeError):
        reason = f"line {_line_of_bad_byte(file)} is not text in UTF-8"
    elif isinstance(problem, pd.errors.EmptyDataError):
        reason = "it is empty; allowed is a line of column names and rows below it"
    elif isinstance(problem, pd.errors.ParserWarning):
        reason = "the rows, from line 2 on, have more fields than line 1 has column names"
    elif isinstance(problem, pd.errors.ParserError):
        reason = _reword_parser_error(reason)
    return DataError(f"data.source: {file.name} does not parse as {format} file: {reason}")


def _reword_parser_error(message: str) -> str:
    """Reword a message of pandas, whose rows count from 0, in lines that count from 1."""
    message = message.removeprefix("Error tokenizing data. C error: ")
    fields = re.search(r"Expected (\d+) fields in line (\d+), saw (\d+)", message)
    if fields:
        expected, line, saw = fields.groups()
        return f"line {line} has {saw} fields; allowed are {expected}, as in the lines before it"
    return re.sub(r"\brow (\d+)", lambda row: f"line {int(row[1]) + 1}", message)


def _line_of_bad_byte(file: Path) -> int:
    data = file.read_bytes()
    try:
        data.decode()
    except UnicodeDecodeError as error:
        return data.count(b"\n", 0, error.start) + 1
    return 1


def _read_text(file: Path, *, separator: str) -> pd.DataFrame:
    with warnings.catch_warnings():
        # pandas would only warn, and drop fields.
        warnings.simplefilter("error", pd.errors.ParserWarning)
        table = pd.read_csv(file, sep=separator, index_col=False, low_memory=False)
    # pandas renames the second of two columns of one name, so the header is read on its own.
    names = pd.read_csv(file, sep=separator, header=None, nrows=1, dtype=str).iloc[0]
    repeated = names[names.duplicated() & names.notna()]
    if len(repeated):
        raise DataError(
            f"data.source: {file.name} has the column {repeated.iloc[0]!r} more than once; allowed "
            "is once each; rename all but one"
        )
    return table


def _read_parquet(file: Path) -> pd.DataFrame:
    table = parquet.read_table(file)
    # Otherwise text that is not UTF-8 raises only when it is used.
    table.validate(full=True)
    return table.to_pandas()


def _read_npz(file: Path, target: str) -> Arrays:
    if not zipfile.is_zipfile(file):
        raise DataError(
            f"data.source: {file.name} does not parse as .npz file; allowed is what numpy.savez "
            "writes"
        )
    # NumPy does not close a broken file that it has opened itself.
    with file.open("rb") as opened, np.load(opened, allow_pickle=False) as archive:
        for field, key in (("data.source", "x"), ("data.target", target)):
            if key not in archive.files:
                raise DataError(
                    f"{field}: {file.name} has no array {key!r}; it holds "
                    f"{list_names(archive.files)}; allowed are 'x' with the "
                    "features and 'y', or the one that data.target names, with the target"
                )
        return _array(archive, "x", file), _array(archive, target, file)


def _array(archive: Any, key: str, file: Path) -> np.ndarray:
    try:
        return archive[key]
    except ValueError as problem:
        if "allow_pickle" not in str(problem):
            raise
        raise DataError(
            f"data.source: the array {key!r} of {file.name} holds Python objects; allowed are "
            "numbers, booleans and text of numpy's own types"
        ) from problem
