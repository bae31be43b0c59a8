"""The JSON Schema of study files: whole, and of one mind with the reader of study files."""

import json
import tomllib
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest
from hypothesis import given

from finetune.errors import SpecError
from finetune.spec.overrides import apply_override
from finetune.spec.schema import SCHEMA_FILE, study_schema
from finetune.spec.study import StudySpec
from finetune.spec.study_file import parse_spec, read_tree, shipped_names
from tests.spec_strategies import studies

SCHEMA = study_schema()
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)


def properties(schema: Any, *above: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every key that a study may have, with its schema."""
    if isinstance(schema, list):
        for inner in schema:
            yield from properties(inner, *above)
    elif isinstance(schema, dict):
        for name, inner in schema.get("properties", {}).items():
            yield ".".join((*above, name)), inner
        for name, inner in schema.items():
            yield from properties(inner, *above, name)


def test_it_is_a_schema():
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


def test_every_key_has_a_description_in_one_line_and_its_default():
    keys = dict(properties(SCHEMA))
    assert len(keys) > 80
    for path, schema in keys.items():
        words = schema.get("description", "")
        assert words[-1:] == ".", f"{path}: the text below the field in its spec is missing"
        assert "\n" not in words, path
    assert '"null"' not in json.dumps(SCHEMA)
    training = SCHEMA["$defs"]["TrainingSpec"]["properties"]
    assert training["batch_size"]["default"] == 32
    assert training["batch_size"]["minimum"] == 1
    assert training["dtype"]["enum"] == ["float32", "float64"]
    assert "auc" in training["metrics"]["items"]["enum"]
    assert SCHEMA["$defs"]["OptimizerSpec"]["properties"]["learning_rate"]["exclusiveMinimum"] == 0


@pytest.mark.parametrize("name", shipped_names())
def test_every_shipped_study_is_valid(name):
    VALIDATOR.validate(read_tree(name)[0])


@given(studies())
def test_every_study_is_valid(spec: StudySpec):
    VALIDATOR.validate(spec.model_dump(mode="json", exclude_none=True))


BROKEN = (
    "training.epoch=3",
    "training.epochs=0",
    'training.dtype="float16"',
    'training.metrics=["aucc"]',
    "seeds=0",
    'vary=["weights"]',
    'name=""',
    "data.test_size=1.0",
    "variants.1.early_stopping.patience=-1",
    'variants.1.early_stopping.monitor="loss_val"',
    "variants.2.reduce_lr.factor=1.5",
    "variants.1.training.epoch=3",
    "variants=[]",
    'claims.0.kind="worse"',
    "claims.0.alpha=0.5",
    "checks.parity=0",
    "search.space.reduce_lr.factor=[0.1]",
    "search.space.optimizer.learning_rate=[0.1, 0.2]",
    "map.delay=[]",
)
ALLOWED = (
    'data={source="people.csv", target="buys", weight="w", missing=["?"]}',
    "variants.1.training.optimizer.learning_rate=1",
    "variants.1.model.hidden=[8]",
    "variants.1.schedule={kind='cosine'}",
    "training.class_weight={yes=2, no=0.5}",
    'training.class_weight="balanced"',
    "checks={parity=false, probe=3}",
    "search.space.reduce_lr.factor=[0.1, 0.2]",
    'search.space={"training.batch_size"={choices=[16, 32]}}',
    "search.space.training.epochs={range=[20, 100], step=20}",
)


def overridden(*overrides: str) -> dict[str, Any]:
    tree, _ = read_tree("founding")
    for override in overrides:
        apply_override(tree, override)
    return tree


@pytest.mark.parametrize("override", BROKEN)
def test_what_a_study_refuses_is_invalid(override):
    tree = overridden(override)
    with pytest.raises(SpecError):
        parse_spec(tree)
    assert not VALIDATOR.is_valid(tree)


@pytest.mark.parametrize("override", ALLOWED)
def test_what_a_study_allows_is_valid(override):
    tree = overridden(override)
    parse_spec(tree)
    VALIDATOR.validate(tree)


def test_the_command_prints_it_and_writes_it(cli, tmp_path):
    code, out, err = cli("schema")
    assert (code, err) == (0, "")
    assert json.loads(out) == SCHEMA
    assert cli("schema", "--out", "s.json")[0] == 0
    assert (tmp_path / "s.json").read_text() == out
    code, out, err = cli("schema", "--out", "s.json/below")
    assert (code, out, len(err.splitlines())) == (2, "", 1)


def test_a_new_study_names_the_schema_that_lies_beside_it(cli, tmp_path):
    assert cli("init", "new.toml")[0] == 0
    text = (tmp_path / "new.toml").read_text()
    assert text.splitlines()[0] == f"#:schema ./{SCHEMA_FILE}"
    schema = json.loads((tmp_path / SCHEMA_FILE).read_text())
    jsonschema.validate(tomllib.loads(text), schema)
