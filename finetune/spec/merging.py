"""Sections of which some keys are set anew: what a variant overrides of its study."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar, cast

from pydantic import GetJsonSchemaHandler, ValidationError
from pydantic_core import ErrorDetails, InitErrorDetails

from finetune.spec.base import BaseSpec

S = TypeVar("S", bound=BaseSpec)

# By key what falls back to a default where another value is set: the arguments of an optimizer are
# not those of another, and there is one network, with the SHA-256 of its own file.
_FALLS_BACK: Mapping[str, Mapping[str, Any]] = {
    "name": {"args": {}},
    "factory": {"content": None, "architecture": None, "file": None},
    "architecture": {"content": None, "factory": None, "file": None},
    "file": {"content": None, "factory": None, "architecture": None},
}


@dataclass(frozen=True)
class Overrides:
    """Marks a field that holds some keys of a section, so that errors can name the others."""

    section: type[BaseSpec]

    def __get_pydantic_json_schema__(self, _: Any, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """Describe the field by the section's keys, none of which must be there."""
        return handler(self.section.__pydantic_core_schema__)


def merge(section: S, overrides: Mapping[str, Any], *, at: tuple[str | int, ...]) -> S:
    """Return a section with some of its keys set anew, tables within it key by key.

    Args:
        section: What holds where nothing is overridden.
        overrides: Plain values, as a study file has them.
        at: Where the overrides stand in the study, for errors.

    Raises:
        ValidationError: A key is unknown or its value not allowed; the location begins with `at`.
    """
    merged = merged_keys(section.model_dump(mode="json"), overrides)
    try:
        return type(section).model_validate_json(json.dumps(merged), strict=True)
    except ValidationError as error:
        # Pydantic puts the location of errors that a validator raises before their own.
        raise ValidationError.from_exception_data(
            error.title, [_moved(one, at) for one in error.errors(include_url=False)]
        ) from None


def merged_keys(tree: Mapping[str, Any], overrides: Mapping[str, Any]) -> dict[str, Any]:
    """Return a tree with some of its keys set anew, tables within it key by key."""
    merged = dict(tree)
    for key in overrides:
        if overrides[key] != tree.get(key):
            defaults = _FALLS_BACK.get(key, {})
            merged |= {other: value for other, value in defaults.items() if other in tree}
    for key, value in overrides.items():
        within = merged.get(key)
        both = isinstance(within, Mapping) and isinstance(value, Mapping)
        merged[key] = merged_keys(cast(Mapping[str, Any], within), value) if both else value
    return merged


def _moved(error: ErrorDetails, at: tuple[str | int, ...]) -> InitErrorDetails:
    return InitErrorDetails(
        type=error["type"], loc=(*at, *error["loc"]), input=error["input"], ctx=error.get("ctx", {})
    )
