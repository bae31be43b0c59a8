"""A Keras optimizer on TensorFlow in the stateless form that it has on other backends."""

import keras
import tensorflow as tf
from keras.src.backend.tensorflow.optimizer import TFOptimizer
from keras.src.optimizers.base_optimizer import BaseOptimizer


class _Stateless(TFOptimizer):
    """Undoes what `TFOptimizer` overrides for the sake of `tf.distribute`.

    What is left is Keras's own backend-agnostic optimizer, which reads and assigns its variables
    through a `StatelessScope`: clipping and weight decay, too, are Keras's own, row by row.

    Source: keras/src/backend/tensorflow/optimizer.py and keras/src/optimizers/base_optimizer.py,
    Keras 3.15.
    """

    stateless_apply = BaseOptimizer.stateless_apply  # pyright: ignore[reportAssignmentType]
    _apply_weight_decay = BaseOptimizer._apply_weight_decay
    _backend_update_step = BaseOptimizer._backend_update_step
    _clip_by_norm = BaseOptimizer._clip_by_norm
    _var_key = BaseOptimizer._var_key

    def assign(self, variable, value):
        super(TFOptimizer, self).assign(variable, tf.convert_to_tensor(value))

    def assign_add(self, variable, value):
        # An embedding's gradient comes as slices, which add up where they share an index.
        super(TFOptimizer, self).assign_add(variable, tf.convert_to_tensor(value))

    def assign_sub(self, variable, value):
        super(TFOptimizer, self).assign_sub(variable, tf.convert_to_tensor(value))


class StatelessOptimizer:
    """Applies gradients to one row of weights; takes and returns all optimizer state.

    Args:
        optimizer: A Keras optimizer that rows can share (see `exact_optimizers`), not built.
        variables: The model's trainable variables.
    """

    def __init__(self, optimizer: keras.Optimizer, variables: list[keras.Variable]):
        kind = type(optimizer)
        # In this order: the optimizer's own methods, then `_Stateless`, then `TFOptimizer`.
        pure = type(kind.__name__, (kind, _Stateless), {})
        self._optimizer = pure.from_config(optimizer.get_config())
        self._optimizer.build(variables)
        # The number of steps is the same for all rows, and each row's rate is an argument.
        shared = (id(self._optimizer.iterations), id(self._optimizer._learning_rate))
        self._slots = [v for v in self._optimizer.variables if id(v) not in shared]

    def start(self) -> list:
        """Return the initial slots (momenta and the like) of one row, as arrays."""
        return [slot.numpy() for slot in self._slots]

    def apply(self, gradients, *, weights, slots, learning_rate, iterations):
        """Return one row's weights and slots after one step.

        Args:
            gradients, weights: One tensor a trainable variable.
            slots: As `start` returns them.
            learning_rate: Scalar, the row's own.
            iterations: Scalar int64, steps taken before this one; the same for all rows.
        """
        given = dict(zip(map(id, self._slots), slots, strict=True))
        given[id(self._optimizer.iterations)] = iterations
        given[id(self._optimizer._learning_rate)] = learning_rate
        variables = self._optimizer.variables
        weights, values = self._optimizer.stateless_apply(
            [given[id(variable)] for variable in variables], gradients, weights
        )
        after = dict(zip(map(id, variables), values, strict=True))
        return weights, [after[id(slot)] for slot in self._slots]
