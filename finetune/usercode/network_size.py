"""How many weights a network in a file has, counted from its text, before any is made."""

import math
from collections.abc import Iterator
from typing import Any

# What makes a layer large, by the names of Keras's arguments.
_SIZES = (
    "units", "filters", "kernel_size", "depth_multiplier", "input_dim", "output_dim", "num_heads",
    "key_dim", "value_dim", "output_shape", "target_shape", "n", "size", "padding", "groups",
)  # fmt: skip
_RECURRENT = ("LSTM", "GRU", "RNN")


def count_network_weights(tree: Any, n_features: int) -> int:
    """Count the weights of a network that `read_network` read, about and rather too many.

    A layer is taken to be connected to the widest before it, or to what the file says of its input.
    """
    widest, total = n_features, 0
    for layer in _layers(tree):
        own, received = _size(layer), max(widest, _input_size(layer))
        if any(kind in str(layer["class_name"]) for kind in _RECURRENT):
            total += 4 * (received + own + 1) * own
        elif own > 1 or "units" in layer["config"]:
            total += (received + 1) * own
        widest = max(received, own)
    return total


def largest_product(tree: Any, n_features: int) -> int:
    """Return the product of the three largest sizes, which a layer after others can hardly exceed.

    A network that flattens what another layer repeats has more weights than its layers tell.
    """
    sizes = sorted((*(_size(layer) for layer in _layers(tree)), n_features), reverse=True)
    return math.prod(sizes[:3])


def _layers(tree: Any) -> Iterator[dict[str, Any]]:
    """Yield the layers in a network, however deep, in their order."""
    stack = [tree]
    while stack:
        node = stack.pop()
        if isinstance(node, dict):
            config = node.get("config")
            if "class_name" in node and isinstance(config, dict) and "name" in config:
                yield node
            stack += reversed(list(node.values()))
        elif isinstance(node, list):
            stack += reversed(node)


def _size(layer: dict[str, Any]) -> int:
    return math.prod(_product(layer["config"].get(name)) for name in _SIZES)


def _input_size(layer: dict[str, Any]) -> int:
    built = layer.get("build_config")
    return _product(built.get("input_shape")) if isinstance(built, dict) else 1


def _product(value: Any) -> int:
    """Return the product of the whole numbers above 1 in a value; 1 where there are none."""
    if type(value) is int:
        return min(max(value, 1), 10**30)
    return math.prod(map(_product, value)) if isinstance(value, list) else 1
