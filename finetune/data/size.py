"""How much a study's data take once they are loaded, from headers and arguments alone."""

import math
import struct
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from finetune.errors import DataError, FinetuneError
from finetune.spec.data import DataSpec
from finetune.usercode.files import locate_file

# Rows and features of the data sets that come with scikit-learn.
_LOADERS: dict[str, tuple[int, int]] = {
    "load_breast_cancer": (569, 30),
    "load_diabetes": (442, 10),
    "load_digits": (1797, 64),
    "load_iris": (150, 4),
    "load_linnerud": (20, 3),
    "load_wine": (178, 13),
}

# What scikit-learn's generators have where an argument is not given.
_USUAL_ROWS, _USUAL_FEATURES = 100, 2
_ROWS = {"make_hastie_10_2": 12000}
_FEATURES = {
    "make_classification": 20, "make_friedman1": 10, "make_friedman2": 4, "make_friedman3": 4,
    "make_hastie_10_2": 10, "make_multilabel_classification": 20, "make_regression": 100,
    "make_s_curve": 3, "make_sparse_uncorrelated": 10, "make_swiss_roll": 3,
}  # fmt: skip
# A matrix of this argument by itself: of a random rotation, and of a covariance.
_SQUARED = {"make_classification": "n_informative", "make_gaussian_quantiles": "n_features"}

# NumPy itself refuses a longer header, once it has read it.
_LONGEST_HEADER = 10_000
_BLOCK = 2**20


@dataclass(frozen=True)
class DataSize:
    """Rows and features of some data, and the bytes that they take as they come."""

    n_rows: int
    n_features: int
    n_bytes: int


def data_size(data: DataSpec) -> DataSize | None:
    """Return the size of a study's data, loading none; None where only loading them tells.

    Raises:
        DataError: The file has an array that no program wrote.
    """
    if data.kind == "function":
        return None
    if data.kind == "file":
        return _size_of_source(data)
    if data.source in _LOADERS:
        n_rows, n_features = _LOADERS[data.source]
        return DataSize(n_rows, n_features, n_rows * n_features * 8)
    return _size_of_generated(data)


def file_size(
    file: Path,
    *,
    format: str,
    target: str | None,
    beside: Iterable[str] = (),
    inputs: Iterable[str] | None = None,
) -> DataSize | None:
    """Return the size of the table in a file as `read_file` would load it; None where it is broken.

    Args:
        file: Its path.
        format: One of `finetune.spec.data.FILE_FORMATS`.
        target: The key of the target in an NPZ file; None stands for `y`.
        beside: Those of further arrays that are read.
        inputs: Those of several inputs; None stands for one, `x`.

    Raises:
        DataError: An array in an NPZ file has a header that no program wrote.
    """
    try:
        match format:
            case ".npz":
                return _npz_size(file, inputs or ("x",), (target or "y", *beside))
            case ".parquet":
                return _parquet_size(file)
            case _:
                return _text_size(file, b"\t" if format == ".tsv" else b",")
    except DataError:
        raise
    # Whoever loads the file says what is wrong with it.
    except Exception:
        return None


def _size_of_source(data: DataSpec) -> DataSize | None:
    try:
        file = locate_file(data, data.source, field="data.source", error=DataError)
    except FinetuneError:
        return None
    beside = data.beside.values()
    inputs = data.inputs
    return file_size(file, format=data.format, target=data.target, beside=beside, inputs=inputs)


def _size_of_generated(data: DataSpec) -> DataSize | None:
    rows: Any = data.args.get("n_samples", _ROWS.get(data.source, _USUAL_ROWS))
    # A list counts the rows of each class.
    rows = sum(rows) if isinstance(rows, list) and all(map(_is_count, rows)) else rows
    features = data.args.get("n_features", _FEATURES.get(data.source, _USUAL_FEATURES))
    if not (_is_count(rows) and _is_count(features)):
        return None
    # Targets of several classes, effective ranks and centres make arrays of their own.
    others = [
        value
        for name, value in data.args.items()
        if name not in ("n_samples", "n_features", "random_state") and _is_count(value)
    ]
    square = data.args.get(_SQUARED.get(data.source, ""), 0)
    largest = max(
        rows * max(features, *others, 0),
        features * max(others, default=0),
        square * square if _is_count(square) else 0,
    )
    return DataSize(rows, features, largest * 8)


def _is_count(value: Any) -> bool:
    return type(value) is int and 0 <= value < 10**15


def _npz_size(file: Path, inputs: Iterable[str], others: Iterable[str]) -> DataSize:
    with zipfile.ZipFile(file) as archive:
        features = [_array_size(archive, key) for key in inputs]
        sizes = [*features, *(_array_size(archive, key) for key in others)]
    n_features = sum(math.prod(shape[1:]) for shape, _ in features)
    shape = features[0][0]
    return DataSize(shape[0] if shape else 1, n_features, sum(size for _, size in sizes))


def _array_size(archive: zipfile.ZipFile, key: str) -> tuple[tuple[int, ...], int]:
    """Return the shape of an array in an archive of NumPy's, and the bytes that it takes.

    Source: NEP 1, "A Simple File Format for NumPy Arrays".
    """
    from numpy.lib import format as numpy_format  # noqa: PLC0415

    name = key if key in archive.namelist() else f"{key}.npy"
    with archive.open(name) as member:
        version = numpy_format.read_magic(member)
        width = "<H" if version == (1, 0) else "<I"
        (length,) = struct.unpack(width, member.read(struct.calcsize(width)))
    if length > _LONGEST_HEADER:
        raise DataError(
            f"data.source: the array {key!r} has a header of {length} bytes; allowed are at most "
            f"{_LONGEST_HEADER}, as numpy.savez writes them"
        )
    with archive.open(name) as member:
        version = numpy_format.read_magic(member)
        read = numpy_format.read_array_header_1_0
        if version != (1, 0):
            read = numpy_format.read_array_header_2_0
        shape, _, dtype = read(member)
    return shape, max(math.prod(shape) * dtype.itemsize, archive.getinfo(name).file_size)


def _parquet_size(file: Path) -> DataSize:
    from pyarrow import parquet  # noqa: PLC0415

    metadata = parquet.read_metadata(file)
    groups = (metadata.row_group(number) for number in range(metadata.num_row_groups))
    stored = sum(group.total_byte_size for group in groups)
    # What repeats is stored once. The table is held twice, as Arrow's and as pandas's.
    held = max(stored, metadata.num_rows * metadata.num_columns * 8)
    return DataSize(metadata.num_rows, max(1, metadata.num_columns - 1), 2 * held)


def _text_size(file: Path, separator: bytes) -> DataSize:
    rows = fields = size = 0
    with file.open("rb") as opened:
        while block := opened.read(_BLOCK):
            size += len(block)
            rows += block.count(b"\n")
            fields += block.count(separator)
    fields += rows
    # pandas holds the text, and for each field where it begins and what it is.
    return DataSize(max(1, rows - 1), max(1, fields // max(1, rows) - 1), size + 24 * fields)
