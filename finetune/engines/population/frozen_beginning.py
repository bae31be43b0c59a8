"""What a frozen beginning of the network gives, computed once instead of in every step."""

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf
from keras.src.backend.common.masking import get_keras_mask

from finetune.data.inputs import Rows
from finetune.engines.keras_problem import KerasProblem
from finetune.engines.population.exactness import check_exact
from finetune.engines.population.other_variables import unchanged_by_a_step
from finetune.engines.population.stateless_model import StatelessModel
from finetune.models.frozen_beginning import PartedNetwork, part_frozen_beginning
from finetune.models.initial_values import is_seed_state
from finetune.models.layer_names import listed_names

# What the beginning gives for all of a seed's rows is kept: 1 GB.
_MOST_BYTES = 2**30
# Rows of data that are computed at once.
_BATCH = 256


def after_frozen_beginning(keras_problem: KerasProblem) -> KerasProblem:
    """Return what trains the rest of the network on what its frozen beginning gives.

    That is equal, to rounding, to training all of the network: only what no step changes, is not
    random and holds the same values for every seed belongs to the beginning. Where there is no
    such beginning the problem comes back as it is.
    """
    parted = _parted(keras_problem)
    if parted is None or not _is_pure(parted.beginning, keras_problem.problem.first_row):
        return keras_problem
    layers = listed_names(parted.layers, most=5)
    note = (
        f"the frozen beginning ({layers}) is computed once for each row of data, and the "
        "rest trains on what it gives"
    )
    return keras_problem.of_rest(parted.rest, _on_rows(parted.beginning), note=note)


def _parted(keras_problem: KerasProblem) -> PartedNetwork | None:
    model, problem = keras_problem.model, keras_problem.problem
    if not keras_problem.loaded.frozen_layers:
        return None
    # It says what is wrong with a network, before that is called here.
    check_exact(model, problem.first_row)
    same = keras_problem.values_of_every_seed()
    seeds = {id(variable) for variable in model.variables if is_seed_state(variable)}
    held = unchanged_by_a_step(model, problem) & (same.keys() | seeds)
    first = problem.data(0)
    rows = sum(len(split.y) for split in (first.train, first.val, first.test))
    size = np.dtype(problem.spec.training.dtype).itemsize
    return part_frozen_beginning(model, held, most_values=_MOST_BYTES // (rows * size))


def _is_pure(beginning: Any, x: Rows) -> bool:
    """Return whether it gives in training what it gives at rest, and no mask for what follows."""
    values: list[list[Any]] = [[], [v.value for v in beginning.non_trainable_variables]]
    in_training, at_rest = (
        StatelessModel(beginning)(x, weights=values[0], others=values[1], training=training)
        for training in (True, False)
    )
    masked = get_keras_mask(in_training.predicted) is not None
    return not masked and np.array_equal(in_training.predicted, at_rest.predicted)


def _on_rows(beginning: Any) -> Callable[[np.ndarray], np.ndarray]:
    # Not `predict`, which may let another compiler round otherwise.
    call = tf.function(lambda x: beginning(x, training=False), reduce_retracing=True)

    def on_rows(x: np.ndarray) -> np.ndarray:
        parts = [call(tf.constant(x[at : at + _BATCH])) for at in range(0, len(x), _BATCH)]
        return np.concatenate([part.numpy() for part in parts])

    return on_rows
