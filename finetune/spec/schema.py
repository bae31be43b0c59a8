"""The JSON Schema of study files, for editors that complete and check while one writes."""

import json
from typing import Any

from pydantic.json_schema import GenerateJsonSchema
from pydantic_core import core_schema

from finetune.errors import one_line
from finetune.spec.base import BaseSpec
from finetune.spec.study import StudySpec

# A file of this name lies beside a study that `finetune init` wrote.
SCHEMA_FILE = "finetune.schema.json"


class _StudyFileSchema(GenerateJsonSchema):
    """Describes what TOML can hold: there is no null in it, and a key's name is its title."""

    def nullable_schema(self, schema: core_schema.NullableSchema) -> dict[str, Any]:
        """Leave null out: whoever wants none leaves the key out."""
        return self.generate_inner(schema["schema"])

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> dict[str, Any]:
        """Leave out a default of null, and that of a section, whose keys have theirs."""
        default = schema.get("default", ...)
        if default is None or isinstance(default, BaseSpec):
            return self.generate_inner(schema["schema"])
        return super().default_schema(schema)

    def encode_default(self, dft: Any) -> Any:
        """Return a default as a study file has it."""
        return _as_in_toml(super().encode_default(dft))

    def field_title_should_be_set(self, schema: Any) -> bool:
        """Name no field twice."""
        return False


def study_schema() -> dict[str, Any]:
    """Return the JSON Schema of a study file: every key, its default and what is allowed.

    What only all of a study tells, as that a claim names two of its variants, is not in it.
    """
    schema = StudySpec.model_json_schema(schema_generator=_StudyFileSchema)
    dialect = {"$schema": GenerateJsonSchema.schema_dialect, "title": "A study of finetune"}
    return _in_one_line({**schema, **dialect})


def _as_in_toml(value: Any) -> Any:
    """Return a value without the nulls in its tables."""
    if not isinstance(value, dict):
        return value
    return {key: _as_in_toml(inner) for key, inner in value.items() if inner is not None}


def _in_one_line(tree: Any) -> Any:
    """Return a schema whose descriptions have no line breaks, as editors show them."""
    if isinstance(tree, list):
        return [_in_one_line(inner) for inner in tree]
    if not isinstance(tree, dict):
        return tree
    text = tree.get("description")
    words = {"description": one_line(text)} if isinstance(text, str) else {}
    return {key: _in_one_line(inner) for key, inner in {**tree, **words}.items()}


def schema_text() -> str:
    """Return the schema as a file holds it."""
    return json.dumps(study_schema(), indent=2) + "\n"
