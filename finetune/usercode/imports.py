"""The user's functions and classes, `module:name`: found, imported, called; errors in one line."""

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

from finetune.errors import FinetuneError, describe_exception
from finetune.spec.regular_file import read_regular

# The SHA-256 of each module's file when it was loaded, by the module's name: a worker process
# may outlive a change to the file.
_loaded: dict[str, str] = {}

# Packages that lie here are never unloaded for a study's: the whole program may be using them.
_INSTALLED = (
    *(Path(sysconfig.get_path(kind)).resolve() for kind in ("stdlib", "purelib", "platlib")),
    Path(__file__).resolve().parents[1],
)


def find_module(path: str, folders: Iterable[str]) -> tuple[str, Path] | None:
    """Find the source file of `module:name` without importing anything.

    Args:
        path: The module's dotted name, a colon and a name in it.
        folders: Where to look, before Python's own path.

    Returns:
        The folder to import it from, and its file; None where only an import could tell.
    """
    inner = Path(*path.partition(":")[0].split("."))
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
        FinetuneError: Of type `error`: the module cannot be imported, or has no such function.
    """
    function, file = load_object(path, folders=folders, field=field, error=error)
    if not callable(function):
        raise error(f"{field}: {path!r} is {type(function).__name__}; allowed is a function")
    return wrap_errors(function, path, file=file, field=field, error=error)


def load_object(
    path: str, *, folders: Iterable[str], field: str, error: type[FinetuneError]
) -> tuple[Any, Path | None]:
    """Import `module:name` as `load_function` does, whatever it is.

    Returns:
        The object, and the module's source file where it is known.

    Raises:
        FinetuneError: Of type `error`: the module cannot be imported, or has no such name.
    """
    name, _, attribute = path.partition(":")
    root, file = find_module(path, folders) or (None, None)
    try:
        with _first_on_path(root):
            return getattr(_import(name, file, root=root), attribute), file
    except Exception as problem:
        raise error(f"{field}: cannot import {path!r}: {_describe(problem, file)}") from problem


def wrap_errors(
    function: Callable[..., Any],
    path: str,
    *,
    file: Path | None,
    field: str,
    error: type[FinetuneError],
) -> Callable[..., Any]:
    """Wrap a user's function so that whatever it raises becomes an `error` of one line.

    Args:
        function: The user's.
        path: How the line names it.
        file: Its source; the line gives the number of the last line in it that was running.
        field: Where the study names it; the line begins with that.
        error: The type that is raised instead.
    """

    @wraps(function)
    def wrapped(*arguments: Any, **options: Any) -> Any:
        try:
            return function(*arguments, **options)
        except Exception as problem:
            raise error(f"{field}: {path} raised {_describe(problem, file)}") from problem

    return wrapped


def _import(name: str, file: Path | None, *, root: str | None) -> ModuleType:
    content = hashlib.sha256(read_regular(file)).hexdigest() if file else ""
    _forget_package(name, root)
    loaded = sys.modules.get(name) if file else None
    # Another study's module of the same name, or an earlier state of this one.
    if loaded and (not _is_from(loaded, file) or _loaded.get(name, content) != content):
        del sys.modules[name]
    importlib.invalidate_caches()
    module = importlib.import_module(name)
    if file and not _is_from(module, file):
        found = getattr(module, "__file__", None)
        raise ImportError(f"{name} is {found}, not {file}; rename one of them")
    _loaded[name] = content
    return module


def _is_from(module: ModuleType, file: Path | None) -> bool:
    source = getattr(module, "__file__", None)
    return bool(source) and Path(str(source)).resolve() == file


def _forget_package(name: str, root: str | None) -> None:
    """Unload a module's top-level package where the one that is loaded is from another folder."""
    top, dot, _ = name.partition(".")
    if root is None or not dot:
        return
    package = {key: module for key, module in sys.modules.items() if key.partition(".")[0] == top}
    places = [
        Path(file).parent.resolve()
        for module in package.values()
        if (file := getattr(module, "__file__", None))
    ]
    installed = any(place.is_relative_to(folder) for place in places for folder in _INSTALLED)
    wanted = Path(root, top).resolve()
    if not installed and not all(place.is_relative_to(wanted) for place in places):
        for key in package:
            del sys.modules[key]


@contextmanager
def _first_on_path(root: str | None) -> Iterator[None]:
    """Put a folder first on Python's path, then last: functions may import more when called."""
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


def _describe(problem: Exception, file: Path | None) -> str:
    """Describe an exception in one line: type, message, and the last line in the user's file."""
    description = describe_exception(problem)
    # A syntax error's message names file and line already.
    if isinstance(problem, SyntaxError) and problem.filename:
        return description
    frames = traceback.extract_tb(problem.__traceback__)
    inside = [frame for frame in frames if file and os.path.realpath(frame.filename) == str(file)]
    if not inside:
        return description
    return f"{description} ({Path(inside[-1].filename).name}, line {inside[-1].lineno})"
