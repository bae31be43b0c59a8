"""How metrics are computed: each of a whole split, for any number of rows of weights at once.

Shapes: targets `y` are (..., row of data) for more than two classes, (..., row of data, 1) else;
predictions are (..., row of data, output). The leading axes, of rows of weights or none, stay.
"""

from collections.abc import Callable, Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from finetune.spec.metrics import KERAS_METRICS

# Of one split's targets and predictions; returns a value for each row of weights, (...,).
WholeSplit = Callable[[Any, Any], Any]


def whole_split_metric(name: str) -> WholeSplit:
    """Return the function of a metric of `finetune.spec.metrics`."""
    return _keras_metric(name) if name in KERAS_METRICS else _OWN[name]


def _auc(y, predicted):
    """Area under the ROC curve by ranks; macro average of one class against the rest.

    Source: Mann and Whitney (1947); ties have their mean rank.
    """
    positive, scores = (_rows_last(table) for table in (_positive(y, predicted), predicted))
    ordered = tf.sort(scores, axis=-1)
    below, up_to = (tf.searchsorted(ordered, scores, side=side) for side in ("left", "right"))
    # Sums of ranks have more digits than float32 holds.
    ranks = tf.cast(below + up_to + 1, tf.float64) / 2
    positive = tf.cast(positive, tf.float64)
    count = tf.reduce_sum(positive, axis=-1)
    negatives = tf.cast(tf.shape(scores)[-1], tf.float64) - count
    wins = tf.reduce_sum(ranks * positive, axis=-1) - count * (count + 1) / 2
    area = tf.reduce_mean(tf.cast(wins / (count * negatives), predicted.dtype), axis=-1)
    # A NaN has no rank, and whatever was ranked with it none that can be trusted.
    return area + 0 * tf.reduce_sum(predicted, axis=(-2, -1))


def _precision(y, predicted):
    hits, claimed, _ = _class_counts(y, predicted)
    return tf.reduce_mean(tf.math.divide_no_nan(hits, claimed), axis=-1)


def _recall(y, predicted):
    hits, _, there = _class_counts(y, predicted)
    return tf.reduce_mean(tf.math.divide_no_nan(hits, there), axis=-1)


def _f1(y, predicted):
    hits, claimed, there = _class_counts(y, predicted)
    return tf.reduce_mean(tf.math.divide_no_nan(2 * hits, claimed + there), axis=-1)


def _balanced_accuracy(y, predicted):
    """Mean recall over the classes, the first of two among them."""
    hits, claimed, there = _class_counts(y, predicted)
    recall = tf.math.divide_no_nan(hits, there)
    if predicted.shape[-1] == 1:
        rows = tf.cast(tf.shape(predicted)[-2], predicted.dtype)
        of_first = tf.math.divide_no_nan(rows - claimed - there + hits, rows - there)
        recall = tf.concat([recall, of_first], axis=-1)
    return tf.reduce_mean(recall, axis=-1)


def _log_loss(y, predicted):
    """Mean negative log-likelihood of the classes; probabilities are clipped as scikit-learn's."""
    there, margin = _positive(y, predicted), np.finfo(predicted.dtype.as_numpy_dtype).eps
    if predicted.shape[-1] == 1:
        there = tf.concat([~there, there], axis=-1)
        predicted = tf.concat([1 - predicted, predicted], axis=-1)
    likelihood = tf.math.log(tf.clip_by_value(predicted, margin, 1 - margin))
    # Of each row one class is there.
    of_rows = tf.reduce_sum(tf.where(there, likelihood, tf.zeros_like(likelihood)), axis=-1)
    return -tf.reduce_mean(of_rows, axis=-1)


def _mae(y, predicted):
    return tf.reduce_mean(tf.abs(y - predicted), axis=(-2, -1))


def _rmse(y, predicted):
    return tf.sqrt(tf.reduce_mean(tf.square(y - predicted), axis=(-2, -1)))


def _r2(y, predicted):
    """Share of the target's variance that is explained; of a constant target 1 or 0.

    Source: `sklearn.metrics.r2_score`.
    """
    left = tf.reduce_sum(tf.square(y - predicted), axis=(-2, -1))
    mean = tf.reduce_mean(y, axis=-2, keepdims=True)
    total = tf.broadcast_to(tf.reduce_sum(tf.square(y - mean), axis=(-2, -1)), tf.shape(left))
    constant = tf.where(left == 0, tf.ones_like(left), tf.zeros_like(left))
    return tf.where(total == 0, constant, 1 - tf.math.divide_no_nan(left, total))


_OWN: Mapping[str, WholeSplit] = {
    "auc": _auc,
    "precision": _precision,
    "recall": _recall,
    "f1": _f1,
    "balanced_accuracy": _balanced_accuracy,
    "log_loss": _log_loss,
    "mae": _mae,
    "rmse": _rmse,
    "r2": _r2,
}

# They correlate along an axis, which is that of the rows of data here.
_CORRELATIONS = ("concordance_correlation", "pearson_correlation")


def _keras_metric(name: str) -> WholeSplit:
    """Return the mean of a function of `keras.metrics` over rows of data.

    Of more than two classes it gets one-hot targets, unless its name begins with "sparse".
    """
    function: Any = getattr(keras.metrics, name)

    def measure(y, predicted):
        outputs, dtype = predicted.shape[-1], predicted.dtype
        # TensorFlow finds the largest in float32 alone.
        predicted = tf.cast(predicted, tf.float32) if "top_k" in name else predicted
        if outputs > 1 and not name.startswith("sparse"):
            y = tf.one_hot(y, outputs, dtype=predicted.dtype)
        if name in _CORRELATIONS:
            return function(y, predicted, axis=-2)[..., 0]
        # Keras's functions are for one axis of rows.
        shape = [-1] if name.startswith("sparse") else [-1, outputs]
        values = function(tf.reshape(y, shape), tf.reshape(predicted, [-1, outputs]))
        values = tf.reshape(tf.cast(values, dtype), tf.shape(predicted)[:-1])
        return tf.reduce_mean(values, axis=-1)

    return measure


def _class_counts(y, predicted):
    """Count, class by class, right predictions, predictions and rows of the class: (..., class).

    Of two classes only the second is counted.
    """
    there = _positive(y, predicted)
    if predicted.shape[-1] == 1:
        claimed = predicted > 0.5
    else:
        chosen = tf.argmax(predicted, axis=-1)
        claimed = tf.one_hot(chosen, predicted.shape[-1], on_value=True, off_value=False)
    tables = (there & claimed, claimed, there)
    return [tf.reduce_sum(tf.cast(table, predicted.dtype), axis=-2) for table in tables]


def _positive(y, predicted):
    """Return which rows of data are of each class, bool (..., row of data, class)."""
    if predicted.shape[-1] == 1:
        return y > 0.5
    return tf.one_hot(y, predicted.shape[-1], on_value=True, off_value=False)


def _rows_last(table):
    """Put the rows of data last: (..., class, row of data)."""
    return tf.linalg.matrix_transpose(table)
