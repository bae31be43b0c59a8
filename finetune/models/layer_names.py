"""Layers of a network by their names, with wildcards."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase

import keras
from keras.src.utils.naming import to_snake_case

from finetune.errors import SpecError

# An error names at most this many layers.
_MAX_LISTED = 20


def layers_by_name(model: keras.Model) -> dict[str, keras.Layer]:
    """Return all layers of a network, those in others by their path, as "base/conv2d".

    Keras numbers the layers that it names throughout a process; here they are numbered by network,
    as Keras would number them in a fresh process: "dense", "dense_1".
    """
    return dict(_walk(model, (), Counter()))


def names_in_network(model: keras.Model) -> dict[str, str]:
    """Return the names of all layers as `layers_by_name` has them, by those that they have."""
    named = layers_by_name(model).items()
    return {layer.name: path.rpartition("/")[2] for path, layer in named}


def matching_layers(
    model: keras.Model, patterns: Sequence[str], *, field: str
) -> dict[str, keras.Layer]:
    """Return the layers that a pattern names, with all that are in them.

    Args:
        model: The network.
        patterns: Names or paths of layers, in which * and ? stand for any characters.
        field: The key of the study that holds the patterns.

    Raises:
        SpecError: No layer has a name that fits one of the patterns.
    """
    named = layers_by_name(model)
    found = set()
    for pattern in patterns:
        fitting = {path for path in named if _fits(path, pattern)}
        if not fitting:
            raise SpecError(
                f"{field}: no layer is named {pattern!r}; allowed are names of layers, with * and "
                f"? for any characters: {_listed(named)}"
            )
        found |= fitting
    return {
        path: layer
        for path, layer in named.items()
        if any(path == one or path.startswith(f"{one}/") for one in found)
    }


def listed_names(names: Sequence[str], *, most: int = _MAX_LISTED) -> str:
    """Return names as "dense, dense_1 and 3 more"."""
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more} more" if more > 0 else "")


def _walk(
    layer: keras.Layer, path: tuple[str, ...], counts: Counter[str]
) -> Iterator[tuple[str, keras.Layer]]:
    for inner in layer._layers:
        # Keras adds it where a network's input is said, and it holds nothing.
        if not isinstance(inner, keras.layers.InputLayer):
            own = (*path, _numbered(inner, counts))
            yield "/".join(own), inner
            yield from _walk(inner, own, counts)


def _numbered(layer: keras.Layer, counts: Counter[str]) -> str:
    kind = to_snake_case(type(layer).__name__)
    if not re.fullmatch(rf"{kind}(_\d+)?", layer.name):
        return layer.name
    counts[kind] += 1
    return f"{kind}_{counts[kind] - 1}" if counts[kind] > 1 else kind


def _fits(path: str, pattern: str) -> bool:
    return fnmatchcase(path, pattern) or fnmatchcase(path.rpartition("/")[2], pattern)


def _listed(named: Mapping[str, keras.Layer]) -> str:
    return listed_names(list(named)) or "none, since it has no layers"
