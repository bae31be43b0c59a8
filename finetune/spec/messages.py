"""Mistakes in a study told in one line: pydantic's errors in the words of a reader of TOML."""

import re
import reprlib
from typing import Any, get_args

from pydantic_core import ErrorDetails

from finetune.spec.base import BaseSpec
from finetune.spec.study import StudySpec

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


def explain(error: ErrorDetails) -> str:
    """Return one line for an error of pydantic: the field, what it received, what is allowed."""
    location, parts = _followed(error["loc"])
    at = place(location)
    match error["type"]:
        case "extra_forbidden":
            return f"{at}: unknown key; allowed: {', '.join(_keys_beside(error['loc']))}"
        case "missing":
            return f"{at}: missing; add it"
        case "union_tag_not_found":
            return f"{at}.kind: missing; allowed: {', '.join(map(_kind, parts))}"
        case "union_tag_invalid":
            received = short(error.get("ctx", {}).get("tag"))
            allowed = ", ".join(map(_kind, parts))
            return f"{at}.kind: received {received}; allowed: {allowed}"
        case "value_error":
            message = str(error.get("ctx", {}).get("error", error["msg"]))
            return f"{at}: {message}" if error["loc"] else message
    wanted = error["msg"]
    for pydantic_words, words in _WORDINGS:
        wanted = re.sub(pydantic_words, words, wanted)
    return f"{at}: received {short(error['input'])}; {wanted}"


def place(location: tuple[Any, ...]) -> str:
    """Give the dotted path of a place, in one line whatever its keys hold."""
    steps = (str(step) if str(step).isprintable() else repr(step) for step in location)
    return ".".join(steps) or "the study"


def short(value: Any) -> str:
    """Return a value as an error shows it, at most 80 characters."""
    text = repr(value) if isinstance(value, str | int | float) else reprlib.repr(value)
    return text if len(text) <= 80 else text[:77] + "..."


def _keys_beside(location: tuple[int | str, ...]) -> list[str]:
    """Give the keys allowed where an unknown one was found."""
    parts = _followed(location[:-1])[1]
    return sorted({key for part in parts for key in part.model_fields})


def _followed(
    location: tuple[int | str, ...],
) -> tuple[tuple[int | str, ...], list[type[BaseSpec]]]:
    """Follow a location into a study, to the parts that may stand there.

    Where there are several, pydantic adds the kind of the one that was chosen, which is no key.
    """
    steps: list[int | str] = []
    parts: list[type[BaseSpec]] = [StudySpec]
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


def _parts_in(annotation: Any) -> list[type[BaseSpec]]:
    """Find each `BaseSpec` inside an annotation such as `tuple[VariantSpec, ...] | None`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseSpec):
        return [annotation]
    return [part for inner in get_args(annotation) for part in _parts_in(inner)]


def _kind(part: type[BaseSpec]) -> str:
    """Give the kind by which a part is chosen among several."""
    return get_args(part.model_fields["kind"].annotation)[0]
