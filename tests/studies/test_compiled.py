"""What a model is compiled with: in the study as it was meant, or named in one line."""

import keras
import pytest

from finetune.errors import SpecError
from finetune.studies.compiled import compiled_training, speed_note


def compiled(**options) -> keras.Model:
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1, activation="sigmoid")])
    model.compile(**{"optimizer": "adam", "loss": "binary_crossentropy"} | options)
    return model


@pytest.fixture
def policy():
    yield keras.config.set_dtype_policy
    keras.config.set_dtype_policy("float32")


@pytest.mark.parametrize(
    "loss",
    [
        "binary_crossentropy",
        keras.losses.binary_crossentropy,
        keras.losses.BinaryCrossentropy(),
        ["binary_crossentropy"],
    ],
)
def test_a_loss_is_taken_however_keras_takes_it(loss):
    found = compiled_training(compiled(loss=loss), task="binary")
    assert found["loss"] == "binary_crossentropy"


@pytest.mark.parametrize(
    ("metrics", "task", "accuracy"),
    [
        (["accuracy"], "binary", None),
        (["acc"], "multiclass", None),
        ([keras.metrics.BinaryAccuracy(name="hits")], "binary", None),
        ({"dense": [keras.metrics.binary_accuracy]}, "binary", None),
        (
            [keras.metrics.SparseTopKCategoricalAccuracy()],
            "multiclass",
            "sparse_top_k_categorical_accuracy",
        ),
    ],
)
def test_an_accuracy_is_taken_over_where_it_does_not_follow_anyway(metrics, task, accuracy):
    loss = "binary_crossentropy" if task == "binary" else "sparse_categorical_crossentropy"
    for key in ("metrics", "weighted_metrics"):
        model = compiled(loss=loss, **{key: metrics})
        assert compiled_training(model, task=task).get("accuracy") == accuracy


def test_accuracy_beside_another_loss_is_measured():
    model = compiled(loss="mse", metrics=["accuracy"])
    assert compiled_training(model, task="binary")["accuracy"] == "binary_accuracy"
    assert "accuracy" not in compiled_training(compiled(loss="mse"), task="binary")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"loss_weights": [0.5]}, r"loss_weights = \[0.5\]; allowed is 1"),
        ({"metrics": [keras.metrics.AUC()]}, "metrics = AUC, which is not measured"),
        ({"metrics": ["accuracy", "mae"]}, "metrics = 'mae'"),
        ({"metrics": [keras.metrics.BinaryAccuracy(threshold=0.3)]}, "metrics = BinaryAccuracy"),
        ({"metrics": [lambda y, predicted: y]}, "metrics = <lambda>"),
        ({"weighted_metrics": ["mae"]}, "weighted_metrics = 'mae'"),
        ({"loss": keras.losses.BinaryCrossentropy(label_smoothing=0.1)}, "its loss is Binary"),
        ({"loss": lambda y, predicted: y - predicted}, "its loss is <lambda>"),
        (
            {"optimizer": keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD())},
            "LossScaleOptimizer, which is for float16; .* give SGD alone",
        ),
        (
            {"optimizer": keras.optimizers.SGD(keras.optimizers.schedules.CosineDecay(0.1, 9))},
            "its optimizer has a schedule",
        ),
    ],
)
def test_what_would_be_dropped_is_refused_by_name(options, words):
    with pytest.raises(SpecError, match=f"^model_fn: .*{words}"):
        compiled_training(compiled(**options), task="binary")


def test_no_metric_is_measured_of_numbers():
    with pytest.raises(SpecError, match="metrics = 'accuracy', which is not measured"):
        compiled_training(compiled(loss="mse", metrics=["accuracy"]), task="regression")


def test_weights_of_one_are_those_of_one_loss():
    for weights in (None, 1.0, [1.0]):
        assert compiled_training(compiled(loss_weights=weights), task="binary")["loss"]


def test_the_precision_of_keras_is_that_of_the_study(policy):
    assert "dtype" not in compiled_training(compiled(), task="binary")
    policy("float64")
    assert compiled_training(compiled(), task="binary")["dtype"] == "float64"
    for name in ("mixed_float16", "mixed_bfloat16"):
        policy(name)
        with pytest.raises(SpecError, match=f"its layers compute in '{name}'; allowed|present"):
            compiled_training(compiled(), task="binary")


def test_what_changes_no_number_is_said():
    assert speed_note(compiled()) == ""
    note = speed_note(compiled(run_eagerly=True, steps_per_execution=3))
    assert note.startswith("model_fn: compiled with run_eagerly = True and steps_per_execution = 3")
