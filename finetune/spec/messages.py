"""Errors of pydantic reworded for a reader of TOML, each in one line."""

import re
import reprlib
from typing import Any, get_args

from pydantic_core import ErrorDetails

from finetune.spec.base import BaseSpec
from finetune.spec.key_hints import HINTS
from finetune.spec.sections import sections_of
from finetune.spec.study import StudySpec

# How pydantic words what is allowed in JSON, and how a reader of TOML would.
_WORDINGS = (
    (r"^Input should be", "allowed is"),
    (r"^String should match pattern", "allowed is text that matches"),
    (r"^String should have", "allowed is text with"),
    (r"^Tuple should have", "allowed is an array with"),
    (r"\ban object\b", "a table"),
    (r"\ba valid array\b", "an array"),
    (r" after validation, not \d+$", ""),
)


def explain(error: ErrorDetails) -> str:
    """Return one line for an error of pydantic: the field, what it received, what is allowed."""
    location, candidates = _resolve(error["loc"])
    field = dotted(location)
    match error["type"]:
        case "extra_forbidden":
            return f"{field}: unknown key; {_hint(field)}allowed: {_keys_beside(error['loc'])}"
        case "missing":
            return f"{field}: missing; add it"
        case "union_tag_not_found":
            return f"{field}.kind: missing; allowed: {', '.join(map(_kind, candidates))}"
        case "union_tag_invalid":
            received = shorten(error.get("ctx", {}).get("tag"))
            allowed = ", ".join(map(_kind, candidates))
            return f"{field}.kind: received {received}; allowed: {allowed}"
        case "value_error":
            message = str(error.get("ctx", {}).get("error", error["msg"]))
            return f"{field}: {message}" if error["loc"] else message
    wanted = error["msg"]
    for pydantic_words, words in _WORDINGS:
        wanted = re.sub(pydantic_words, words, wanted)
    return f"{field}: received {shorten(error['input'])}; {wanted}"


def dotted(location: tuple[Any, ...]) -> str:
    """Return the dotted path of a field, in one line whatever its keys hold."""
    steps = (str(step) if str(step).isprintable() else repr(step) for step in location)
    return ".".join(steps) or "the study"


def shorten(value: Any) -> str:
    """Return a value as an error shows it, at most 80 characters."""
    text = repr(value) if isinstance(value, str | int | float) else reprlib.repr(value)
    return text if len(text) <= 80 else text[:77] + "..."


def _hint(field: str) -> str:
    section, _, key = field.rpartition(".")
    # What stands in an array is hinted at alike, whatever its number.
    hints = HINTS.get(re.sub(r"\d+", "N", section), {})
    return f"{hints[key.lower()]}; " if key.lower() in hints else ""


def _keys_beside(location: tuple[int | str, ...]) -> str:
    """Return the keys that are allowed where an unknown one was found."""
    candidates = _resolve(location[:-1])[1]
    return ", ".join(sorted({key for section in candidates for key in section.model_fields}))


def _resolve(location: tuple[int | str, ...]) -> tuple[tuple[int | str, ...], list[type[BaseSpec]]]:
    """Follow a location of pydantic's through the study.

    Returns:
        The location as keys of the study, and the types of section that may stand there. Where
        those are several, pydantic adds a step with the kind of the one chosen, which is no key.
    """
    steps: list[int | str] = []
    candidates: list[type[BaseSpec]] = [StudySpec]
    for step in location:
        chosen = [one for one in candidates if len(candidates) > 1 and _kind(one) == step]
        if chosen:
            candidates = chosen
            continue
        steps.append(step)
        fields = candidates[0].model_fields if len(candidates) == 1 else {}
        if isinstance(step, str):
            candidates = sections_of(fields[step]) if step in fields else []
    return tuple(steps), candidates


def _kind(section: type[BaseSpec]) -> str:
    """Return the value of `kind` that chooses this type among several; "" where none does."""
    field = section.model_fields.get("kind")
    return get_args(field.annotation)[0] if field else ""
