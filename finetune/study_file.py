"""The file a study is written in: TOML, overridden by dotted keys, mistakes told in one line."""

import json
import math
import os
import re
import reprlib
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from importlib import resources
from pathlib import Path
from typing import Any, get_args

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from finetune.content import with_content
from finetune.errors import SpecError
from finetune.spec import Part, StudySpec
from finetune.stranger import check_stranger

_DEEPEST = 50

# How pydantic words what is allowed, and how a reader of TOML would.
_WORDINGS = (
    (r"^Input should be", "allowed is"),
    (r"^String should match pattern", "allowed is text that matches"),
    (r"^String should have", "allowed is text with"),
    (r"^Tuple should have", "allowed is an array with"),
    (r"\ba valid dictionary or object to extract fields from", "a table"),
    (r"\ban? (valid )?object\b", "a table"),
    (r"\ba valid (list|array|tuple)\b", "an array"),
    (r" after validation, not \d+$", ""),
)


def load_spec(
    path: Path | str | None = None, *, overrides: Iterable[str] = (), imports: bool = True
) -> StudySpec:
    """Read a study from a TOML file and apply `KEY=VALUE` overrides.

    Without a path it is the default study. A bare name (no folder, no suffix) that is no file
    here is looked up among the studies that come with the package. The user's own files that the
    study names are found beside it or in the current folder. Without `imports` a study is refused
    that would import a module, or whose files lie outside these folders.

    Raises:
        SpecError: the file cannot be read or parsed, or a field is not allowed.
        DataError: the file of the study's data is not there, or not the one it should be.
    """
    file = _find(path)
    where, text = file.name, _read(file)
    try:
        tree = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise SpecError(f"{where}: not valid TOML: {error}") from error
    for override in overrides:
        _apply(tree, override)
    own = file.parent if path is not None and file == Path(path) else None
    spec = parse_spec(tree, where=where)
    if not imports:
        check_stranger(spec, own)
    return with_content(spec, own)


def parse_spec(tree: Mapping[str, Any], *, where: str = "spec") -> StudySpec:
    """Check a study given as plain dictionaries, lists and scalars.

    Raises:
        SpecError: the first field that is not allowed, what it received and what it may be.
    """
    try:
        for place, value in _leaves(tree):
            if not _is_plain(value):
                raise SpecError(
                    f"{where}: {_place(place)}: received {_short(value)}; allowed are text, finite "
                    f"numbers and booleans, in tables and arrays at most {_DEEPEST} deep"
                )
        # JSON mode reads arrays as tuples while scalars stay strict: "100" is no number here.
        return StudySpec.model_validate_json(json.dumps(tree), strict=True)
    except ValidationError as error:
        raise SpecError(f"{where}: {_explain(error.errors(include_url=False)[0])}") from error
    except ValueError as error:
        # Python refuses to write out integers of thousands of digits.
        raise SpecError(f"{where}: allowed are numbers of a sensible size: {error}") from error


def shipped_studies() -> Path:
    """Give the folder of the studies that come with the package."""
    inside = Path(str(resources.files("finetune"))) / "studies"
    # An editable install has no copy inside the package: there the repository's own are used.
    return inside if inside.is_dir() else Path(__file__).parent.parent / "benchmarks" / "studies"


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
        raise SpecError(f"--set: {key!r} goes below {_short(node)}, which has no keys")


def _descend(node: Any, step: str, *, at: str) -> Any:
    if isinstance(node, list):
        return node[_index(node, step, at=at)]
    if isinstance(node, dict):
        return node.setdefault(step, {})
    raise SpecError(f"--set: {at!r} goes below {_short(node)}, which has no keys")


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


def _explain(error: ErrorDetails) -> str:
    location, parts = _followed(error["loc"])
    place = _place(location)
    match error["type"]:
        case "extra_forbidden":
            return f"{place}: unknown key; allowed: {', '.join(_keys_beside(error['loc']))}"
        case "missing":
            return f"{place}: missing; add it"
        case "union_tag_not_found":
            return f"{place}.kind: missing; allowed: {', '.join(map(_kind, parts))}"
        case "union_tag_invalid":
            received = _short(error.get("ctx", {}).get("tag"))
            allowed = ", ".join(map(_kind, parts))
            return f"{place}.kind: received {received}; allowed: {allowed}"
        case "value_error":
            message = str(error.get("ctx", {}).get("error", error["msg"]))
            return f"{place}: {message}" if error["loc"] else message
    wanted = error["msg"]
    for pydantic_words, words in _WORDINGS:
        wanted = re.sub(pydantic_words, words, wanted)
    return f"{place}: received {_short(error['input'])}; {wanted}"


def _place(location: tuple[Any, ...]) -> str:
    """Give the dotted path of a place, in one line whatever its keys hold."""
    steps = (str(step) if str(step).isprintable() else repr(step) for step in location)
    return ".".join(steps) or "the study"


def _short(value: Any) -> str:
    text = repr(value) if isinstance(value, str | int | float) else reprlib.repr(value)
    return text if len(text) <= 80 else text[:77] + "..."


def _keys_beside(location: tuple[int | str, ...]) -> list[str]:
    """Give the keys allowed where an unknown one was found."""
    parts = _followed(location[:-1])[1]
    return sorted({key for part in parts for key in part.model_fields})


def _followed(location: tuple[int | str, ...]) -> tuple[tuple[int | str, ...], list[type[Part]]]:
    """Follow a location into a study, to the parts that may stand there.

    Where there are several, pydantic adds the kind of the one that was chosen, which is no key.
    """
    steps: list[int | str] = []
    parts: list[type[Part]] = [StudySpec]
    for step in location:
        chosen = [part for part in parts if len(parts) > 1 and _kind(part) == step]
        if chosen:
            parts = chosen
            continue
        steps.append(step)
        fields = parts[0].model_fields if len(parts) == 1 else {}
        if isinstance(step, str):
            parts = _parts_in(fields[step].annotation) if step in fields else []
    return tuple(steps), parts


def _parts_in(annotation: Any) -> list[type[Part]]:
    """Find each `Part` inside an annotation such as `tuple[VariantSpec, ...] | None`."""
    if isinstance(annotation, type) and issubclass(annotation, Part):
        return [annotation]
    return [part for inner in get_args(annotation) for part in _parts_in(inner)]


def _kind(part: type[Part]) -> str:
    """Give the kind by which a part is chosen among several."""
    return get_args(part.model_fields["kind"].annotation)[0]
