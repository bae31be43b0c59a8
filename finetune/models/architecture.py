"""A network as JSON: what Keras writes, made independent of when the network was built."""

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import keras

from finetune.models.inputs import named_inputs


def network_json(model: keras.Model, *, names: Mapping[str, str] | None = None) -> str:
    """Return a network's architecture as JSON, without weights and what it is compiled with.

    Keras numbers the layers of a session, so that a network built twice has two texts; here each
    kind of layer counts from 1 in the network itself. Precisions that are Keras's default are left
    out, so that a study's own applies. `names` has new names for some layers, by their old ones.
    Several inputs keep their names, by which they get their data.
    """
    tree = json.loads(model.to_json())
    tree.pop("compile_config", None)
    counts: Counter[str] = Counter()
    renamed: dict[str, str] = {}
    inputs = named_inputs(model) or {}
    kept = {tensor.name for tensor in inputs.values()} if len(inputs) > 1 else set()
    for name in dict.fromkeys(_names(tree)):
        kind = re.sub(r"_\d+$", "", name)
        counts[kind] += 1
        # Past the names that inputs have.
        while f"{kind}_{counts[kind]}" in kept:
            counts[kind] += 1
        renamed[name] = name if name in kept else f"{kind}_{counts[kind]}"
    renamed |= names or {}
    usual = keras.config.dtype_policy().name
    return json.dumps(_rewritten(tree, renamed, usual=usual), indent=1)


def without_precision(tree: dict[str, Any]) -> dict[str, Any]:
    """Return a saved network without the precisions that are Keras's usual one, float32."""
    return _rewritten(tree, {}, usual="float32")


def _names(node: Any) -> Iterator[str]:
    """Yield the names of a model and of all layers in it, in order."""
    if isinstance(node, dict):
        config, kind = node.get("config"), str(node.get("class_name", "DTypePolicy"))
        if isinstance(config, dict) and "name" in config and not kind.endswith("DTypePolicy"):
            yield config["name"]
    for inner in node.values() if isinstance(node, dict) else node:
        if isinstance(inner, dict | list):
            yield from _names(inner)


def _rewritten(node: Any, renamed: dict[str, str], *, usual: str) -> Any:
    """Rename layers where Keras names them: as a `name`, and first in a list of a connection.

    Precisions that are the `usual` one are left out.
    """
    if isinstance(node, dict):
        return {
            key: renamed.get(value, value)
            if key == "name" and isinstance(value, str)
            else _rewritten(value, renamed, usual=usual)
            for key, value in node.items()
            if not (key == "dtype" and _is_usual(value, usual, of_layer=node))
        }
    if isinstance(node, list):
        if _is_connection(node) and node[0] in renamed:
            return [renamed[node[0]], *node[1:]]
        return [_rewritten(value, renamed, usual=usual) for value in node]
    return node


def _is_connection(node: list[Any]) -> bool:
    """Return whether a list is a layer's name, the index of its call, and that of the output."""
    return len(node) == 3 and [type(value) for value in node] == [str, int, int]


def _is_usual(dtype: Any, usual: str, *, of_layer: dict[str, Any]) -> bool:
    """Return whether a layer's precision is the usual one; tensors must keep theirs."""
    if isinstance(dtype, dict):
        return dtype.get("config", {}).get("name") == usual
    return "batch_shape" in of_layer and dtype == usual
