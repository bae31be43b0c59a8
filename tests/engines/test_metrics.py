"""Metrics of whole splits: those of scikit-learn and Keras on the same predictions."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy import stats
from sklearn import metrics

from finetune.engines.metrics import whole_split_metric
from finetune.spec.metrics import KERAS_METRICS, METRICS, OWN_METRICS

RNG = np.random.default_rng(3)
ROWS, CLASSES = 57, 4


def binary(leading: tuple[int, ...] = (), *, dtype="float64"):
    """Draw targets and probabilities of two classes, some of them tied."""
    y = RNG.permutation(np.arange(ROWS) % 3 == 0)[:, None]
    predicted = RNG.random((*leading, ROWS, 1)).round(1) * 0.9 + 0.03
    return np.broadcast_to(y, predicted.shape).astype(dtype), predicted.astype(dtype)


def classes(leading: tuple[int, ...] = (), *, dtype="float64"):
    """Draw targets and probabilities of several classes, one of which is never predicted."""
    y = RNG.permutation(np.arange(ROWS) % CLASSES)
    predicted = RNG.dirichlet(np.ones(CLASSES), (*leading, ROWS))
    predicted[..., 0] /= 50
    predicted /= predicted.sum(axis=-1, keepdims=True)
    return np.broadcast_to(y, predicted.shape[:-1]).astype(np.int32), predicted.astype(dtype)


def numbers(leading: tuple[int, ...] = (), *, dtype="float64"):
    y = RNG.gamma(2, size=(ROWS, 1))
    predicted = y + RNG.normal(0, 0.3, (*leading, ROWS, 1))
    return np.broadcast_to(y, predicted.shape).astype(dtype), predicted.astype(dtype)


DRAWN = {"binary": binary, "multiclass": classes, "regression": numbers}
CASES = [(name, task) for name, metric in METRICS.items() for task in metric.tasks]


def labels(y, predicted):
    if predicted.shape[-1] == 1:
        return y[:, 0].astype(int), (predicted[:, 0] > 0.5).astype(int)
    return y, predicted.argmax(axis=-1)


def averaged(function, y, predicted):
    average = "binary" if predicted.shape[-1] == 1 else "macro"
    return function(*labels(y, predicted), average=average, zero_division=0)


def auc(y, predicted):
    scores = predicted[:, 0] if predicted.shape[-1] == 1 else predicted
    return metrics.roc_auc_score(labels(y, predicted)[0], scores, multi_class="ovr")


def log_loss(y, predicted):
    return metrics.log_loss(labels(y, predicted)[0], y_proba=predicted.squeeze())


SCIKIT_LEARN = {
    "auc": auc,
    "log_loss": log_loss,
    "f1": lambda y, p: averaged(metrics.f1_score, y, p),
    "precision": lambda y, p: averaged(metrics.precision_score, y, p),
    "recall": lambda y, p: averaged(metrics.recall_score, y, p),
    "balanced_accuracy": lambda y, p: metrics.balanced_accuracy_score(*labels(y, p)),
    "mae": metrics.mean_absolute_error,
    "rmse": metrics.root_mean_squared_error,
    "r2": metrics.r2_score,
}


@pytest.mark.parametrize(("name", "task"), [case for case in CASES if case[0] in OWN_METRICS])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_it_is_that_of_scikit_learn(name, task, dtype):
    y, predicted = DRAWN[task](dtype=dtype)
    ours = whole_split_metric(name)(tf.constant(y), tf.constant(predicted))
    assert ours.dtype == dtype
    tolerance = 1e-12 if dtype == "float64" else 2e-6
    np.testing.assert_allclose(ours, SCIKIT_LEARN[name](y, predicted), rtol=tolerance)


@pytest.mark.parametrize(("name", "task"), [case for case in CASES if case[0] in KERAS_METRICS])
def test_it_is_the_mean_of_that_of_keras(name, task):
    y, predicted = DRAWN[task]()
    ours = whole_split_metric(name)(tf.constant(y), tf.constant(predicted))
    if name == "pearson_correlation":
        expected = stats.pearsonr(y[:, 0], predicted[:, 0]).statistic
    elif name == "concordance_correlation":
        spread = y.var() + predicted.var() + (y.mean() - predicted.mean()) ** 2
        expected = 2 * np.cov(y[:, 0], predicted[:, 0], ddof=0)[0, 1] / spread
    else:
        one_hot = task == "multiclass" and not name.startswith("sparse")
        target = np.eye(CLASSES)[y] if one_hot else y
        kind = "float32" if "top_k" in name else "float64"
        function = getattr(keras.metrics, name)
        expected = np.mean(function(tf.constant(target), tf.constant(predicted.astype(kind))))
    # Keras keeps a small constant from dividing by zero.
    np.testing.assert_allclose(ours, expected, rtol=1e-6)


@pytest.mark.parametrize(("name", "task"), CASES)
def test_rows_of_weights_are_measured_as_each_alone(name, task):
    metric = whole_split_metric(name)
    y, predicted = DRAWN[task]((3,))
    together = metric(tf.constant(y), tf.constant(predicted))
    alone = [metric(*map(tf.constant, pair)) for pair in zip(y, predicted, strict=True)]
    assert together.shape == (3,)
    np.testing.assert_allclose(together, alone, rtol=1e-14)


def test_ranks_of_many_rows_are_exact_in_float32():
    y = np.arange(40_000, dtype=np.float32)[:, None] % 2
    predicted = np.linspace(0, 1, 40_000, dtype=np.float32)[:, None]
    ours = whole_split_metric("auc")(tf.constant(y), tf.constant(predicted))
    np.testing.assert_allclose(ours, auc(y, predicted), rtol=1e-7)


@pytest.mark.parametrize("task", ["binary", "multiclass"])
def test_a_prediction_that_is_no_number_has_no_auc(task):
    y, predicted = DRAWN[task]((2,))
    predicted[1, 5] = np.nan
    ours = whole_split_metric("auc")(tf.constant(y), tf.constant(predicted))
    assert np.isnan(ours).tolist() == [False, True]


@pytest.mark.parametrize(("error", "expected"), [(0.0, 1.0), (0.5, 0.0)])
def test_r2_of_a_constant_target_is_that_of_scikit_learn(error, expected):
    y = np.full((9, 1), 2.0)
    predicted = y + error
    assert float(whole_split_metric("r2")(tf.constant(y), tf.constant(predicted))) == expected
    assert metrics.r2_score(y, predicted) == expected
