"""One call of a model as a graph: what it computes, changes and needs, before any training."""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf
from keras.src.utils.naming import to_snake_case

from finetune.data.inputs import Rows
from finetune.engines.population.stateless_model import Outcome, StatelessModel

# Rows of data in the traced batch.
_BATCH = 2


@dataclass(frozen=True)
class ModelTrace:
    """A traced call.

    Attributes:
        outcome: What the call gave, as tensors of the graph.
        weights, others: The tensors that it was given for the model's variables.
        graph: All that it computes.
    """

    outcome: Outcome
    weights: list
    others: list
    graph: Any

    def values_per_row(self) -> int:
        """Count the numbers that all operations give for one row of data."""
        tensors = (
            tensor
            for operation in self.graph.get_operations()
            if operation.type not in ("Placeholder", "Const")
            for tensor in operation.outputs
        )
        shapes = (tensor.shape for tensor in tensors if tensor.dtype.is_floating)
        known = (shape.as_list() for shape in shapes if shape.rank)
        # An axis whose length is open counts once.
        return sum(math.prod(axis or 1 for axis in shape) for shape in known) // _BATCH


def all_operations(graph: Any) -> Iterator[Any]:
    """Yield every operation of a traced graph, those in loops and branches too."""
    yield from graph.get_operations()
    # A graph lists what its functions call, too.
    for function in graph._functions.values():
        yield from function.graph.get_operations()


def trace_model(model: Any, x: Rows, *, training: bool) -> ModelTrace:
    """Trace one call of a built model.

    Args:
        model: Its variables stay as they are.
        x: Rows as it takes them, of which only their shape and type count.
        training: Whether it is called as in training, or at rest.

    Raises:
        Exception: Of any kind: what the user's layers raise.
    """
    traced: list[tuple[Outcome, list, list]] = []

    @tf.function(autograph=False)
    def call(x, weights, others):
        outcome = StatelessModel(model)(x, weights=weights, others=others, training=training)
        traced.append((outcome, weights, others))

    graph = call.get_concrete_function(*_signature(model, x)).graph
    return ModelTrace(*traced[-1], graph)


def trace_gradients(model: Any, x: Rows) -> list[Any]:
    """Return the gradients of a built model's trainable variables as a tape gives them.

    Each is a tensor of a graph, slices of one (those of an embedding), or None where the outputs
    do not depend on the variable.
    """
    traced: list[Any] = []

    @tf.function(autograph=False)
    def call(x, weights, others):
        with tf.GradientTape() as tape:
            tape.watch(weights)
            outcome = StatelessModel(model)(x, weights=weights, others=others, training=True)
        traced.extend(tape.gradient([outcome.predicted, *outcome.penalties], weights))

    call.get_concrete_function(*_signature(model, x))
    return traced


def _signature(model: Any, x: Rows) -> list[Any]:
    variables = (model.trainable_variables, model.non_trainable_variables)
    specs = [[tf.TensorSpec(v.shape, v.dtype) for v in some] for some in variables]
    return [tf.nest.map_structure(_batch, x), *specs]


def _batch(rows: np.ndarray) -> tf.TensorSpec:
    return tf.TensorSpec([_BATCH, *rows.shape[1:]], rows.dtype)


def layer_in(operation: str, model: Any) -> Any:
    """Return the layer of a model that an operation's name says it is in; None where it is in none.

    TensorFlow counts on where a layer's name is taken: that of `conv2d` may be in `conv2d_1`.
    """
    layers = {layer.name: layer for layer in model._flatten_layers(include_self=False)}
    for part in reversed(operation.split("/")):
        for name in (part, re.sub(r"_\d+$", "", part)):
            if name in layers:
                return layers[name]
    return None


def in_words(layer: Any) -> str:
    """Name a layer; by its kind alone where Keras counted it, which is not the same every time."""
    kind = type(layer).__name__
    if re.fullmatch(rf"{to_snake_case(kind)}(_\d+)?", layer.name):
        return f"the layer {kind}"
    return f"the layer {layer.name!r} ({kind})"
