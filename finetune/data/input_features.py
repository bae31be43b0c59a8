"""Features of a network with several inputs, each of them read and scaled on its own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from finetune.data.inputs import OfInputs
from finetune.data.preparation import Features
from finetune.data.reading import ColumnReading
from finetune.data.shaped import ShapedFeatures, read_rows
from finetune.data.table import InputRows, list_names
from finetune.errors import DataError
from finetune.spec.data import DataSpec
from finetune.spec.messages import shorten


@dataclass(frozen=True)
class InputFeatures:
    """Features of several inputs.

    Attributes:
        inputs: Those of each input by its name.
    """

    inputs: Mapping[str, Features | ShapedFeatures]

    @property
    def shape(self) -> dict[str, tuple[int, ...]]:
        """The shape of a row of each input."""
        return {name: features.shape for name, features in self.inputs.items()}

    @property
    def whole(self) -> dict[str, bool]:
        """Whether each input has whole numbers alone by their type."""
        return {name: features.whole for name, features in self.inputs.items()}

    @property
    def reading(self) -> tuple[ColumnReading, ...]:
        """What the columns and arrays of all inputs were read as."""
        return tuple(
            # An array has no name but that of its input.
            replace(one, input=name, name=name if one.of_array else one.name)
            for name, features in self.inputs.items()
            for one in features.reading
        )

    def arrays(self, parts: Sequence[np.ndarray]) -> list[dict[str, np.ndarray]]:
        """Return the rows of each part, (row, ...) by input, prepared as the first one says."""
        made = {name: features.arrays(parts) for name, features in self.inputs.items()}
        return [{name: arrays[part] for name, arrays in made.items()} for part in range(len(parts))]


def read_features(
    features: OfInputs[InputRows], spec: DataSpec
) -> Features | ShapedFeatures | InputFeatures:
    """Check features, of one input or of several, and find out how they become numbers.

    Raises:
        DataError: They cannot be used as the study says (see `read_rows`).
    """
    if not isinstance(features, Mapping):
        if isinstance(spec.scale, dict):
            raise DataError(
                f"data.scale: received {shorten(spec.scale)}, but the data have one input; allowed "
                'is one word for it, "standard", "channel" or "none"'
            )
        return read_rows(features, spec)
    _check_keys(spec, list(features))
    return InputFeatures({name: _read(rows, spec, name) for name, rows in features.items()})


def _read(rows: InputRows, spec: DataSpec, name: str) -> Features | ShapedFeatures:
    # What is beside the inputs is in none of them.
    of_one = {"scale": spec.scale_of(name), **dict.fromkeys(spec.beside)}
    try:
        return read_rows(rows, spec.model_copy(update=of_one))
    except DataError as error:
        raise DataError(f"input {name!r}: {error}") from error


def _check_keys(spec: DataSpec, names: list[str]) -> None:
    """Check the keys that are of one input, or name inputs.

    Raises:
        DataError: One is set that several inputs do not have, or names another input.
    """
    for key in ("shape", "categorical", "drop"):
        if value := getattr(spec, key):
            raise DataError(
                f"data.{key}: received {shorten(value)}, but the data have several inputs "
                f"({list_names(names)}); allowed with them is none; leave it out, and change the "
                "arrays themselves"
            )
    for name in spec.scale if isinstance(spec.scale, dict) else ():
        if name not in names:
            raise DataError(
                f"data.scale: received {name!r}, which is no input of the data; allowed are "
                f"{list_names(names)}"
            )
