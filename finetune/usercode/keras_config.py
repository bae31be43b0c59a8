"""What Keras builds objects from, as data: only Keras's own, none of which holds code or files.

Keras looks objects up by module and name. Its own check of that ("safe mode") can be switched off
from within a process, and admits functions of Keras's that do more than compute; here it is not
relied on.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from finetune.errors import FinetuneError, SpecError

# Source: keras 3.15, `saving/serialization_lib.py`, `_retrieve_class_or_fn`.
_PARTS = (
    "activations|constraints|dtype_policies|initializers|layers|losses|metrics|models|ops|"
    "optimizers|quantizers|random|regularizers"
)
_MODULE = re.compile(rf"builtins|keras|keras\.({_PARTS})(\.\w+)*|keras\.src\.({_PARTS})(\.\w+)*")
_OF_FUNCTIONS = re.compile(
    r"builtins|keras\.(activations|constraints|initializers|losses|metrics|ops|regularizers)"
)

# Layers and values that hold Python code or the graph of another program, or read a file.
_REFUSED = frozenset(
    {
        "__lambda__", "__typespec__", "lambda", "tfoplambda", "slicingoplambda", "tfsmlayer",
        "jaxlayer", "flaxlayer", "torchmodulewrapper", "featurespace",
    }
)  # fmt: skip
_ALLOWED = "allowed are Keras's own layers and functions, none that holds code or reads files"


def read_network(file: Path, *, field: str) -> dict[str, Any]:
    """Read the network that a file holds as JSON, and see that Keras can build it and do no more.

    Raises:
        SpecError: It cannot be read, is no JSON object, or names what is not Keras's own.
    """
    try:
        tree = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as problem:
        said = getattr(problem, "strerror", None) or str(problem)[:200]
        raise _no_network(file, field, said) from problem
    if not isinstance(tree, dict):
        raise _no_network(file, field, f"it holds {type(tree).__name__}, not an object")
    check_config(tree, field=f"{field}: {file.name}", error=SpecError)
    # How the network was once compiled says nothing here: the study does.
    tree.pop("compile_config", None)
    return tree


def check_config(tree: Any, *, field: str, error: type[FinetuneError]) -> None:
    """See that what Keras is to build holds nothing but Keras's own objects.

    Raises:
        FinetuneError: of type `error`: an object is of another module, or is one that holds code
            or reads a file.
    """
    for node in _dictionaries(tree):
        found = _forbidden(node)
        if found:
            key, value = found
            raise error(f"{field}: {key} is {_short(value)}; {_ALLOWED}")


def _dictionaries(tree: Any) -> Iterator[dict[Any, Any]]:
    """Give all dictionaries in a tree, however deep."""
    left = [tree]
    while left:
        node = left.pop()
        if isinstance(node, dict):
            yield node
            left += node.values()
        elif isinstance(node, list | tuple):
            left += node


def _forbidden(node: dict[Any, Any]) -> tuple[str, Any] | None:
    """Give the key and the value for which an object is refused."""
    name, module = node.get("class_name"), node.get("module")
    known = _OF_FUNCTIONS if name == "function" else _MODULE
    if "module" in node and module is not None and not _matches(known, module):
        return "module", module
    if "class_name" in node and not (name == "function" or _is_class(name, module)):
        return "class_name", name
    if name == "function" and not _is_plain_name(node.get("config")):
        return "config", node.get("config")
    # A registered name stands for an object of a program's own, which comes before Keras's.
    if node.get("registered_name") not in (None, name, node.get("config")):
        return "registered_name", node["registered_name"]
    # In a list they are the words themselves, in text the path of a file to read.
    if isinstance(node.get("vocabulary"), str):
        return "vocabulary", node["vocabulary"]
    return None


def _matches(pattern: re.Pattern[str], text: Any) -> bool:
    return isinstance(text, str) and pattern.fullmatch(text) is not None


def _is_plain_name(name: Any) -> bool:
    # With a dot in it a name could lead out of its module.
    return isinstance(name, str) and name.isidentifier() and name.lower() not in _REFUSED


def _is_class(name: Any, module: Any) -> bool:
    # By a module Keras would give a function too where a class is asked for.
    return _is_plain_name(name) and (module is None or name.startswith("__") or name[0].isupper())


def _no_network(file: Path, field: str, said: str) -> SpecError:
    return SpecError(
        f"{field}: {file.name} is no network that Keras can read: {said}; allowed is what "
        "keras.Model.to_json wrote, with layers that are Keras's own"
    )


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."
