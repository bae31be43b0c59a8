"""The training problem of a study: what its data ask for, where the study leaves it to them."""

import numpy as np
import pytest

from finetune.engines.keras_fit import KerasEngine
from finetune.engines.keras_problem import KerasProblem
from finetune.engines.population import PopulationEngine
from finetune.engines.problem import Problem
from finetune.errors import DataError, SpecError
from finetune.spec.study import StudySpec
from finetune.spec.study_file import parse_spec
from finetune.studies.load import load_spec
from tests.data.user_data import people, write
from tests.small_studies import small_study, task


def study(**data) -> StudySpec:
    """Make a study that says nothing of the loss."""
    tree = {"name": "s", "data": data, "variants": [{"name": "plain"}]}
    return parse_spec(tree | {"model": {"hidden": [4]}, "training": {"epochs": 2}})


@pytest.mark.parametrize(
    ("source", "loss", "outputs", "dtype", "shape"),
    [
        ("load_digits", "sparse_categorical_crossentropy", 10, np.int32, (1078,)),
        ("load_diabetes", "mean_squared_error", 1, np.float32, (265, 1)),
        ("load_breast_cancer", "binary_crossentropy", 1, np.float32, (341, 1)),
    ],
)
def test_loss_outputs_and_targets_follow_the_task(source, loss, outputs, dtype, shape):
    problem = Problem(study(source=source))
    assert problem.spec.training.loss == loss
    keras_problem = KerasProblem(problem)
    assert keras_problem.model.output_shape == (None, outputs)
    y = problem.data(0).train.y
    assert (y.dtype, y.shape) == (dtype, shape)
    assert (problem.spec.training.accuracy is None) == (source == "load_diabetes")
    assert (keras_problem.accuracy is None) == (source == "load_diabetes")


def test_a_loss_that_does_not_fit_is_refused():
    with pytest.raises(SpecError, match=r"training\.loss.*10 classes.*allowed is 'sparse_cat"):
        Problem(load_spec(overrides=["data.source=load_digits", "data.args={}"]))


@pytest.mark.parametrize("engine", [KerasEngine, PopulationEngine])
@pytest.mark.parametrize("target", ["plan", "age", "member"])
def test_a_table_of_the_users_own_trains(tmp_path, engine, target):
    table = people().dropna()
    spec = study(source=write(tmp_path / "people.csv", table), target=target)
    runs = engine().train(task(spec, seeds=(0,))).runs
    assert list(runs["status"]) == ["ok"]
    assert runs["test_accuracy"].isna().all() == (target == "age")


def test_seeds_whose_rows_do_not_fit_one_network_are_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "growing_rows.py").write_text(
        "import numpy as np\n"
        "def load(random_state):\n"
        "    columns = 2 + random_state % 7\n"
        "    return np.ones((40, columns)), np.arange(40.0)\n"
    )
    spec = study(source="growing_rows:load").model_copy(update={"vary": ("data",)})
    problem = Problem(spec)
    with pytest.raises(DataError, match=r"seed \d has .* features and 0 classes, but seed 0"):
        for seed in range(1, 9):
            problem.data(seed)


@pytest.mark.parametrize("engine", [KerasEngine, PopulationEngine])
def test_another_accuracy_is_what_it_says(engine):
    """In three classes one of the five likeliest is always right."""
    overrides = ("data.args.n_classes=3", "training.loss=sparse_categorical_crossentropy")
    top = "training.accuracy=sparse_top_k_categorical_accuracy"
    runs = engine().train(task(small_study(*overrides, top, "training.epochs=2"), seeds=(0,))).runs
    assert (runs["test_accuracy"] == 1).all()


def test_two_classes_with_a_loss_of_numbers_have_an_accuracy_where_it_is_wanted():
    by_numbers = ("training.loss=mean_squared_error", "claims=[]")
    wanted = Problem(small_study(*by_numbers, "training.accuracy=binary_accuracy"))
    assert wanted.spec.training.accuracy == "binary_accuracy"
    assert Problem(small_study(*by_numbers)).spec.training.accuracy is None


@pytest.mark.parametrize("loss", ["binary_crossentropy", "mean_squared_error"])
def test_an_accuracy_that_does_not_fit_is_refused(loss):
    spec = small_study(f"training.loss={loss}", "training.accuracy=sparse_categorical_accuracy")
    with pytest.raises(SpecError, match=r"training\.accuracy: received 'sparse_cat"):
        Problem(spec)


def test_numbers_have_no_accuracy():
    spec = load_spec(
        overrides=[
            "data.source=load_diabetes",
            "data.args={}",
            "training.loss=mean_squared_error",
            "training.accuracy=binary_accuracy",
        ]
    )
    with pytest.raises(SpecError, match="the target is numbers for regression"):
        Problem(spec)


DIABETES = ("data.source=load_diabetes", "data.args={}", "claims=[]")


@pytest.mark.parametrize("loss", ["poisson", "mean_squared_logarithmic_error"])
def test_a_loss_that_needs_the_target_as_it_is_is_refused_where_that_is_scaled(loss):
    overrides = [*DIABETES, f"training.loss={loss}"]
    with pytest.raises(SpecError, match=r"training\.loss: received .*data\.scale_target = false"):
        Problem(load_spec(overrides=overrides))
    problem = Problem(load_spec(overrides=[*overrides, "data.scale_target=false"]))
    assert problem.data(0).target_scale == 1
    assert problem.data(0).train.y.min() > 0


@pytest.mark.parametrize("loss", ["mse", "MeanAbsoluteError", "huber"])
def test_losses_of_differences_take_a_scaled_target_by_any_of_keras_names(loss):
    overrides = [*DIABETES, f"training.loss={loss}"]
    assert Problem(load_spec(overrides=overrides)).data(0).target_scale > 1
