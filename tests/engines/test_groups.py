"""Rows are trained in groups where that is faster, and no number shows it."""

import numpy as np
import pandas as pd
import pytest
import tensorflow as tf

from finetune.engines.population import PopulationEngine, groups
from finetune.engines.population.groups import GroupSizes, in_groups, measure, vector_length
from finetune.engines.population.state import State
from tests.small_studies import small_study, task

SMALL, MIDDLE, LARGE = 1e3, 1e6, 1e9


def test_small_networks_train_all_rows_at_once_and_large_ones_row_by_row():
    small, large = GroupSizes(SMALL, SMALL, 8), GroupSizes(LARGE, SMALL, 8)
    assert (small.of(100), small.multiple(7), small.most) == (None, 8, None)
    assert (large.of(100), large.multiple(7), large.most) == (1, 1, 1)
    assert small.to_measure(10**9, 100) == large.to_measure(10**9, 100) == ()


@pytest.mark.parametrize("held", [(MIDDLE, SMALL), (SMALL, MIDDLE), (SMALL, LARGE)])
def test_sizes_are_measured_once_and_where_a_task_is_long_enough(held):
    sizes = GroupSizes(*held, 8)
    assert sizes.of(100) == sizes.multiple(100) == 16
    assert sizes.to_measure(300, 60) == ()
    assert set(sizes.to_measure(10_000, 20)) == {4, 16}
    assert set(sizes.to_measure(10_000, 100)) == {4, 16, 64}
    sizes.learn({4: 1.0, 16: 2.0, 64: 9.0})
    assert sizes.to_measure(10_000, 100) == ()


def test_the_size_is_that_of_the_least_time_for_so_many_rows():
    sizes = GroupSizes(MIDDLE, SMALL, 8)
    sizes.learn({16: 2.0, 4: 0.7, 64: 7.0})
    assert [sizes.of(rows) for rows in (1, 8, 9, 16, 17, 64, 70)] == [4, 4, 16, 16, 4, 64, 16]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("function", [tf.math.log1p, tf.exp, tf.sigmoid, tf.math.rsqrt, tf.tanh])
def test_a_multiple_of_the_vector_length_rounds_as_any_other(dtype, function):
    length = vector_length(dtype)
    assert length in (1, 4, 8, 16)
    numbers = tf.constant(np.linspace(0.1, 5, 16 * length), dtype)
    whole = function(numbers).numpy()
    for count in range(length, 16 * length, length):
        np.testing.assert_array_equal(function(numbers[:count]), whole[:count])


def rows_of(count):
    state = State([tf.range(float(count))], [], [])
    return state, {"rate": tf.range(float(count)), "steps": tf.constant(3)}


def step(state, data, *, rate, steps):
    (weights,) = state.weights
    after = weights * data + rate + tf.cast(steps, tf.float32)
    return State([after], [], []), {"loss": after * 2, "rows": tf.fill(rate.shape, len(rate))}


@pytest.mark.parametrize("size", [None, 1, 4, 12, 100])
def test_groups_give_what_all_rows_at_once_give(size):
    state, by_row = rows_of(12)
    after, found = in_groups(step, size, state, 5.0, by_row)
    expected, _ = step(state, 5.0, **by_row)
    np.testing.assert_array_equal(after.weights[0], expected.weights[0])
    np.testing.assert_array_equal(found["loss"], 2 * expected.weights[0])
    assert set(found["rows"].numpy()) == {12 if size in (None, 100) else size}


def test_a_size_with_other_bits_is_not_chosen():
    def uneven(state, data, **by_row):
        after, found = step(state, data, **by_row)
        few = len(after.weights[0]) < 8
        return after, {"loss": found["loss"] * (1 + 1e-7 * few)}

    state, by_row = rows_of(10)
    # What one row measures must not say how many there were.
    assert set(measure(step, (16, 4), state, 5.0, by_row)) == {16}
    assert set(measure(uneven, (16, 4, 64), state, 5.0, by_row)) == {16, 64}


def trained(monkeypatch, **constants):
    for name, value in constants.items():
        monkeypatch.setattr(groups, name, value)
    spec = small_study("model.factory=tests.engines.networks:image", "training.epochs=6")
    return PopulationEngine().train(task(spec, seeds=range(3)))


def test_measuring_sizes_changes_no_bit_and_rows_alone_round_otherwise(monkeypatch):
    together = trained(monkeypatch)
    measured = trained(monkeypatch, _SMALL=0, _SHARE=1)
    pd.testing.assert_frame_equal(measured.epochs, together.epochs, check_exact=True)
    alone = trained(monkeypatch, _LARGE=0)
    losses = ["train_loss", "val_loss", "test_loss"]
    np.testing.assert_allclose(alone.epochs[losses], together.epochs[losses], rtol=1e-5)
