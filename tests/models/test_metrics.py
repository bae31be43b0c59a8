"""Which metrics and class weights fit a target."""

import numpy as np
import pytest
from sklearn.utils.class_weight import compute_class_weight

from finetune.errors import SpecError
from finetune.models.class_weights import ClassWeights
from finetune.models.metrics import check_monitored, fitting_metrics
from tests.small_studies import small_study


@pytest.mark.parametrize(
    ("task", "loss", "usual"),
    [
        ("binary", "binary_crossentropy", ()),
        ("multiclass", "sparse_categorical_crossentropy", ()),
        ("regression", "mean_squared_error", ("mae", "rmse", "r2")),
    ],
)
def test_a_task_has_metrics_of_its_own(task, loss, usual):
    assert fitting_metrics(None, task=task, loss=loss) == usual
    assert fitting_metrics((), task=task, loss=loss) == ()


@pytest.mark.parametrize(
    ("name", "task", "loss", "found"),
    [
        ("auc", "regression", "mean_squared_error", "numbers for regression; allowed are mae"),
        ("r2", "binary", "binary_crossentropy", "two classes; allowed are auc"),
        ("sparse_categorical_accuracy", "binary", "binary_crossentropy", "allowed are auc"),
        ("hinge", "multiclass", "sparse_categorical_crossentropy", "more than two classes"),
        ("f1", "binary", "hinge", "the loss 'hinge', whose outputs are no probabilities"),
    ],
)
def test_a_metric_that_does_not_fit_is_refused(name, task, loss, found):
    with pytest.raises(SpecError, match=f"training.metrics: received '{name}'.*{found}"):
        fitting_metrics((name,), task=task, loss=loss)


def test_a_score_needs_no_probabilities_to_be_ranked():
    assert fitting_metrics(("auc",), task="binary", loss="hinge") == ("auc",)


def test_balanced_weights_are_those_of_scikit_learn():
    y = np.array([0, 0, 0, 1, 2, 2, 2, 2], np.float32)[:, None]
    weights = ClassWeights.of("balanced", ("a", "b", "c"))
    expected = compute_class_weight("balanced", classes=np.arange(3), y=y[:, 0])
    np.testing.assert_allclose(list(weights.by_class(y).values()), expected, rtol=1e-6)


def test_a_class_that_is_not_named_has_the_weight_1():
    weights = ClassWeights.of({"b": 2.5}, ("a", "b"))
    assert weights.by_class(np.array([0, 1])) == {0: 1.0, 1: 2.5}


@pytest.mark.parametrize(
    ("wanted", "classes", "found"),
    [
        (
            {"yes": 1.0, "maybe": 2.0},
            ("no", "yes"),
            "received the class 'maybe'.*allowed are 'no', 'yes'",
        ),
        ({"no": 0.0, "yes": 0.0}, ("no", "yes"), "received 0 for every class.*raise one"),
        ("balanced", (), "received weights, but .* numbers for regression.*leave it out"),
    ],
)
def test_weights_that_do_not_fit_the_classes_are_refused(wanted, classes, found):
    with pytest.raises(SpecError, match=f"training.class_weight: {found}"):
        ClassWeights.of(wanted, classes)


def test_what_is_monitored_must_be_measured():
    stops = "variants.1.early_stopping.monitor=val_auc"
    measured, other = (small_study(stops, f"training.metrics=['f1', '{n}']") for n in ("auc", "r2"))
    check_monitored(measured, measured.variants)
    # Another variant, with metrics of its own, may have the one that is monitored.
    check_monitored(other, other.variants[2:])
    with pytest.raises(
        SpecError, match=r"variants.1.early_stopping.monitor: received 'val_auc', w"
    ):
        check_monitored(other, other.variants)
