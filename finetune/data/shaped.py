"""Rows that are no list of features: images, sequences, and whole numbers such as token ids."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.preprocessing import StandardScaler

from finetune.data.columns import LARGEST, LARGEST_ALLOWED, name_rows
from finetune.data.preparation import Features, prepare_features
from finetune.data.reading import ColumnReading
from finetune.data.table import InputRows
from finetune.errors import DataError
from finetune.spec.data import DataSpec
from finetune.spec.messages import shorten


@dataclass(frozen=True)
class ShapedFeatures:
    """Features of rows of any shape.

    Attributes:
        x: (row, ...), whole numbers or float64.
        scale: "standard" scales each feature, "channel" each position of the last axis over all
            others, "none" nothing, so that whole numbers stay what they are.
        reading: What the array was read as.
    """

    x: np.ndarray
    scale: str
    reading: tuple[ColumnReading, ...]

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of a row."""
        return self.x.shape[1:]

    @property
    def whole(self) -> bool:
        """Whether all features are whole numbers by their type."""
        return self.x.dtype.kind in "iu"

    def arrays(self, parts: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Return the rows of each part, (row, ...), scaled by mean and deviation of the first."""
        if self.scale == "none":
            return [self.x[rows] for rows in parts]
        # A mean adds up rows in the order of memory: as a table's, each column for itself.
        width = math.prod(self.x.shape[1:]) if self.scale == "standard" else self.x.shape[-1]
        values = [np.ascontiguousarray(self.x[rows], dtype=np.float64) for rows in parts]
        scaler = StandardScaler().fit(values[0].reshape(-1, width))
        return [
            np.asarray(scaler.transform(value.reshape(-1, width))).reshape(value.shape)
            for value in values
        ]


def read_rows(features: InputRows, spec: DataSpec) -> Features | ShapedFeatures:
    """Check the features of one input, and find out how they become numbers.

    Raises:
        DataError: They cannot be used as the study says (see `prepare_features`).
    """
    if isinstance(features, np.ndarray):
        return _from_array(features, spec)
    prepared = prepare_features(features, spec)
    if spec.shape:
        return _from_table(prepared, spec)
    if prepared.whole and spec.scale == "none":
        return ShapedFeatures(prepared.table.to_numpy(dtype=np.int64), "none", prepared.reading)
    return prepared


def _from_table(features: Features, spec: DataSpec) -> ShapedFeatures:
    """Give the rows of a table of numbers the shape `spec.shape`, which needs as many columns.

    Raises:
        DataError: A column is no number or has missing values, or their number does not fit.
    """
    if features.categories:
        name = next(iter(features.categories))
        raise DataError(
            f"data.shape: column {name!r} holds categories; allowed with it are columns of numbers;"
            f' leave it out by drop = ["{name}"]'
        )
    missing = np.flatnonzero(features.table.isna().to_numpy().any(axis=1))
    if len(missing):
        raise DataError(
            f"data.shape: numbers are missing in {name_rows(missing)}; allowed with it is a number "
            "in every cell; remove such rows"
        )
    x = features.table.to_numpy(dtype=np.int64 if features.whole else np.float64)
    remark = f"{x.shape[1]} columns in the shape {tuple(spec.shape or ())}"
    return _shaped(x, spec, remark=remark)


def _from_array(x: np.ndarray, spec: DataSpec) -> ShapedFeatures:
    """Check features (row, ...) of two axes or more.

    Raises:
        DataError: They are no finite numbers, have no feature, do not fit `spec.shape`, or keys
            are set that are for columns.
    """
    # In an NPZ file weights, groups and times are arrays of their own.
    of_columns = ("categorical", "drop", *(() if spec.format == ".npz" else spec.beside))
    for key in of_columns:
        if getattr(spec, key):
            raise DataError(
                f"data.{key}: received {shorten(getattr(spec, key))}, but the features have "
                f"{x.ndim} axes and no columns; allowed is none; leave it out"
            )
    if x.dtype.kind not in "biuf":
        raise DataError(
            f"data.source: its features have {x.ndim} axes and hold {x.dtype.name}; allowed are "
            "integers, floats and booleans; turn them into numbers"
        )
    if 0 in x.shape:
        raise DataError(
            f"data.source: its features have the shape {x.shape}; allowed are rows with a number"
        )
    x = x if x.dtype.kind in "iu" else x.astype(np.float64)
    _check_finite(x)
    return _shaped(x, spec, remark=f"rows of shape {x.shape[1:]}")


def _shaped(x: np.ndarray, spec: DataSpec, *, remark: str) -> ShapedFeatures:
    shape = spec.shape or x.shape[1:]
    if math.prod(shape) != math.prod(x.shape[1:]):
        raise DataError(
            f"data.shape: received {list(shape)}, which holds {math.prod(shape)} numbers, but a "
            f"row has {math.prod(x.shape[1:])}; allowed is a shape of as many"
        )
    x = x.reshape(len(x), *shape)
    scale = spec.scale_of(None) or ("channel" if len(shape) > 1 else "standard")
    n_features = math.prod(shape)
    reading = ColumnReading(
        "x",
        "number",
        features=n_features,
        remark=f"{remark}, {_SCALED[scale]}",
        scaled=scale != "none",
    )
    return ShapedFeatures(x, scale, (reading,))


_SCALED = {
    "standard": "each number scaled to mean 0 and standard deviation 1",
    "channel": "each channel of the last axis scaled to mean 0 and standard deviation 1",
    "none": "not scaled",
}


def _check_finite(x: np.ndarray) -> None:
    rows = x.reshape(len(x), -1)
    wrong = np.flatnonzero(~np.isfinite(rows).all(axis=1))
    if len(wrong):
        raise DataError(
            f"data.source: features are missing or infinite in {name_rows(wrong)}; allowed with "
            f"{x.ndim} axes are finite numbers; remove such rows"
        )
    largest = float(np.abs(rows.astype(np.float64)).max())
    if largest > LARGEST:
        raise DataError(f"data.source: features hold {largest:g}; {LARGEST_ALLOWED}")
