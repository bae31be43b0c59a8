"""No row's numbers depend on how many rows there are."""

import numpy as np
import pandas as pd
import pytest
import tensorflow as tf

from finetune.engines.population import PopulationEngine
from finetune.engines.population.row_multiple import row_multiple, vector_length
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


@PRECISIONS
@pytest.mark.parametrize(
    "function",
    [
        tf.abs,
        tf.add,
        tf.maximum,
        tf.minimum,
        tf.multiply,
        tf.negative,
        tf.divide,
        tf.nn.relu,
        tf.sqrt,
        tf.square,
        tf.math.squared_difference,
        tf.subtract,
        lambda x, y: tf.add_n([x, y, x]),
        lambda x, y: tf.raw_ops.ReluGrad(gradients=x, features=y),
        lambda x, _: tf.reduce_mean(tf.reshape(tf.repeat(x, 100), [-1, 4, 25]), [1, 2]),
    ],
)
def test_arithmetic_rounds_alike_wherever_a_number_lies(dtype, function):
    rng = np.random.default_rng(0)
    pair = [tf.constant(rng.lognormal(size=67), dtype) for _ in range(2)]
    two = getattr(function, "__name__", "") not in ("abs", "negative", "relu", "sqrt", "square")

    def of(begin, end):
        return function(*(numbers[begin:end] for numbers in pair[: 1 + two])).numpy()

    whole = of(0, 67)
    for begin in range(0, 67, 5):
        for end in range(begin + 1, 67):
            np.testing.assert_array_equal(of(begin, end), whole[begin:end])


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
        those = together[together["seed"] < count].reset_index(drop=True)
        pd.testing.assert_frame_equal(trained(count), those, check_exact=True)
