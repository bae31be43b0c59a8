"""Networks that take ids, whole numbers that stand for something, rather than quantities."""

import keras

from finetune.models.layer_names import layers_by_name

_OF_IDS = (
    keras.layers.Embedding,
    keras.layers.CategoryEncoding,
    keras.layers.IntegerLookup,
    keras.layers.Hashing,
)


def layer_of_ids(model: keras.Model) -> str | None:
    """Return the name of a layer that takes ids, or of an input of whole numbers; None for none."""
    for path, layer in layers_by_name(model).items():
        if isinstance(layer, _OF_IDS):
            return path
    # Of a class of the user's it is not known what it takes.
    inputs = getattr(model, "inputs", None) or ()
    return next((tensor.name for tensor in inputs if "int" in str(tensor.dtype)), None)


def first_layer_of_ids(model: keras.Model) -> str | None:
    """Return the name of a layer that takes the network's input itself for ids; None for none."""
    for path, layer in layers_by_name(model).items():
        if layer in model.layers and isinstance(layer, _OF_IDS) and _takes_input(layer):
            return path
    return None


def _takes_input(layer: keras.Layer) -> bool:
    return any(
        isinstance(tensor._keras_history.operation, keras.layers.InputLayer)
        for node in layer._inbound_nodes
        for tensor in node.input_tensors
    )
