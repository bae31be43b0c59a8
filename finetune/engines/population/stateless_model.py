"""A Keras model as a pure function of one row of weights and of its other variables."""

from typing import Any, NamedTuple

import keras

from finetune.engines.keras_problem import call_model


class Outcome(NamedTuple):
    """What one call of a model gives.

    Attributes:
        predicted: Its outputs.
        weights: The trainable variables after the call, as they were unless a layer sets them.
        others: The other variables after the call.
        penalties: Losses that layers add.
        foreign: Ids of changed variables that are none of the model's.
    """

    predicted: Any
    weights: list
    others: list
    penalties: list
    foreign: frozenset[int]


class StatelessModel:
    """Calls a model as `fit` does; takes and returns all of its variables.

    Keras's own `stateless_call` leaves out what `__call__` does, as telling layers that the model
    trains by the context, or not, where `call` has no such argument.
    """

    def __init__(self, model: Any):
        self._model = model

    def __call__(self, x, *, weights, others, training: bool) -> Outcome:
        """Call the model with one tensor for each trainable and for each other variable."""
        model = self._model
        variables = [*model.trainable_variables, *model.non_trainable_variables]
        given = list(zip(variables, [*weights, *others], strict=True))
        with keras.StatelessScope(state_mapping=given, collect_losses=True) as scope:
            predicted = call_model(model, x, training=training)
            penalties = model.losses
        foreign = scope.state_mapping.keys() - set(map(id, variables))
        return Outcome(
            predicted,
            [scope.get_current_value(v) for v in model.trainable_variables],
            [scope.get_current_value(v) for v in model.non_trainable_variables],
            penalties,
            frozenset(foreign),
        )
