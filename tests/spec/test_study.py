"""A study as data: what its recipe depends on and what it does not."""

import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given

from finetune.errors import SpecError
from finetune.spec import study as spec_module
from finetune.spec.data import DataSpec
from finetune.spec.recipes import data_inputs, digest
from finetune.spec.study import StudySpec
from finetune.spec.study_file import parse_spec
from finetune.spec.variants import VariantSpec
from finetune.studies.load import load_spec
from tests.small_studies import recipes_of, small_study
from tests.spec_strategies import studies

REDUCTION = 2
CLAIM = "claims.0.treatment=early stopping"  # so that the claim does not name variant 2
ALL_ARGUMENTS = {
    "early_stopping": {
        "monitor": "loss", "min_delta": 0.5, "patience": 9, "baseline": 0.1,
        "restore_best_weights": False, "start_from_epoch": 3,
    },
    "reduce_lr": {
        "monitor": "loss", "factor": 0.3, "patience": 9, "min_delta": 0.5, "cooldown": 2,
        "min_lr": 0.001, "start_from_epoch": 3, "until_epoch": 9,
    },
}  # fmt: skip
# Each kind with what it needs, and then every further argument.
SCHEDULES = {
    "constant": ({}, {"factor": 0.2, "warm_up": 1}),
    "exponential": ({}, {"factor": 0.2, "warm_up": 1}),
    "cosine": ({}, {"period": 3, "growth": 2.0, "decay": 0.5, "floor": 0.1, "warm_up": 1}),
    "one_cycle": (
        {"epochs": 30},
        {"epochs": 31, "rise": 0.5, "initial_divisor": 3, "final_divisor": 9, "warm_up": 1},
    ),
}


def recipe(*overrides: str) -> str:
    spec = small_study(*overrides)
    return spec.recipe(spec.variants[REDUCTION], "population")


@pytest.mark.parametrize(
    "override",
    [
        "name=other",
        "seeds=7",
        "claims.0.alpha=0.1",
        "claims.0.margins.test_loss=0.5",
        "claims.0.control=both",
        "contrasts=[['both', 'no callbacks']]",
        "checks.variance=false",
        "checks.probe=3",
        "search.trials=3",
        "search.space.reduce_lr.factor=[0.2, 0.3]",
        "variants.2.name=renamed",
        "variants.1.early_stopping.patience=77",
        'vary=["order", "init"]',
        'vary=["order", "init", "order"]',
    ],
)
def test_what_changes_no_number_leaves_the_recipe(override):
    assert recipe(CLAIM, override) == recipe(CLAIM)


@pytest.mark.parametrize(
    "override",
    [
        "data.source=make_moons",
        "data.args.n_samples=84",
        "data.args.random_state=43",
        "data.args.shift=0.5",
        "data.test_size=0.25",
        "data.val_size=0.25",
        "data.split_seed=43",
        "data.target=y",
        "data.task=binary",
        "data.categorical=['a']",
        "data.drop=['a']",
        "data.stratify=true",
        "data.groups='0'",
        "data.time='0'",
        "model.hidden=[8, 5]",
        "model.activation=tanh",
        "model.kernel_initializer=he_uniform",
        "model.factory=module:function",
        "model.pretrained=all",
        "model.pretrained=['conv*']",
        "model.freeze=['dense']",
        "training.optimizer.name=sgd",
        "training.optimizer.learning_rate=0.02",
        "training.optimizer.args.beta_1=0.8",
        "training.loss=mean_squared_error",
        "training.batch_size=17",
        "training.epochs=13",
        "training.dtype=float64",
        'vary=["init"]',
        'vary=["init", "order", "split"]',
        "variants.2.early_stopping={}",
    ],
)
def test_what_changes_numbers_changes_the_recipe(override):
    assert recipe(override) != recipe()


