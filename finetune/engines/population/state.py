"""What the rows of a population are: tensors that the graph takes and returns."""

from typing import NamedTuple

import numpy as np
import tensorflow as tf


class State(NamedTuple):
    """Rows of weights and all else that they do not share; every tensor is (row, ...)."""

    weights: list[tf.Tensor]
    others: list[tf.Tensor]
    slots: list[tf.Tensor]


class Data(NamedTuple):
    """One split of every data set of a task: `x` (data set, row of data, ...), `y` likewise.

    Of a network with several inputs `x` is a dictionary of such tensors by the input's name.
    `weight` (data set, row of data) is what each row counts in the loss, or () where all count
    alike.
    """

    x: tf.Tensor | dict[str, tf.Tensor]
    y: tf.Tensor
    weight: tf.Tensor | tuple[()] = ()


class SplitTensors(NamedTuple):
    """The three splits of every data set of a task."""

    train: Data
    val: Data
    test: Data


def take(state: State, rows: np.ndarray) -> State:
    """Return a state whose rows are copies of the given rows; a row may be copied several times."""
    return tf.nest.map_structure(lambda tensor: tf.gather(tensor, rows), state)
