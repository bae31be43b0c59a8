"""No row's numbers depend on how many rows there are."""

import numpy as np
import pandas as pd
import pytest
import tensorflow as tf

from finetune.engines.population import PopulationEngine
from finetune.engines.population.row_multiple import (
    _EXACT,
    _REDUCTIONS,
    row_multiple,
    vector_length,
)
from tests.small_studies import small_study, task

PRECISIONS = pytest.mark.parametrize("dtype", ["float32", "float64"])
ROUNDING = [tf.math.log1p, tf.exp, tf.sigmoid, tf.math.rsqrt, tf.tanh]


@PRECISIONS
@pytest.mark.parametrize("function", ROUNDING)
def test_a_multiple_of_the_vector_length_rounds_as_any_other(dtype, function):
    length = vector_length(dtype)
    assert length in (1, 4, 8, 16)
    numbers = tf.constant(np.linspace(0.1, 5, 16 * length), dtype)
    whole = function(numbers).numpy()
    for count in range(length, 16 * length, length):
        np.testing.assert_array_equal(function(numbers[:count]), whole[:count])


ARITHMETIC = {
    "Abs": lambda x, _: tf.abs(x),
    "Add": lambda x, y: tf.raw_ops.Add(x=x, y=y),
    "AddN": lambda x, y: tf.add_n([x, y, x]),
    "AddV2": tf.add,
    "Maximum": tf.maximum,
    "Minimum": tf.minimum,
    "Mul": tf.multiply,
    "Neg": lambda x, _: tf.negative(x),
    "RealDiv": tf.divide,
    "Sqrt": lambda x, _: tf.sqrt(x),
    "Square": lambda x, _: tf.square(x),
    "SquaredDifference": tf.math.squared_difference,
    "Sub": tf.subtract,
}
# Of one number a row.
REDUCTIONS = {
    "Max": tf.reduce_max,
    "Mean": tf.reduce_mean,
    "Min": tf.reduce_min,
    "Sum": tf.reduce_sum,
}


def test_every_kind_that_is_said_to_round_alike_is_tried():
    assert ARITHMETIC.keys() == _EXACT
    assert REDUCTIONS.keys() == _REDUCTIONS


@PRECISIONS
@pytest.mark.parametrize("kind", [*ARITHMETIC, *REDUCTIONS])
def test_numbers_round_alike_wherever_they_lie(kind, dtype):
    rng = np.random.default_rng(0)

    def numbers():
        """Return numbers, some of which are unusual."""
        drawn = rng.normal(scale=9, size=(67, 4, 25))
        unusual = rng.choice([np.nan, np.inf, -np.inf, -0.0, 1e-42], drawn.shape)
        return tf.constant(np.where(rng.random(drawn.shape) < 0.3, unusual, drawn), dtype)

    x, y = numbers(), numbers()

    def some(begin, end):
        if kind in REDUCTIONS:
            return REDUCTIONS[kind](x[begin:end], [1, 2]).numpy()
        return ARITHMETIC[kind](x[begin:end, 0, 0], y[begin:end, 0, 0]).numpy()

    whole = some(0, 67)
    for begin in range(0, 67, 5):
        for end in range(begin + 1, 67):
            np.testing.assert_array_equal(some(begin, end), whole[begin:end])
            np.testing.assert_array_equal(
                np.signbit(some(begin, end)), np.signbit(whole[begin:end])
            )


@pytest.mark.parametrize(
    ("axes", "function", "expected"),
    [
        ([32, 1], tf.exp, 1),
        ([6], tf.exp, 4),
        ([3, 7], tf.exp, 8),
        ([], tf.tanh, 8),
        ([3, 7], tf.sqrt, 1),
        ([3, 7], lambda x: tf.reduce_mean(x, [1, 2]), 1),
        ([20, 3], lambda x: tf.reduce_sum(x, 1), 8),
        ([3], lambda x: tf.while_loop(lambda _: True, tf.exp, [x], maximum_iterations=2), 8),
        ([3], lambda x: tf.shape(tf.cast(x, tf.int32)), 1),
    ],
)
def test_rows_come_in_multiples_that_leave_no_remainder(axes, function, expected):
    signature = [tf.TensorSpec([None, *axes], "float32")]
    traced = tf.function(function, input_signature=signature).get_concrete_function()
    # This many on a processor whose vectors take eight numbers.
    vector = vector_length("float32")
    assert row_multiple(traced.graph, "float32") == max(1, expected * vector // 8)


@pytest.mark.parametrize(
    "overrides",
    [
        ("model.hidden=[8, 8]",),
        ("model.hidden=[16]", "model.batch_normalization=true", "model.dropout=0.2"),
        ("model.hidden=[7, 3]", "training.batch_size=13"),
        ("model.factory=tests.engines.networks:lstm",),
    ],
)
def test_no_run_depends_on_how_many_there_are(overrides):
    spec = small_study(*overrides, "training.epochs=4", "variants.2.reduce_lr.patience=1")
    engine = PopulationEngine()

    def trained(count):
        return engine.train(task(spec, seeds=range(count))).epochs

    together = trained(11)
    for count in (1, 2, 3, 5, 6):
        those = together.loc[together["seed"] < count].reset_index(drop=True)
        pd.testing.assert_frame_equal(trained(count), those, check_exact=True)