def test_engine_replicate_and_version_of_the_numerics_change_the_recipe(monkeypatch):
    spec = small_study()
    variant = spec.variants[REDUCTION]
    digests = {
        spec.recipe(variant, "population"),
        spec.recipe(variant, "keras"),
        spec.recipe(variant, "population", replicate=1),
        spec.recipe(variant, "population", curves="validation"),
    }
    monkeypatch.setattr(spec_module, "NUMERICS_VERSION", -1)
    digests.add(spec.recipe(variant, "population"))
    assert len(digests) == 5


@pytest.mark.parametrize("policy", ALL_ARGUMENTS)
def test_every_argument_of_a_policy_changes_the_recipe(policy):
    spec = small_study()

    def of(arguments):
        return spec.recipe(VariantSpec.model_validate({"name": "v", policy: arguments}), "keras")

    arguments = ALL_ARGUMENTS[policy]
    fields = VariantSpec.model_fields[policy].annotation.__args__[0].model_fields
    assert set(arguments) == set(fields)
    one_changed = [of({name: value}) for name, value in arguments.items()]
    bare = spec.recipe(VariantSpec(name="v"), "keras")
    assert len({bare, of({}), *one_changed}) == 2 + len(fields)


@pytest.mark.parametrize("kind", SCHEDULES)
def test_every_argument_of_a_schedule_changes_the_recipe(kind):
    needed, others = SCHEDULES[kind]

    def of(arguments):
        schedule = {"kind": kind, **needed, **arguments}
        variant = VariantSpec.model_validate({"name": "v", "schedule": schedule})
        return small_study().recipe(variant, "population")

    spec: Any = VariantSpec.model_validate({"name": "v", "schedule": {"kind": kind, **needed}})
    assert {"kind", *others} == set(type(spec.schedule).model_fields)
    assert len({of({}), *(of({name: value}) for name, value in others.items())}) == 1 + len(others)


def test_schedules_of_all_kinds_have_recipes_of_their_own():
    recipes = {
        recipe(f"variants.2={{name='v', schedule={{kind='{kind}', warm_up=3{more}}}}}", CLAIM)
        for kind, more in [(kind, ", epochs=9" * (kind == "one_cycle")) for kind in SCHEDULES]
    }
    assert len(recipes) == len(SCHEDULES)


@pytest.mark.parametrize("other", ["reduce_lr = {}", "set_lr = {epoch=1, learning_rate=0.1}"])
def test_a_schedule_beside_another_policy_of_the_rate_is_refused(other):
    both = f"variants.0={{name='mine', schedule={{kind='cosine'}}, {other}}}"
    with pytest.raises(SpecError) as caught:
        small_study(both)
    line = str(caught.value)
    parts = ("variants.0", "'mine'", "schedule = cosine", other.split()[0], "allowed", "make two")
    assert [part for part in parts if part not in line] == []
    assert len(line.splitlines()) == 1


def test_own_callbacks_with_their_arguments_and_files_are_in_the_recipe():
    spec = small_study()
    own = {"callback": "own:Halve", "args": {"every": 2}}
    variant = VariantSpec.model_validate({"name": "v", "callbacks": (own,)})
    changes = [{"args": {"every": 3}}, {"callback": "own:Other"}, {"content": "0" * 64}]
    others = [variant.model_copy(update={"callbacks": ()})]
    for change in changes:
        others.append(VariantSpec.model_validate({"name": "v", "callbacks": (own | change,)}))
    assert len({spec.recipe(v, "keras") for v in [variant, *others]}) == 5


def test_arguments_of_the_two_policies_are_not_mixed_up():
    spec = small_study()
    stops = VariantSpec.model_validate({"name": "v", "early_stopping": {"patience": 3}})
    reduces = VariantSpec.model_validate({"name": "v", "reduce_lr": {"patience": 3}})
    assert spec.recipe(stops, "keras") != spec.recipe(reduces, "keras")


