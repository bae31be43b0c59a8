"""Tables in files: CSV, TSV, Parquet and NPZ, each mistake told in one line."""

import re
import warnings
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from pyarrow import parquet

from finetune.data.table import named
from finetune.errors import DataError

Arrays = tuple[Any, Any]


def read_file(file: Path, *, format: str, target: str | None) -> pd.DataFrame | Arrays:
    """Read a file of data, whatever its bytes.

    Args:
        file: Where it is.
        format: One of `data_spec.FILE_FORMATS`.
        target: The key of the target in an NPZ file, `y` where it is None.

    Returns:
        A table with all columns, or `(x, y)` from an NPZ file.

    Raises:
        DataError: The file cannot be read, or does not parse; where lines have numbers, which.
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
    # Broken bytes make the readers raise all kinds of exceptions.
    except Exception as problem:
        raise _unreadable(file, format, problem) from problem


def _unreadable(file: Path, format: str, problem: Exception) -> DataError:
    said = " ".join(str(problem).split())[:200] or type(problem).__name__
    if isinstance(problem, UnicodeDecodeError):
        said = f"line {_line_of_bad_byte(file)} is not text in UTF-8"
    elif isinstance(problem, pd.errors.EmptyDataError):
        said = "it is empty; allowed is a line of column names and rows below it"
    elif isinstance(problem, pd.errors.ParserWarning):
        said = "the rows, from line 2 on, have more fields than line 1 has column names"
    elif isinstance(problem, pd.errors.ParserError):
        said = _in_lines(said)
    return DataError(f"data.source: {file.name} does not parse as {format} file: {said}")


def _in_lines(said: str) -> str:
    """Reword pandas: lines count from 1, its rows from 0."""
    said = said.removeprefix("Error tokenizing data. C error: ")
    fields = re.search(r"Expected (\d+) fields in line (\d+), saw (\d+)", said)
    if fields:
        expected, line, saw = fields.groups()
        return f"line {line} has {saw} fields; allowed are {expected}, as in the lines before it"
    return re.sub(r"\brow (\d+)", lambda row: f"line {int(row[1]) + 1}", said)


def _line_of_bad_byte(file: Path) -> int:
    data = file.read_bytes()
    try:
        data.decode()
    except UnicodeDecodeError as error:
        return data.count(b"\n", 0, error.start) + 1
    return 1


def _read_text(file: Path, *, separator: str) -> pd.DataFrame:
    with warnings.catch_warnings():
        # pandas would only warn, and leave fields out.
        warnings.simplefilter("error", pd.errors.ParserWarning)
        table = pd.read_csv(file, sep=separator, index_col=False, low_memory=False)
    # pandas renames a column whose name is there twice; so read the names alone.
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
    # Text that is not UTF-8 would otherwise show when someone looks at it.
    table.validate(full=True)
    return table.to_pandas()


def _read_npz(file: Path, target: str) -> Arrays:
    if not zipfile.is_zipfile(file):
        raise DataError(
            f"data.source: {file.name} does not parse as .npz file; allowed is what numpy.savez "
            "writes"
        )
    # numpy leaves a file open that it opens itself and finds broken.
    with file.open("rb") as opened, np.load(opened, allow_pickle=False) as archive:
        for field, key in (("data.source", "x"), ("data.target", target)):
            if key not in archive.files:
                raise DataError(
                    f"{field}: {file.name} has no array {key!r}; it holds "
                    f"{named(archive.files)}; allowed are 'x' with the "
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
