"""Batches of the rows of data, within the graph."""

from collections.abc import Callable
from typing import Any

import tensorflow as tf


def columns(tensor: tf.Tensor, begin: Any, length: int) -> tf.Tensor:
    """Return so many columns of a tensor (row, column, ...) from one on."""
    part = tensor[:, begin : begin + length]
    # The slice does not know its length where `begin` is a tensor, though it is the same.
    part.set_shape([tensor.shape[0], length, *tensor.shape[2:]])
    return part


def one_axis(tensor: tf.Tensor) -> tf.Tensor:
    """Join the data sets' rows into one axis."""
    return tf.reshape(tensor, [-1, *tensor.shape[2:]])


def swapped(tensor: tf.Tensor) -> tf.Tensor:
    """Exchange the first two axes, rows of weights and rows of data."""
    return tf.transpose(tensor, [1, 0, 2])


def over_batches(rows: int, size: int, body: Callable[..., Any], state: Any) -> Any:
    """Run `body(begin, length, *state)` over batches of data; the last one may be smaller.

    All full batches share one trace in a loop, since their length is the same.
    """
    full = rows // size

    def step(index, state):
        return index + 1, body(index * size, size, *state)

    _, state = tf.while_loop(lambda index, _: index < full, step, (0, state), parallel_iterations=1)
    return body(full * size, rows - full * size, *state) if rows % size else state