@pytest.mark.parametrize(
    "default",
    [
        "data.test_size=0.2",
        "data.split_seed=42",
        "data.stratify=false",
        "model.kernel_initializer=glorot_uniform",
        "training.loss=binary_crossentropy",
        "training.dtype=float32",
        "training.optimizer.args={}",
        "training.optimizer.learning_rate=1e-2",
        "variants.2.reduce_lr.cooldown=0",
        "variants.2.reduce_lr.min_lr=0",
        "variants.2.reduce_lr.monitor=val_loss",
    ],
)
def test_a_default_that_is_written_out_leaves_the_recipe(default):
    assert recipe(default) == recipe()


@given(studies())
def test_the_recipe_ignores_the_order_of_keys(spec):
    def turned(node):
        if isinstance(node, dict):
            return {key: turned(node[key]) for key in reversed(node)}
        return [turned(item) for item in node] if isinstance(node, list) else node

    assert recipes_of(parse_spec(turned(spec.model_dump(mode="json"))), "keras") == recipes_of(
        spec, "keras"
    )


@given(studies())
def test_the_problem_is_what_all_variants_share(spec):
    other = spec.model_copy(update={"name": "other", "variants": (VariantSpec(name="v"),)})
    assert other.problem == spec.problem
    faster = spec.training.model_copy(update={"epochs": spec.training.epochs + 1})
    assert spec.model_copy(update={"training": faster}).problem != spec.problem


def test_defaults_are_no_part_of_the_recipe(monkeypatch):
    # So that a key that is added later, with a default, orphans no stored run.
    monkeypatch.setattr(spec_module, "digest", lambda parts: parts)
    tree = {"name": "m", "data": {"source": "s"}, "variants": [{"name": "v", "reduce_lr": {}}]}
    spec = parse_spec(tree)
    parts = spec.recipe(spec.variants[0], "keras")
    assert (parts["data"], parts["model"], parts["training"]) == ({"source": "s"}, {}, {})
    assert parts["policies"] == {"reduce_lr": {}}


def test_recipes_are_equal_in_every_process():
    code = "from tests.spec.test_study import recipe; print(recipe())"
    for hash_seed in ("1", "2"):
        answer = subprocess.run(
            [sys.executable, "-c", code],
            env={"PYTHONHASHSEED": hash_seed},
            capture_output=True,
            text=True,
            check=True,
        )
        assert answer.stdout.strip() == recipe()


def test_the_digest_is_that_of_earlier_versions():
    # A changed digest would orphan every run that anyone has stored.
    assert digest({"b": [1, 2.5, "x"], "a": {"d": None, "c": True}}) == "5ccd52c83105ca4e"


# The stored runs of the founding study are known by these.
FOUNDING = {
    "no callbacks": "e1b6d18809bce135",
    "early stopping": "7762213a9b7ee1d4",
    "LR reduction from epoch 0": "2e7e0aa1b90d7ba7",
    "delayed LR reduction": "bd75ffb8ac1f6355",
    "both": "9d5f0f15491b46ee",
}


# Small studies, as earlier versions knew them.
EARLIER = {
    "classes": (
        ["data.args.n_classes=3", "training.loss=sparse_categorical_crossentropy"],
        "778b37ccb83c8a3d",
    ),
    "regression": (
        [
            "training.loss=mean_squared_error",
            "data.source=make_regression",
            "data.scale_target=false",
        ],
        "a4b117f4d253b060",
    ),
    "a loader's rows, not split by class": (
        [
            "data.source=load_breast_cancer",
            "data.args={}",
            "data.stratify=false",
        ],
        "22fddbf0ad0d002c",
    ),
}


def test_recipes_of_the_founding_study_are_those_of_earlier_versions():
    spec = load_spec()
    assert recipes_of(spec) == FOUNDING
    assert spec.recipe(spec.variant("both"), "keras") == "5c959ad5720582c7"
    assert spec.recipe(spec.variants[3], "population", replicate=1) == "d4a36221efc519bb"
    assert spec.problem == "44f90ee299139120"


@pytest.mark.parametrize("study", EARLIER)
def test_recipes_are_those_of_earlier_versions(study):
    overrides, expected = EARLIER[study]
    assert recipe(*overrides) == expected


