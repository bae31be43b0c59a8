"""Variants that set keys of the network and of training otherwise than their study."""

import pytest

from finetune.errors import SpecError
from finetune.spec.study_file import parse_spec
from finetune.studies.load import load_spec

BASE = load_spec().model_dump(mode="json", exclude_defaults=True) | {"claims": []}


def study(*variants: dict, **sections):
    named = [{"name": f"v{number}"} | variant for number, variant in enumerate(variants)]
    return parse_spec(BASE | {"variants": named} | sections)


def test_what_is_overridden_holds_for_the_variant_alone():
    spec = study(
        {},
        {
            "model": {"dropout": 0.3},
            "training": {"batch_size": 128, "optimizer": {"learning_rate": 0.1}},
        },
    )
    bare, other = map(spec.resolve, spec.variants)
    assert bare == spec
    assert (other.model.dropout, other.model.hidden) == (0.3, spec.model.hidden)
    assert (other.training.batch_size, other.training.epochs) == (128, spec.training.epochs)
    assert other.training.optimizer.learning_rate == 0.1
    assert other.training.optimizer.name == "adam"


def test_a_variant_has_the_recipe_of_a_study_that_is_so_throughout():
    override = {"batch_size": 128, "optimizer": {"name": "adamw"}}
    spec = study({}, {"training": override})
    optimizer = {"name": "adamw", "learning_rate": 0.01}
    alone = study({}, training=BASE["training"] | {"batch_size": 128, "optimizer": optimizer})
    assert spec.recipe(spec.variants[1], "e") == alone.recipe(alone.variants[0], "e")
    assert spec.recipe(spec.variants[0], "e") == load_spec().recipe(load_spec().variants[0], "e")


def test_a_network_of_its_own_that_begins_like_the_studys_is_another_recipe():
    spec, alone = study({}, {"model": {"dropout": 0.3}}), study({}, model={"dropout": 0.3})
    assert spec.recipe(spec.variants[1], "e") != alone.recipe(alone.variants[0], "e")
    # An override that changes nothing is no other network.
    same = study({}, {"model": {"dropout": 0.0}})
    assert same.recipe(same.variants[1], "e") == same.recipe(same.variants[0], "e")


def test_the_arguments_of_one_optimizer_are_not_those_of_another():
    optimizer = {"name": "adam", "args": {"beta_1": 0.8}}
    training = BASE["training"] | {"optimizer": optimizer}
    own = {"optimizer": {"name": "sgd"}}, {"optimizer": {"args": {"beta_2": 0.9}}}
    spec = study(*({"training": one} for one in own), training=training)
    sgd, adam = (spec.resolve(one).training.optimizer for one in spec.variants)
    assert sgd.args == {}
    assert adam.args == {"beta_1": 0.8, "beta_2": 0.9}


def test_overrides_survive_being_written_and_read():
    spec = study({}, {"model": {"dropout": 0.0}, "training": {"epochs": 3}})
    again = type(spec).model_validate_json(spec.model_dump_json())
    assert again == spec
    assert [again.epochs_of(one.name) for one in again.variants] == [100, 3]


ERRORS = {
    "unknown key": (
        {"training": {"momentum": 0.9}}, "variants.1.training.momentum", "unknown key",
        "batch_size, ",
    ),
    "unknown key of the network": (
        {"model": {"layers": [3]}}, "variants.1.model.layers", "unknown key", "dropout",
    ),
    "a value that is not allowed": (
        {"model": {"dropout": 2.0}}, "variants.1.model.dropout", "received 2.0", "less than 1",
    ),
    "nested": (
        {"training": {"optimizer": {"rate": 1}}}, "variants.1.training.optimizer.rate",
        "unknown key", "learning_rate",
    ),
    "data": ({"data": {"source": "x"}}, "variants.1.data", "share the data", "second study"),
    "two networks": (
        {"model": {"factory": "net:build", "hidden": [3]}}, "variants.1.model.hidden",
        "'net:build'", "leave the key out",
    ),
    "no table": ({"model": "net:build"}, "variants.1.model", "'net:build'", "allowed is a table"),
}  # fmt: skip


@pytest.mark.parametrize("case", ERRORS)
def test_what_cannot_be_overridden_is_told_in_one_line(case):
    wrong, *parts = ERRORS[case]
    with pytest.raises(SpecError) as caught:
        study({}, wrong)
    message = str(caught.value)
    assert "\n" not in message
    assert all(part in message for part in parts), message


def test_the_old_form_of_a_claim_shows_the_new_one():
    with pytest.raises(
        SpecError, match=r'claim: unknown key; .*\[\[claims\]\], kind = "underfits"'
    ):
        parse_spec(BASE | {"claim": {"treatment": "a", "control": "b"}})
