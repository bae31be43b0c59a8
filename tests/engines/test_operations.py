"""Operations of all rows at once give what TensorFlow gives row by row."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from finetune.engines.population.operations import random_numbers
from finetune.engines.population.operations.convolution import grouped_convolutions_work
from finetune.engines.population.operations.philox import draw, philox_works
from finetune.engines.population.stateless_model import StatelessModel
from finetune.engines.population.vectorized import MappingError, map_rows

ROWS, BATCH = 3, 5


@pytest.fixture
def rng():
    return np.random.default_rng(11)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", [(1,), (7,), (3, 129), (4, 32, 16), (70_000,)], ids=str)
def test_uniform_numbers_of_many_keys_are_those_of_tensorflow(rng, shape, dtype):
    seeds = rng.integers(0, 2**31 - 1, (ROWS, 2), dtype=np.int32)
    (ours,) = draw([(tf.constant(seeds), shape)], kind="uniform", dtype=dtype)
    theirs = [tf.random.stateless_uniform(shape, seed, dtype=dtype) for seed in seeds]
    np.testing.assert_array_equal(ours, np.stack(theirs))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_normal_numbers_of_many_keys_are_those_of_tensorflow(rng, dtype):
    seeds = rng.integers(0, 2**31 - 1, (ROWS, 2), dtype=np.int32)
    (ours,) = draw([(tf.constant(seeds), (9, 999))], kind="normal", dtype=dtype)
    theirs = [tf.random.stateless_normal([9, 999], seed, dtype=dtype) for seed in seeds]
    rounding = 4 * np.finfo(dtype).eps
    np.testing.assert_allclose(ours, np.stack(theirs), rtol=rounding, atol=rounding)


def test_numbers_that_nobody_wrote_are_left_to_tensorflow():
    assert philox_works("uniform", "float32")
    assert not philox_works("uniform", "bfloat16")
    assert not philox_works("gamma", "float32")


def draws_of_rows(function, *, fall_back=False):
    seeds = tf.constant([[1, 2], [3, 4], [1, 2]])
    mapped = tf.function(lambda: map_rows(function, seeds, fall_back=fall_back), autograph=False)
    return mapped().numpy(), np.stack([function(seed) for seed in seeds])


def test_every_row_draws_what_it_draws_alone():
    ours, alone = draws_of_rows(
        lambda seed: tf.nn.experimental.stateless_dropout(tf.ones((4, 8)), 0.4, seed)
    )
    np.testing.assert_array_equal(ours, alone)
    assert (ours[0] == ours[2]).all()
    assert (ours[0] != ours[1]).any()


def test_numbers_of_one_kind_are_drawn_together_unless_a_seed_is_made_of_some(monkeypatch):
    calls = []

    def spy(wanted, **kind):
        calls.append([tuple(shape) for _, shape in wanted])
        return draw(wanted, **kind)

    monkeypatch.setattr(random_numbers, "draw", spy)
    uniform = tf.random.stateless_uniform

    def function(seed):
        first, second = uniform((4, 8), seed), uniform((130,), seed + 1)
        made = tf.cast(1000 * first[0, :2], tf.int32)
        third = tf.random.stateless_normal((3,), seed) + uniform((3,), made)
        return tf.concat([tf.reshape(first, [-1]), second, third], 0)

    ours, alone = draws_of_rows(function)
    np.testing.assert_allclose(ours, alone, rtol=1e-6, atol=1e-6)
    assert sorted(map(len, calls)) == [1, 1, 2]
    assert {frozenset(call) for call in calls} == {frozenset([(4, 8), (130,)]), frozenset([(3,)])}


def test_other_distributions_are_drawn_row_by_row():
    def draw_one(seed):
        return tf.random.stateless_truncated_normal((4, 8), seed)

    with pytest.raises(MappingError) as raised:
        draws_of_rows(draw_one)
    assert raised.value.kind == "StatelessTruncatedNormalV2"
    ours, alone = draws_of_rows(draw_one, fall_back=True)
    np.testing.assert_array_equal(ours, alone)


def value_and_gradients(model, x, weights, others):
    with tf.GradientTape() as tape:
        tape.watch([x, *weights])
        outcome = StatelessModel(model)(x, weights=weights, others=others, training=True)
        value = tf.reduce_sum(tf.sin(outcome.predicted))
    # That of an embedding comes as slices.
    gradients = tape.gradient(value, [x, *weights])
    return value, [g if g is None else tf.convert_to_tensor(g) for g in gradients]


def assert_rows_are_as_alone(rng, shape, *stack, ids=False):
    """Compare all rows at once, without a loop, with each row alone."""
    model = keras.Sequential([keras.Input(shape), *stack])
    size = (ROWS, BATCH, *shape)
    x = rng.integers(0, 9, size) if ids else rng.normal(size=size)
    x = tf.constant(x, "float32")
    weights, others = (
        [
            tf.constant(rng.normal(size=(ROWS, *v.shape)), v.dtype)
            for v in model.trainable_variables
        ],
        [tf.stack([v.value + row for row in range(ROWS)]) for v in model.non_trainable_variables],
    )

    def one(row):
        return value_and_gradients(model, *row)

    rows = (x, weights, others)
    together = tf.function(lambda: map_rows(one, rows, fall_back=False))()
    alone = [one(tf.nest.map_structure(lambda t, r=row: t[r], rows)) for row in range(ROWS)]
    for index, expected in enumerate(alone):
        pairs = zip(tf.nest.flatten(together), tf.nest.flatten(expected), strict=True)
        for ours, theirs in pairs:
            if theirs is not None:
                np.testing.assert_allclose(ours[index], theirs, rtol=2e-4, atol=2e-4)


CONVOLUTIONS = {
    "1D, causal": ((8, 2), layers.Conv1D(3, 3, padding="causal", dilation_rate=2)),
    "strided": ((7, 6, 2), layers.Conv2D(3, (2, 3), strides=2)),
    "dilated": ((8, 8, 2), layers.Conv2D(3, 3, padding="same", dilation_rate=2)),
    "in groups": ((6, 6, 4), layers.Conv2D(6, 3, groups=2, padding="same")),
    "transposed": ((5, 5, 2), layers.Conv2DTranspose(3, 3, strides=2, padding="same")),
    "depthwise": ((6, 6, 2), layers.DepthwiseConv2D(3, depth_multiplier=2)),
    "separable": ((6, 6, 2), layers.SeparableConv2D(3, 3)),
}


needs_grouped = pytest.mark.skipif(
    not grouped_convolutions_work("float32"), reason="this machine has no grouped convolutions"
)


@needs_grouped
@pytest.mark.parametrize("case", CONVOLUTIONS)
def test_convolutions_with_a_kernel_for_each_row_need_no_loop(rng, case):
    shape, layer = CONVOLUTIONS[case]
    # A layer before it, so that its inputs have gradients.
    first = {2: layers.Conv1D, 3: layers.Conv2D}[len(shape)](shape[-1], 1)
    assert_rows_are_as_alone(rng, shape, first, layer)


@needs_grouped
def test_pooling_needs_no_loop(rng):
    pools = (layers.MaxPooling2D(2), layers.AveragePooling2D(2, padding="same"))
    assert_rows_are_as_alone(rng, (9, 9, 2), layers.Conv2D(3, 2), *pools)


@pytest.mark.parametrize("layer", [layers.LSTM, layers.GRU, layers.SimpleRNN])
def test_recurrent_layers_need_no_loop_over_rows(rng, layer):
    stack = (layer(4, return_sequences=True, dropout=0.2), layer(3, recurrent_dropout=0.3))
    assert_rows_are_as_alone(rng, (6, 2), *stack)


def test_masked_sequences_need_no_loop_over_rows(rng):
    stack = (layers.Embedding(9, 3, mask_zero=True), layers.LSTM(4))
    assert_rows_are_as_alone(rng, (6,), *stack, ids=True)


def test_a_single_row_keeps_its_axis(rng):
    """As where Keras drops the axes of a convolution's bias."""
    x = tf.constant(rng.normal(size=(1, 3, 1, 2)), "float32")
    ours = tf.function(lambda: map_rows(tf.squeeze, x, fall_back=False), autograph=False)()
    np.testing.assert_array_equal(ours, x[:, :, 0])