@pytest.mark.parametrize(
    ("data", "scaled"),
    [
        ({"source": "make_regression"}, True),
        ({"source": "load_diabetes"}, True),
        ({"source": "load_wine"}, False),
        ({"source": "load_wine", "task": "regression"}, True),
        ({"source": "rows.npz"}, True),
        ({"source": "rows.csv"}, True),
        ({"source": "rows.csv", "task": "binary"}, False),
        ({"source": "rows:load", "stratify": True}, False),
    ],
)
def test_scaling_the_target_is_in_the_recipe_where_it_may_be_numbers(data, scaled):
    spec = DataSpec.model_validate(data)
    assert ("scale_target" in data_inputs(spec)) == scaled
    unscaled = data_inputs(DataSpec.model_validate(data | {"scale_target": False}))
    assert (data_inputs(spec) != unscaled) == scaled


def test_the_order_of_inputs_is_in_no_recipe():
    one, other, fewer = (
        data_inputs(DataSpec(source="rows.npz", inputs=names))
        for names in (("image", "table"), ("table", "image"), ("image", "words"))
    )
    assert one == other != fewer
    assert "inputs" not in data_inputs(DataSpec(source="rows.npz"))


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"source": "rows.csv", "inputs": ("a", "b")}, "inputs names .*, but 'rows.csv' is no NPZ"),
        ({"source": "rows.npz", "inputs": ("a", "a")}, "an array twice or the target too"),
        ({"source": "rows.npz", "inputs": ("a", "y")}, "an array twice or the target too"),
        ({"source": "rows.npz", "inputs": ("a", "b"), "weight": "b"}, "weight and inputs both"),
        ({"source": "rows.npz", "inputs": ("a",)}, "at least 2 items"),
        ({"source": "rows.npz", "scale": {"a": "minmax"}}, 'received .*; allowed is "standard"'),
        ({"source": "rows.npz", "scale": {}}, "a table of these by name"),
    ],
)
def test_inputs_and_scales_that_no_data_have_are_refused(data, words):
    with pytest.raises(ValueError, match=words):
        DataSpec.model_validate(data)


def test_a_loss_that_follows_the_task_is_the_recipe_of_one_that_is_said():
    tree = load_spec().model_dump(mode="json")
    tree["training"]["loss"] = None
    assert recipes_of(parse_spec(tree)) == FOUNDING


@pytest.mark.parametrize(
    ("source", "stratified"),
    [
        ("make_moons", False),
        ("load_iris", True),
        ("people.csv", True),
        ("folder/PEOPLE.Parquet", True),
        ("rows:load", True),
    ],
)
def test_classes_are_split_by_their_shares_but_where_a_generator_draws(source, stratified):
    data = DataSpec(source=source)
    assert data.stratified == stratified
    assert DataSpec(source=source, stratify=not stratified).stratified == (not stratified)


@pytest.mark.parametrize("source", ["make_moons", "load_iris"])
def test_the_recipe_says_whether_the_split_is_by_class(source):
    def of(stratify):
        overrides = [f"data.source={source}", "data.args={}"]
        spec = load_spec(overrides=overrides)
        data = spec.data.model_copy(update={"stratify": stratify})
        return spec.model_copy(update={"data": data}).problem

    assert of(True) != of(False)
    assert of(None) == of(source == "load_iris")


def test_a_spec_is_frozen():
    spec: StudySpec = small_study()
    with pytest.raises(ValueError, match="frozen"):
        spec.training.epochs = 5


@pytest.mark.parametrize(
    ("source", "counts"),
    [
        ("make_moons", False),
        ("load_iris", False),
        ("rows.npz", False),
        ("rows.csv", True),
        ("rows.parquet", True),
        ("rows:load", True),
    ],
)
def test_how_text_is_read_counts_where_there_may_be_text(source, counts):
    assert ("reading" in data_inputs(DataSpec(source=source))) == counts
