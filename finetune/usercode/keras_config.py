"""Check serialised Keras objects: only Keras's own, none of which holds code or reads files.

Keras looks objects up by module and name. Its "safe mode" does not suffice: it can be switched
off from within a process, and lets pass functions of Keras that do more than compute.
"""

import json
import re
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from finetune.errors import FinetuneError, SpecError, escape_unprintable, one_line
from finetune.spec.messages import shorten
from finetune.spec.regular_file import check_regular, read_regular

# Source: `BUILTIN_MODULES` and `_retrieve_class_or_fn`, keras/src/saving/serialization_lib.py,
# Keras 3.15.
_MODULES = (
    "activations|constraints|dtype_policies|initializers|layers|losses|metrics|models|ops|"
    "optimizers|quantizers|random|regularizers"
)
_ANY_MODULE = re.compile(
    rf"builtins|keras|keras\.({_MODULES})(\.\w+)*|keras\.src\.({_MODULES})(\.\w+)*"
)
_FUNCTION_MODULE = re.compile(
    r"builtins|keras\.(activations|constraints|initializers|losses|metrics|ops|regularizers)"
)

# Classes, in lower case, that hold Python code or the graph of another program, or read a file.
_REFUSED = frozenset(
    {
        "__lambda__", "__typespec__", "lambda", "tfoplambda", "slicingoplambda", "tfsmlayer",
        "jaxlayer", "flaxlayer", "torchmodulewrapper", "featurespace",
    }
)  # fmt: skip
_ALLOWED = "allowed are Keras's own layers and functions, none that holds code or reads files"

# Of text: a network of a thousand layers takes less than one.
_LARGEST_FILE = 50 * 10**6


def read_network(file: Path, *, field: str) -> dict[str, Any]:
    """Read a network that `keras.Model.to_json` wrote, and check that it holds nothing else.

    Returns:
        What `keras.models.model_from_json` reads, without how the network was once compiled.

    Raises:
        SpecError: The file cannot be read, is no JSON object, names what is not Keras's own, or
            holds text that would act on a terminal.
    """
    return _read(file, _text_of_json, field=field)


def read_saved_network(file: Path, *, field: str) -> dict[str, Any]:
    """Read the network in a file that `keras.Model.save` wrote, without its weights.

    It is checked as `read_network` checks; Keras itself keeps to the file when it reads weights.

    Raises:
        SpecError: As by `read_network`, or the file is none of Keras's own format.
    """
    return _read(file, _text_of_saved, field=field)


def _read(file: Path, text: Callable[[Path], bytes], *, field: str) -> dict[str, Any]:
    try:
        tree = json.loads(text(file).decode("utf-8"))
    except (OSError, ValueError, RecursionError) as problem:
        reason = getattr(problem, "strerror", None) or one_line(problem)[:200]
        raise _no_network(file, field, reason) from problem
    if not isinstance(tree, dict):
        raise _no_network(file, field, f"it holds {type(tree).__name__}, not an object")
    check_config(tree, field=f"{field}: {file.name}", error=SpecError)
    _check_printable(tree, field=f"{field}: {file.name}")
    # The study says how the network is compiled.
    tree.pop("compile_config", None)
    return tree


def _text_of_json(file: Path) -> bytes:
    _check_size(file.stat().st_size)
    return read_regular(file)


def _text_of_saved(file: Path) -> bytes:
    check_regular(file)
    try:
        with zipfile.ZipFile(file) as archive:
            _check_size(archive.getinfo("config.json").file_size)
            return archive.read("config.json")
    # Of bytes that no program wrote, or compressed in a way that is not supported.
    except (zipfile.BadZipFile, KeyError, NotImplementedError, zlib.error) as problem:
        raise ValueError("it is not in Keras's own format") from problem


def _check_size(n_bytes: int) -> None:
    if n_bytes > _LARGEST_FILE:
        raise ValueError(f"it is larger than {_LARGEST_FILE // 10**6} MB")


def check_config(tree: Any, *, field: str, error: type[FinetuneError]) -> None:
    """Check that what Keras is to build holds nothing but Keras's own objects.

    Raises:
        FinetuneError: Of type `error`: an object is of another module, or is one that holds code
            or reads a file.
    """
    for node in _dictionaries(tree):
        found = _forbidden(node)
        if found:
            key, value = found
            raise error(f"{field}: {key} is {shorten(value)}; {_ALLOWED}")


def _check_printable(tree: Any, *, field: str) -> None:
    """Check every text in a network, since Keras prints names of layers as they are.

    Raises:
        SpecError: One holds a character that acts and does not show.
    """
    for node in _dictionaries({"": tree}):
        # A list may hold texts of its own, as the words of a vocabulary.
        for key, value in node.items():
            for text in (key, *_texts(value)):
                if escape_unprintable(text) != text:
                    raise SpecError(
                        f"{field}: {shorten(key)} holds {shorten(text)}; allowed is text without "
                        "control and direction characters; rename it"
                    )


def _texts(value: Any) -> Iterator[str]:
    """Yield a text, or those in a list, however deep."""
    stack = [value]
    while stack:
        one = stack.pop()
        if isinstance(one, str):
            yield one
        elif isinstance(one, list):
            stack += one


def _dictionaries(tree: Any) -> Iterator[dict[Any, Any]]:
    """Yield all dictionaries in a tree, however deep."""
    stack = [tree]
    while stack:
        node = stack.pop()
        if isinstance(node, dict):
            yield node
            stack += node.values()
        elif isinstance(node, list | tuple):
            stack += node


def _forbidden(node: dict[Any, Any]) -> tuple[str, Any] | None:
    """Return the key and the value for which an object is refused, if any."""
    name, module = node.get("class_name"), node.get("module")
    allowed = _FUNCTION_MODULE if name == "function" else _ANY_MODULE
    if "module" in node and module is not None and not _matches(allowed, module):
        return "module", module
    if "class_name" in node and not (name == "function" or _is_class(name, module)):
        return "class_name", name
    if name == "function" and not _is_plain_name(node.get("config")):
        return "config", node.get("config")
    # Keras looks up registered names, of objects that a program added, before its own.
    if node.get("registered_name") not in (None, name, node.get("config")):
        return "registered_name", node["registered_name"]
    # A list holds the words themselves; a string is the path of a file to read.
    if isinstance(node.get("vocabulary"), str):
        return "vocabulary", node["vocabulary"]
    return None


def _matches(pattern: re.Pattern[str], text: Any) -> bool:
    return isinstance(text, str) and pattern.fullmatch(text) is not None


def _is_plain_name(name: Any) -> bool:
    # A name with a dot in it could lead out of its module.
    return isinstance(name, str) and name.isidentifier() and name.lower() not in _REFUSED


def _is_class(name: Any, module: Any) -> bool:
    # Where a module is given Keras would return a function for `class_name` too.
    return _is_plain_name(name) and (module is None or name.startswith("__") or name[0].isupper())


def _no_network(file: Path, field: str, reason: str) -> SpecError:
    return SpecError(
        f"{field}: {file.name} is no network that Keras can read: {reason}; allowed is what "
        f"keras.Model.{'save' if field == 'model.file' else 'to_json'} wrote, with layers that are "
        "Keras's own"
    )
