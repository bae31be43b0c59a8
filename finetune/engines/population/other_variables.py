"""The variables that no gradient changes: those that each row has, and those that rows share."""

from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from finetune.engines.keras_problem import KerasProblem
from finetune.engines.population.stateless_model import StatelessModel
from finetune.engines.problem import Problem


class OtherVariables:
    """Tells apart moving statistics and the like, one for each row, and what all rows share.

    Shared is what begins with the same value for every seed and is not changed by a step, as
    frozen weights that were loaded: not stacked, they are held once, and an operation on them is
    one large operation for all rows.

    Attributes:
        own: The variables that each row has for itself.
        n_shared: Number of values that rows share.
    """

    def __init__(self, keras_problem: KerasProblem, problem: Problem):
        model: Any = keras_problem.model
        self._all = model.non_trainable_variables
        constant = keras_problem.values_of_every_seed()
        unchanged = unchanged_by_a_step(model, problem) if constant else ()
        shared = {key: tf.constant(constant[key]) for key in unchanged if key in constant}
        self._shared = [shared.get(id(variable)) for variable in self._all]
        self.own = [v for v, value in zip(self._all, self._shared, strict=True) if value is None]
        self.n_shared = sum(int(tf.size(value)) for value in shared.values())

    def complete(self, own: Sequence[tf.Tensor]) -> list[tf.Tensor]:
        """Return a value for each of `model.non_trainable_variables`, given those of one row."""
        values = iter(own)
        return [next(values) if value is None else value for value in self._shared]

    def own_of(self, values: Sequence[tf.Tensor]) -> list[tf.Tensor]:
        """Return what `complete` was given, of all values after a step."""
        pairs = zip(values, self._shared, strict=True)
        return [value for value, shared in pairs if shared is None]


def unchanged_by_a_step(model: Any, problem: Problem) -> set[int]:
    """Return the ids of the variables that a training step leaves as they are."""
    before = [tf.convert_to_tensor(variable.value) for variable in model.non_trainable_variables]
    weights = [variable.value for variable in model.trainable_variables]
    # What is not assigned to comes back as the very tensor that was given.
    after = StatelessModel(model)(
        problem.first_row, weights=weights, others=before, training=True
    ).others
    return {
        id(variable)
        for variable, old, new in zip(model.non_trainable_variables, before, after, strict=True)
        if new is old
    }
