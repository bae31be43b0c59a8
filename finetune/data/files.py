"""Tables in files: CSV, TSV, Parquet and NPZ, whatever is wrong with one in one line."""

import re
import warnings
import zipfile
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from pyarrow import parquet

from finetune.data.delimiters import are_values, find_delimiter
from finetune.data.size import file_size
from finetune.data.table import list_names
from finetune.errors import DataError, one_line
from finetune.spec.regular_file import check_regular

Arrays = tuple[Any, Any]


@dataclass(frozen=True)
class FileContent:
    """What a file holds.

    Attributes:
        rows: A frame (row, column) with all columns, those of text files as text, or `(x, y)` from
            an NPZ file, where `x` is a dictionary of the inputs that were asked for.
        delimiter: What separates the fields of a text file, where its suffix says otherwise.
        beside: The arrays of an NPZ file beside features and target that were asked for, by key.
    """

    rows: pd.DataFrame | Arrays
    delimiter: str | None = None
    beside: Mapping[str, np.ndarray] = field(default_factory=dict)


def read_file(
    file: Path,
    *,
    format: str,
    target: str | None,
    beside: Mapping[str, str],
    inputs: tuple[str, ...] | None = None,
) -> FileContent:
    """Read a file of data.

    Args:
        file: Its path.
        format: One of `finetune.spec.data.FILE_FORMATS`.
        target: The name of the target; in an NPZ file None stands for `y`.
        beside: The names of further arrays of an NPZ file, by the key of `[data]` that names them;
            in other files they are columns.
        inputs: The names of the arrays of an NPZ file that are the inputs of a network with
            several; None stands for one, `x`.

    Raises:
        DataError: The file cannot be read or parsed, whatever its bytes; the message gives the
            number of the line where there is one.
    """
    try:
        check_regular(file)
        match format:
            case ".parquet":
                return FileContent(_read_parquet(file))
            case ".npz":
                return _read_npz(file, target or "y", beside=beside, inputs=inputs)
            case _:
                usual = "\t" if format == ".tsv" else ","
                delimiter = find_delimiter(file, usual=usual)
                rows = _read_text(file, delimiter=delimiter, target=target)
                return FileContent(rows, delimiter if delimiter != usual else None)
    except DataError:
        raise
    # Broken bytes make the readers raise many kinds of exceptions.
    except Exception as problem:
        raise _unreadable(file, format, problem) from problem


def _unreadable(file: Path, format: str, problem: Exception) -> DataError:
    reason = one_line(problem)[:200] or type(problem).__name__
    if isinstance(problem, UnicodeDecodeError):
        reason = f"line {_line_of_bad_byte(file)} is not text in UTF-8"
    elif isinstance(problem, OSError) and problem.strerror:
        reason = problem.strerror
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


def _read_text(file: Path, *, delimiter: str, target: str | None) -> pd.DataFrame:
    # Empty cells alone are missing: which words are is for each column to say.
    options: Any = {"sep": delimiter, "keep_default_na": False, "na_values": [""]}
    with warnings.catch_warnings():
        # pandas would only warn, and drop fields.
        warnings.simplefilter("error", pd.errors.ParserWarning)
        table = pd.read_csv(file, index_col=False, low_memory=False, **options)
    table = _with_codes(table, file, dtype=str, **options)
    # pandas renames the second of two columns of one name, so the header is read on its own.
    options |= {"dtype": str, "na_filter": False}
    names = [str(name) for name in pd.read_csv(file, header=None, nrows=1, **options).iloc[0]]
    repeated = [name for name, count in Counter(names).items() if name and count > 1]
    if (repeated or target not in names) and are_values(names, table):
        raise DataError(
            f"data.source: line 1 of {file.name} holds values ({list_names(names)}), not names; "
            "allowed is a line of column names above the rows; add one"
        )
    if repeated:
        raise DataError(
            f"data.source: {file.name} has the column {repeated[0]!r} more than once; allowed "
            "is once each; rename all but one"
        )
    return table


def _with_codes(table: pd.DataFrame, file: Path, **options: Any) -> pd.DataFrame:
    """Return a table with codes such as 01234, of which pandas makes whole numbers, as text."""
    whole = [place for place in range(table.shape[1]) if _is_whole(table.iloc[:, place])]
    if not whole:
        return table
    written = pd.read_csv(file, index_col=False, usecols=whole, **options)
    table = table.copy()
    for number, place in enumerate(whole):
        text: Any = written.iloc[:, number]
        if text.str.fullmatch(r"\s*0[0-9]+\s*").any():
            table.isetitem(place, text)
    return table


def _is_whole(column: Any) -> bool:
    if not pd.api.types.is_numeric_dtype(column) or pd.api.types.is_bool_dtype(column):
        return False
    return bool((column.dropna() % 1 == 0).all())


def _read_parquet(file: Path) -> pd.DataFrame:
    table = parquet.read_table(file)
    # Otherwise text that is not UTF-8 raises only when it is used.
    table.validate(full=True)
    return table.to_pandas()


def _read_npz(
    file: Path, target: str, *, beside: Mapping[str, str], inputs: tuple[str, ...] | None
) -> FileContent:
    if not zipfile.is_zipfile(file):
        raise DataError(
            f"data.source: {file.name} does not parse as .npz file; allowed is what numpy.savez "
            "writes"
        )
    # NumPy would first read a header of any length.
    file_size(file, format=".npz", target=target, beside=beside.values(), inputs=inputs)
    # NumPy does not close a broken file that it has opened itself.
    with file.open("rb") as opened, np.load(opened, allow_pickle=False) as archive:
        features = [("inputs", name) for name in inputs] if inputs else [("source", "x")]
        for role, key in (*features, ("target", target), *beside.items()):
            if key not in archive.files:
                raise DataError(
                    f"data.{role}: {file.name} has no array {key!r}; it holds "
                    f"{list_names(archive.files)}; allowed are 'x' with the features, or several "
                    "inputs that data.inputs names, and 'y', or the one that data.target names, "
                    "with the target"
                )
        named = {name: _array(archive, name, file) for name in inputs or ()}
        x, y = named or _array(archive, "x", file), _array(archive, target, file)
        arrays = {key: _array(archive, name, file) for key, name in beside.items()}
        return FileContent((x, y), beside=arrays)


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
