"""The weights of a row in one vector, where an optimizer treats every number for itself.

Small variables cost a step more in calls of operations than in arithmetic: the update of one vector
takes a dozen calls, that of eight variables a hundred.
"""

import math
from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

# Optimizers that move each number by its own gradient and slots alone.
_ELEMENTWISE = (
    keras.optimizers.SGD,
    keras.optimizers.Adam,
    keras.optimizers.AdamW,
    keras.optimizers.Adamax,
    keras.optimizers.Nadam,
    keras.optimizers.RMSprop,
    keras.optimizers.Adagrad,
    keras.optimizers.Adadelta,
    keras.optimizers.Ftrl,
    keras.optimizers.Lion,
)
# Above so many numbers arithmetic outweighs calls, and joined they were no faster.
_MOST = 100_000


class JoinedWeights:
    """Lays the trainable variables of a row one after another, or leaves them as they are.

    Args:
        variables: The model's trainable variables.
        optimizer: What moves them.
        gradients: Of each, as `trace_gradients` returns them.

    Attributes:
        variables: Those that the optimizer is to be built on: one vector, or the model's own.
    """

    def __init__(
        self, variables: Sequence[Any], optimizer: keras.Optimizer, gradients: Sequence[Any]
    ):
        self._shapes = [tuple(variable.shape) for variable in variables]
        self._sizes = [math.prod(shape) for shape in self._shapes]
        # Keras squares slices before it adds up those of one place, and decays or warns of no
        # variable without a gradient.
        plain = all(isinstance(gradient, tf.Tensor) for gradient in gradients)
        few = sum(self._sizes) <= _MOST
        self._joined = plain and few and _joinable(variables, optimizer)
        self.variables = list(variables)
        if self._joined:
            zeros = tf.zeros(sum(self._sizes), variables[0].dtype)
            self.variables = [keras.Variable(zeros, name="weights")]

    def join(self, tensors: Sequence[Any]) -> list[Any]:
        """Return what there is of the model's variables, each (..., *shape), as `variables` are."""
        if not self._joined:
            return list(tensors)
        flat = [
            tf.reshape(tensor, [*tensor.shape[: len(tensor.shape) - len(shape)], size])
            for tensor, shape, size in zip(tensors, self._shapes, self._sizes, strict=True)
        ]
        return [tf.concat(flat, -1)]

    def split(self, tensors: Sequence[tf.Tensor]) -> list[tf.Tensor]:
        """Return what `join` was given, for one row."""
        if not self._joined:
            return list(tensors)
        parts = tf.split(tensors[0], self._sizes, -1)
        return [tf.reshape(part, shape) for part, shape in zip(parts, self._shapes, strict=True)]


def _joinable(variables: Sequence[Any], optimizer: keras.Optimizer) -> bool:
    """Return whether one vector is moved exactly as its parts are."""
    # Keras clips each variable by its own norm.
    elementwise = type(optimizer) in _ELEMENTWISE and not optimizer.clipnorm
    alike = len({variable.dtype for variable in variables}) == 1
    return elementwise and alike and not any(variable.constraint for variable in variables)
