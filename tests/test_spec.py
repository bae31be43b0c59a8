"""A study as data: what its recipe depends on and what it does not."""

import subprocess
import sys

import pytest
from hypothesis import given

from finetune import spec as spec_module
from finetune.spec import StudySpec, VariantSpec, digest
from finetune.study_file import parse_spec
from tests.spec_strategies import studies
from tests.studies import small_study

REDUCTION = 2
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


def recipe(*overrides: str) -> str:
    spec = small_study(*overrides)
    return spec.recipe(spec.variants[REDUCTION], "population")


@pytest.mark.parametrize(
    "override",
    [
        "name=other",
        "seeds=7",
        "claim.alpha=0.1",
        "claim.margins.test_loss=0.5",
        "claim.control=both",
        "claim.contrasts=[['both', 'no callbacks']]",
        "search.trials=3",
        "search.factor=[0.2, 0.3]",
        "variants.2.name=renamed",
        "variants.1.early_stopping.patience=77",
        'vary=["order", "init"]',
        'vary=["order", "init", "order"]',
    ],
)
def test_what_changes_no_number_leaves_the_recipe(override):
    claim = "claim.treatment=early stopping"  # so that the claim does not name variant 2
    assert recipe(claim, override) == recipe(claim)


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
        "model.hidden=[8, 5]",
        "model.activation=tanh",
        "model.factory=module:function",
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
    }
    monkeypatch.setattr(spec_module, "NUMERICS_VERSION", -1)
    digests.add(spec.recipe(variant, "population"))
    assert len(digests) == 4


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

    assert parse_spec(turned(spec.model_dump(mode="json"))).recipes("keras") == spec.recipes(
        "keras"
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
    code = "from tests.test_spec import recipe; print(recipe())"
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


def test_a_spec_is_frozen():
    spec: StudySpec = small_study()
    with pytest.raises(ValueError, match="frozen"):
        spec.training.epochs = 5
