"""Features of one input of a network, or of several by name: what is done to each of them.

Whatever there is for each input, an array, a shape, a yes or no, stands alone where there is one
input, and in a mapping by the inputs' names where there are several.
"""

import math
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import numpy as np

T = TypeVar("T")
OfInputs = T | Mapping[str, T]

# Features of some rows: (row, ...), or several such arrays by the names of the inputs.
Rows = OfInputs[np.ndarray]
# The shapes of one row of them.
Shapes = OfInputs[tuple[int, ...]]


def map_inputs(function: Callable[[Any], T], values: OfInputs[Any]) -> OfInputs[T]:
    """Return what a function gives of the one input's value, or of each input's, by name."""
    if isinstance(values, Mapping):
        return {name: function(value) for name, value in values.items()}
    return function(values)


def row_shapes(x: Rows) -> Shapes:
    """Return the shape of one row of each input."""
    return map_inputs(lambda rows: rows.shape[1:], x)


def count_numbers(shapes: Shapes) -> int:
    """Return how many numbers a row of all inputs holds."""
    return sum(map(math.prod, by_name(shapes).values()))


def by_name(values: OfInputs[T]) -> dict[str | None, T]:
    """Return the value of each input by its name, which is None where there is one input."""
    if isinstance(values, Mapping):
        return dict(values.items())
    return {None: values}
