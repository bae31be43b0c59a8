"""The file a study is written in: TOML, overridden by dotted keys, mistakes told in one line."""

import json
import math
import os
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from importlib import resources
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from finetune.errors import SpecError
from finetune.spec.messages import explain, place, short
from finetune.spec.study import StudySpec

_DEEPEST = 50


def read_tree(
    path: Path | str | None, *, overrides: Iterable[str] = ()
) -> tuple[dict[str, Any], Path]:
    """Read a study file as plain dictionaries, lists and scalars, `KEY=VALUE` overrides applied.

    `path` is as `finetune.load_spec` takes it.

    Returns:
        The tree, and the file that it was read from.

    Raises:
        SpecError: the file cannot be read or parsed, or an override fits nothing in it.
    """
    file = _find(path)
    text = _read(file)
    try:
        tree = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise SpecError(f"{file.name}: not valid TOML: {error}") from error
    for override in overrides:
        _apply(tree, override)
    return tree, file


def parse_spec(tree: Mapping[str, Any], *, where: str = "spec") -> StudySpec:
    """Check a study given as plain dictionaries, lists and scalars.

    Raises:
        SpecError: the first field that is not allowed, what it received and what it may be.
    """
    try:
        for where_in, value in _leaves(tree):
            if not _is_plain(value):
                raise SpecError(
                    f"{where}: {place(where_in)}: received {short(value)}; allowed are text, "
                    f"finite numbers and booleans, in tables and arrays at most {_DEEPEST} deep"
                )
        # JSON mode reads arrays as tuples while scalars stay strict: "100" is no number here.
        return StudySpec.model_validate_json(json.dumps(tree), strict=True)
    except ValidationError as error:
        raise SpecError(f"{where}: {explain(error.errors(include_url=False)[0])}") from error
    except ValueError as error:
        # Python refuses to write out integers of thousands of digits.
        raise SpecError(f"{where}: allowed are numbers of a sensible size: {error}") from error


def shipped_studies() -> Path:
    """Give the folder of the studies that come with the package."""
    inside = Path(str(resources.files("finetune.spec"))) / "shipped"
    # An editable install has no copy inside the package: there the repository's own are used.
    return inside if inside.is_dir() else Path(__file__).parents[2] / "benchmarks" / "studies"


def _find(path: Path | str | None) -> Path:
    wanted = Path(path or "")
    if path is None:
        return shipped_studies() / "founding.toml"
    # `Path.is_file` raises where a name is too long or a folder is closed to the user.
    if wanted.name == str(wanted) and not wanted.suffix and not os.path.isfile(wanted):  # noqa: PTH113
        known = sorted(file.stem for file in shipped_studies().glob("*.toml"))
        if wanted.name not in known:
            raise SpecError(
                f"SPEC: received {str(wanted)!r}, which is no file and no shipped study; "
                f"allowed: a path to a TOML file, or one of {', '.join(known)}"
            )
        return shipped_studies() / f"{wanted.name}.toml"
    return wanted


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "not a text file in UTF-8"
        raise SpecError(f"SPEC: cannot read {str(file)!r}: {reason}") from error


def _apply(tree: dict[str, Any], override: str) -> None:
    key, separator, text = override.partition("=")
    steps = key.strip().split(".")
    if not separator or not all(steps):
        raise SpecError(
            f"--set: received {override!r}; allowed is KEY=VALUE, as training.epochs=50"
        )
    node: Any = tree
    for depth, step in enumerate(steps[:-1]):
        node = _descend(node, step, at=".".join(steps[: depth + 1]))
    if isinstance(node, list):
        node[_index(node, steps[-1], at=key)] = _value(text)
    elif isinstance(node, dict):
        node[steps[-1]] = _value(text)
    else:
        raise SpecError(f"--set: {key!r} goes below {short(node)}, which has no keys")


def _descend(node: Any, step: str, *, at: str) -> Any:
    if isinstance(node, list):
        return node[_index(node, step, at=at)]
    if isinstance(node, dict):
        return node.setdefault(step, {})
    raise SpecError(f"--set: {at!r} goes below {short(node)}, which has no keys")


def _index(items: list[Any], step: str, *, at: str) -> int:
    if step not in map(str, range(len(items))):
        raise SpecError(
            f"--set: received {at!r}; allowed numbers there are 0 to {len(items) - 1}, since the "
            f"list has {len(items)} entries"
        )
    return int(step)


def _value(text: str) -> Any:
    """Read a TOML value; what is none is taken as plain text, so names need no quotes."""
    try:
        read = tomllib.loads(f"value = {text}")
    except (ValueError, RecursionError):
        return text.strip()
    # A line break would let the text say more than the one value.
    return read["value"] if len(read) == 1 else text


def _leaves(node: Any, *place: Any) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """Give every key and every scalar of a tree, with its place; what lies too deep as it is."""
    if len(place) > _DEEPEST:
        yield place, node
    elif isinstance(node, Mapping):
        for key, value in node.items():
            yield place, key
            yield from _leaves(value, *place, key)
    elif isinstance(node, list | tuple):
        for index, value in enumerate(node):
            yield from _leaves(value, *place, index)
    else:
        yield place, node


def _is_plain(value: Any) -> bool:
    if isinstance(value, str):
        return not any("\ud800" <= character <= "\udfff" for character in value)
    return value is None or isinstance(value, int) or _is_finite_float(value)


def _is_finite_float(value: Any) -> bool:
    return isinstance(value, float) and math.isfinite(value)
