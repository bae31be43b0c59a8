"""The user's own functions, `module:function`: found, imported, called; errors in one line."""

import hashlib
import importlib
import os
import sys
import sysconfig
import traceback
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from types import ModuleType
from typing import Any

from finetune.errors import FinetuneError, in_words

# The digest of each module as it was loaded, by its name: workers may outlive a change to it.
_loaded: dict[str, str] = {}

# Where no study's own packages lie: the whole program may be using these.
_INSTALLED = (
    *(Path(sysconfig.get_path(kind)).resolve() for kind in ("stdlib", "purelib", "platlib")),
    Path(__file__).resolve().parents[1],
)


def module_file(function: str, folders: Iterable[str]) -> tuple[str, Path] | None:
    """Find the source file of `module:function`, importing nothing.

    Args:
        function: The module's dotted name, a colon and the function's name.
        folders: Where to look, before Python's own path.

    Returns:
        The folder to import it from, and its file; None where only an import could tell.
    """
    inner = Path(*function.partition(":")[0].split("."))
    for root in (*folders, *sys.path):
        for file in (Path(root, inner, "__init__.py"), Path(root, inner).with_suffix(".py")):
            if file.is_file():
                return str(Path(root).resolve()), file.resolve()
    return None


def load_function(
    path: str, *, folders: Iterable[str], field: str, error: type[FinetuneError]
) -> Callable[..., Any]:
    """Import `module:function` from the first of the folders that has it, or Python's own path.

    Returns:
        The function; whatever it raises becomes an `error` of one line that says where.

    Raises:
        FinetuneError: of type `error`: the module cannot be imported, or has no such function.
    """
    function, file = load_object(path, folders=folders, field=field, error=error)
    if not callable(function):
        raise error(f"{field}: {path!r} is {type(function).__name__}; allowed is a function")
    return with_errors_reworded(function, path, file=file, field=field, error=error)


def load_object(
    path: str, *, folders: Iterable[str], field: str, error: type[FinetuneError]
) -> tuple[Any, Path | None]:
    """Import `module:name` as `load_function` does, whatever it is; give it and its source file.

    Raises:
        FinetuneError: of type `error`: the module cannot be imported, or has no such name.
    """
    name, _, attribute = path.partition(":")
    root, file = module_file(path, folders) or (None, None)
    try:
        with _first_on_path(root):
            return getattr(_import(name, file, root=root), attribute), file
    except Exception as problem:
        raise error(f"{field}: cannot import {path!r}: {_told(problem, file)}") from problem


def with_errors_reworded(
    function: Callable[..., Any],
    path: str,
    *,
    file: Path | None,
    field: str,
    error: type[FinetuneError],
) -> Callable[..., Any]:
    """Give a function of the user's with what it raises turned into an `error` of one line.

    `path` names it there, and a place in `file` is told.
    """

    @wraps(function)
    def called(*arguments: Any, **options: Any) -> Any:
        try:
            return function(*arguments, **options)
        except Exception as problem:
            raise error(f"{field}: {path} raised {_told(problem, file)}") from problem

    return called


def _import(name: str, file: Path | None, *, root: str | None) -> ModuleType:
    content = hashlib.sha256(file.read_bytes()).hexdigest() if file else ""
    _forget_package(name, root)
    known = sys.modules.get(name) if file else None
    # Another study's module of the same name, or an earlier state of this one.
    if known and (not _is_of(known, file) or _loaded.get(name, content) != content):
        del sys.modules[name]
    importlib.invalidate_caches()
    module = importlib.import_module(name)
    if file and not _is_of(module, file):
        found = getattr(module, "__file__", None)
        raise ImportError(f"{name} is {found}, not {file}; rename one of them")
    _loaded[name] = content
    return module


def _is_of(module: ModuleType, file: Path | None) -> bool:
    at = getattr(module, "__file__", None)
    return bool(at) and Path(str(at)).resolve() == file


def _forget_package(name: str, root: str | None) -> None:
    """Forget the package around a module, and all in it, where another folder's was loaded."""
    top, dot, _ = name.partition(".")
    if root is None or not dot:
        return
    family = {key: module for key, module in sys.modules.items() if key.partition(".")[0] == top}
    places = [
        Path(file).parent.resolve()
        for module in family.values()
        if (file := getattr(module, "__file__", None))
    ]
    installed = any(place.is_relative_to(folder) for place in places for folder in _INSTALLED)
    own = Path(root, top).resolve()
    if not installed and not all(place.is_relative_to(own) for place in places):
        for key in family:
            del sys.modules[key]


@contextmanager
def _first_on_path(root: str | None) -> Iterator[None]:
    """Import from a folder before all others; leave it last, for what functions import later."""
    if root is None:
        yield
        return
    sys.path.insert(0, root)
    try:
        yield
    finally:
        sys.path.remove(root)
        if root not in sys.path:
            sys.path.append(root)


def _told(problem: Exception, file: Path | None) -> str:
    """Say an exception in one line: its kind, its words, and where in the user's file it arose."""
    said = in_words(problem)
    if isinstance(problem, SyntaxError) and problem.filename:
        return said
    frames = traceback.extract_tb(problem.__traceback__)
    own = [frame for frame in frames if file and os.path.realpath(frame.filename) == str(file)]
    return f"{said} ({Path(own[-1].filename).name}, line {own[-1].lineno})" if own else said
