"""Networks that take ids, whole numbers that stand for something, rather than quantities."""

from typing import Any

import keras

from finetune.models.calls import calls_in_order
from finetune.models.inputs import named_inputs
from finetune.models.layer_names import layers_by_name

_OF_IDS = (
    keras.layers.Embedding,
    keras.layers.CategoryEncoding,
    keras.layers.IntegerLookup,
    keras.layers.Hashing,
)


def layer_of_ids(model: keras.Model, name: str | None = None) -> str | None:
    """Return the name of a layer that takes ids, or of an input of whole numbers; None for none.

    Args:
        model: Built.
        name: Of one of several inputs, which alone is asked for, with the layers after it.
    """
    inputs = named_inputs(model) or {}
    tensors = inputs.values() if name is None else [inputs[name]] if name in inputs else []
    # Of a class of the user's it is not known which layers come after which input.
    among = _layers_after(tensors, model) if name in inputs else None
    for path, layer in layers_by_name(model).items():
        if isinstance(layer, _OF_IDS) and (among is None or id(layer) in among):
            return path
    return next((tensor.name for tensor in tensors if "int" in str(tensor.dtype)), None)


def first_layer_of_ids(model: keras.Model, name: str | None = None) -> str | None:
    """Return the name of a layer that takes the network's input itself for ids; None for none.

    Args:
        model: Built.
        name: Of one of several inputs.
    """
    inputs = named_inputs(model) or {}
    wanted = [tensor for key, tensor in inputs.items() if name in (None, key)]
    for path, layer in layers_by_name(model).items():
        if layer in model.layers and isinstance(layer, _OF_IDS) and _takes(layer, wanted):
            return path
    return None


def _takes(layer: keras.Layer, inputs: list[Any]) -> bool:
    taken = {
        id(tensor._keras_history.operation)
        for node in layer._inbound_nodes
        for tensor in node.input_tensors
    }
    return any(id(tensor._keras_history.operation) in taken for tensor in inputs)


def _layers_after(inputs: Any, model: Any) -> set[int]:
    """Return the ids of all layers that what some inputs hold goes through, inner ones too."""
    reached = {id(tensor) for tensor in inputs}
    layers: set[int] = set()
    for node in calls_in_order(model):
        if any(id(tensor) in reached for tensor in node.input_tensors):
            reached |= {id(tensor) for tensor in node.output_tensors}
            if isinstance(node.operation, keras.Layer):
                inner: Any = node.operation._flatten_layers()
                layers |= {id(layer) for layer in inner}
    return layers