def test_the_accuracy_of_several_classes_needs_no_loop(rng):
    y = tf.constant(rng.integers(0, 3, (ROWS, BATCH)))
    predicted = tf.constant(rng.random((ROWS, BATCH, 3)), "float32")

    def one(row):
        return keras.metrics.sparse_categorical_accuracy(*row)

    ours = tf.function(lambda: map_rows(one, (y, predicted), fall_back=False))()
    np.testing.assert_array_equal(ours, np.argmax(predicted, axis=-1) == y)


SHARED = tf.reshape(tf.range(8.0), [2, 4])
SHAPED = {
    "between its own and what rows share": lambda x: tf.raw_ops.Select(
        condition=x > 0, x=x, y=SHARED
    ),
    "by what rows share": lambda x: tf.raw_ops.Select(condition=SHARED > 3, x=x, y=-x),
    "of whole slices": lambda x: tf.raw_ops.Select(condition=x[:, 0] > 0, x=x, y=-x),
    "in a shape that is known": lambda x: tf.reshape(x, [4, -1]),
    "of nothing": lambda x: tf.reshape(x[:0], [0, 4]),
    "beside zeros": lambda x: tf.zeros_like(x) + x,
}


@pytest.mark.parametrize("case", SHAPED)
def test_choosing_and_shaping_give_what_each_row_gives(rng, case):
    x = tf.constant(rng.normal(size=(ROWS, 2, 4)), "float32")
    one = SHAPED[case]
    ours = tf.function(lambda: map_rows(one, x, fall_back=False), autograph=False)()
    np.testing.assert_array_equal(ours, np.stack([one(row) for row in x]))


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "int32", "int64"])
@pytest.mark.parametrize("length", [1, 2, 16, 31, 32])
def test_slices_of_a_segment_add_up_to_the_same_bits(rng, length, dtype):
    slices = tf.constant(100 * rng.normal(size=(ROWS, 200, length)), dtype)
    # Negative ids do not count.
    ids = tf.constant(rng.integers(-1, 9, (ROWS, 200)), "int32")

    def one(row):
        return tf.math.unsorted_segment_sum(*row, 10)

    ours = tf.function(lambda: map_rows(one, (slices, ids), fall_back=False), autograph=False)()
    alone = [one(row) for row in zip(slices, ids, strict=True)]
    np.testing.assert_array_equal(ours, np.stack(alone))
