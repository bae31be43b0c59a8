"""Networks that take ids, whole numbers that stand for something, rather than quantities."""

from collections.abc import Iterator

import keras

_OF_IDS = (
    keras.layers.Embedding,
    keras.layers.CategoryEncoding,
    keras.layers.IntegerLookup,
    keras.layers.Hashing,
)


def layer_of_ids(model: keras.Model) -> str | None:
    """Return the name of a layer that takes ids, or of an input of whole numbers; None for none."""
    for layer in _layers(model):
        if isinstance(layer, _OF_IDS) or (
            isinstance(layer, keras.layers.InputLayer) and "int" in str(layer.dtype)
        ):
            return layer.name
    return None


def first_layer_of_ids(model: keras.Model) -> str | None:
    """Return the name of a layer that takes the network's input itself for ids; None for none."""
    for layer in model.layers:
        if isinstance(layer, _OF_IDS) and any(
            isinstance(tensor._keras_history.operation, keras.layers.InputLayer)
            for node in layer._inbound_nodes
            for tensor in node.input_tensors
        ):
            return layer.name
    return None


def _layers(layer: keras.Layer) -> Iterator[keras.Layer]:
    for inner in layer._layers:
        yield inner
        yield from _layers(inner)
