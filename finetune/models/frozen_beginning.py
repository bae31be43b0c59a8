"""The beginning of a network that no training step changes, apart from the rest, which trains."""

import math
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import keras
from keras.src.models.functional import Functional

from finetune.models.calls import calls_in_order
from finetune.models.layer_names import layers_by_name

# Keras's own classes that hold code of the user's, or of another library, which may do anything.
_HOLD_CODE = ("Lambda", "TFSMLayer", "JaxLayer", "FlaxLayer", "TorchModuleWrapper")


@dataclass(frozen=True)
class PartedNetwork:
    """A network in two, of which the second takes what the first gives.

    Attributes:
        beginning: From the input on; nothing in it trains or is random.
        rest: From there to the output, with the network's own layers.
        layers: Paths of the layers of the beginning that have weights.
    """

    beginning: keras.Model
    rest: keras.Model
    layers: tuple[str, ...]


def part_frozen_beginning(
    model: Any, held: Container[int], *, most_values: int
) -> PartedNetwork | None:
    """Part a network at the last tensor that nothing which trains comes before.

    Args:
        model: Not changed, but that its layers are called once more.
        held: Ids of the variables that a training step leaves as they are, and that have the same
            values for every seed or seed nothing.
        most_values: Numbers that the tensor may have for a row of data.

    Returns:
        Both parts; None where no layer with weights can be parted from the rest.
    """
    # A class of the user's may do more than its layers.
    if not isinstance(model, Functional | keras.Sequential) or not _is_of_keras(model):
        return None
    if not model.built or len(model.inputs) != 1 or len(model.outputs) != 1:
        return None
    for tensor, before in _cuts(model, held):
        layers = _with_weights(model, before)
        fits = None not in tensor.shape[1:] and math.prod(tensor.shape[1:]) <= most_values
        if layers and fits and tensor.dtype == keras.config.floatx():
            beginning = keras.Model(model.inputs[0], tensor)
            return PartedNetwork(beginning, keras.Model(tensor, model.outputs[0]), layers)
    return None


def _cuts(model: Any, held: Container[int]) -> Iterator[tuple[Any, list[Any]]]:
    """Yield, from the last on, each tensor that all of the rest of the network hangs on.

    With it come the operations before it, none of which trains.
    """
    nodes = calls_in_order(model)
    frozen = _frozen(nodes, held)
    order = [*frozen, *(node for node in nodes if node not in frozen)]
    for count in range(len(frozen), 1, -1):
        before, after = order[:count], order[count:]
        wanted = [model.outputs[0], *(t for node in after for t in node.input_tensors)]
        needed = {id(tensor): tensor for tensor in wanted}
        given = [t for node in before for t in node.output_tensors if id(t) in needed]
        if len(given) == 1 and after:
            yield given[0], [node.operation for node in before]


def _frozen(nodes: Sequence[Any], held: Container[int]) -> list[Any]:
    """Return the calls that always give the same for the same rows of data."""
    known: set[int] = set()
    frozen = []
    for node in nodes:
        depends = all(id(tensor) in known for tensor in node.input_tensors)
        if depends and (node.is_input or _is_frozen(node.operation, held)):
            frozen.append(node)
            known |= {id(tensor) for tensor in node.output_tensors}
    return frozen


def _is_frozen(operation: Any, held: Container[int]) -> bool:
    if not isinstance(operation, keras.Layer):
        # A function of keras.ops, none of which is random.
        return _is_of_keras(operation)
    inner: Any = operation._flatten_layers()
    return not operation.trainable_variables and all(
        _is_of_keras(layer)
        and type(layer).__name__ not in _HOLD_CODE
        and layer.activity_regularizer is None
        and all(id(variable) in held for variable in layer.variables)
        for layer in inner
    )


def _is_of_keras(operation: Any) -> bool:
    return type(operation).__module__.startswith("keras.")


def _with_weights(model: Any, operations: Sequence[Any]) -> tuple[str, ...]:
    """Return the paths of the operations that are layers with weights."""
    there = {id(one) for one in operations}
    named = layers_by_name(model).items()
    return tuple(path for path, layer in named if id(layer) in there and layer.weights)
