"""The file a study is written in: found, read as TOML, checked."""

import json
import math
import os
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from importlib import resources
from io import TextIOWrapper
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from finetune.errors import SpecError
from finetune.spec.messages import dotted, explain, shorten
from finetune.spec.nearest import did_you_mean
from finetune.spec.overrides import apply_override
from finetune.spec.regular_file import open_regular
from finetune.spec.study import StudySpec

# No study needs more, and the parser of JSON refuses much deeper trees without naming a place.
_MAX_DEPTH = 50


def read_tree(
    path: Path | str | None, *, overrides: Iterable[str] = ()
) -> tuple[dict[str, Any], Path]:
    """Read a study file as plain dictionaries, lists and scalars, `KEY=VALUE` overrides applied.

    Args:
        path: A file, or the name of a shipped study; None is the founding study.
        overrides: Each as `apply_override` takes it, applied in order.

    Returns:
        The tree, and the file that it was read from.

    Raises:
        SpecError: The file cannot be read or parsed, or an override does not fit it.
    """
    file = _find(path)
    text = _read(file)
    try:
        tree = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise SpecError(f"{file.name}: not valid TOML: {error}") from error
    for override in overrides:
        apply_override(tree, override)
    return tree, file


def parse_spec(tree: Mapping[str, Any], *, where: str = "spec") -> StudySpec:
    """Check a study given as plain dictionaries, lists and scalars.

    Args:
        tree: The study.
        where: What errors begin with, as the name of the file.

    Raises:
        SpecError: A field is not allowed; of several, the first is named.
    """
    try:
        _check_leaves(tree, where=where)
        # JSON mode reads arrays as tuples while scalars stay strict: "100" is no number here.
        return StudySpec.model_validate_json(json.dumps(tree), strict=True)
    except ValidationError as error:
        raise SpecError(f"{where}: {explain(error.errors(include_url=False)[0])}") from error
    except ValueError as error:
        # Python refuses to write out integers of thousands of digits.
        raise SpecError(f"{where}: allowed are numbers of a sensible size: {error}") from error


def shipped_studies() -> Path:
    """Return the folder of the studies that come with the package."""
    inside = Path(str(resources.files("finetune.spec"))) / "shipped"
    # An editable install has no copy inside the package: there the repository's own are used.
    return inside if inside.is_dir() else Path(__file__).parents[2] / "benchmarks" / "studies"


def shipped_names() -> list[str]:
    """Return the names of the studies that come with the package, in alphabetical order."""
    return sorted(file.stem for file in shipped_studies().glob("*.toml"))


def _find(path: Path | str | None) -> Path:
    wanted = Path(path or "")
    if path is None:
        return shipped_studies() / "founding.toml"
    # `Path.is_file` raises where a name is too long or a folder is closed to the user.
    if wanted.name == str(wanted) and not wanted.suffix and not os.path.isfile(wanted):  # noqa: PTH113
        known = shipped_names()
        if wanted.name not in known:
            raise SpecError(
                f"SPEC: received {str(wanted)!r}, which is no file and no shipped study"
                f"{did_you_mean(wanted.name, known)}; allowed: a path to a TOML file, or one of "
                f"{', '.join(known)}"
            )
        return shipped_studies() / f"{wanted.name}.toml"
    return wanted


def _read(file: Path) -> str:
    try:
        with TextIOWrapper(open_regular(file), encoding="utf-8") as opened:
            return opened.read()
    except (OSError, UnicodeDecodeError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "not a text file in UTF-8"
        raise SpecError(f"SPEC: cannot read {str(file)!r}: {reason}") from error


def _check_leaves(tree: Mapping[str, Any], *, where: str) -> None:
    for location, value in _leaves(tree):
        if not _is_plain(value):
            raise SpecError(
                f"{where}: {dotted(location)}: received {shorten(value)}; allowed are text, "
                f"finite numbers and booleans, in tables and arrays at most {_MAX_DEPTH} deep"
            )


def _leaves(node: Any, *location: Any) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """Yield every key and scalar of a tree with its location; what lies too deep stays whole."""
    if len(location) > _MAX_DEPTH:
        yield location, node
    elif isinstance(node, Mapping):
        for key, value in node.items():
            yield location, key
            yield from _leaves(value, *location, key)
    elif isinstance(node, list | tuple):
        for index, value in enumerate(node):
            yield from _leaves(value, *location, index)
    else:
        yield location, node


def _is_plain(value: Any) -> bool:
    if isinstance(value, str):
        return not any("\ud800" <= character <= "\udfff" for character in value)
    return value is None or isinstance(value, int) or _is_finite_float(value)


def _is_finite_float(value: Any) -> bool:
    return isinstance(value, float) and math.isfinite(value)
