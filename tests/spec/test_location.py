"""Errors about what a variant sets are told where the variant sets it."""

import pytest

from finetune.errors import SpecError
from finetune.spec.location import located
from finetune.spec.study import StudySpec
from finetune.spec.study_file import parse_spec
from finetune.studies.load import load_spec

OWN = {
    "model": {"factory": "net:build"},
    "training": {"optimizer": {"name": "sgd", "args": {"momentum": 2}}},
}
WARMER = {"training": {"optimizer": {"learning_rate": 0.1}}}


def study(*variants: dict) -> StudySpec:
    base = load_spec().model_dump(mode="json", exclude_defaults=True)
    named = [{"name": f"v{number}"} | variant for number, variant in enumerate(variants)]
    return parse_spec(base | {"claims": [], "variants": named})


@pytest.mark.parametrize(
    "field", ["model.factory", "training.optimizer", "training.optimizer.args.momentum"]
)
def test_a_key_that_a_variant_sets_is_named_as_its_own(field):
    spec = study({}, {}, OWN)
    found = located(SpecError(f"{field}: received x: y"), spec, ["v2"])
    assert str(found) == f"variants.2.{field}: received x: y"


@pytest.mark.parametrize("field", ["model.hidden", "training.loss", "data", "--workers", "claims"])
def test_what_it_does_not_set_keeps_its_name(field):
    spec = study({}, OWN)
    error = SpecError(f"{field}: received x")
    assert located(error, spec, ["v1"]) is error


def test_what_some_of_the_variants_set_is_not_the_cause():
    spec = study({}, WARMER)
    error = SpecError("training.optimizer: received x")
    assert located(error, spec, ["v0", "v1"]) is error


def test_a_variant_that_is_not_in_the_study_has_no_place_there():
    error = SpecError("model.factory: received x")
    assert located(error, study({}, OWN), ["v1 at the base LR"]) is error
