"""The calls of a functional network's layers and functions, as Keras keeps them."""

from typing import Any

import keras


def calls_in_order(model: Any) -> list[Any]:
    """Return the calls of a network's layers and functions, each after those that it depends on.

    Args:
        model: A functional network, or a built stack of layers.
    """
    functional: Any = model._functional if isinstance(model, keras.Sequential) else model
    by_depth = functional._nodes_by_depth
    return [node for depth in sorted(by_depth, reverse=True) for node in by_depth[depth]]
