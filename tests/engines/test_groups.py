"""Rows are trained in groups where that is faster, and no number shows it."""

import numpy as np
import pandas as pd
import pytest
import tensorflow as tf

from finetune.engines.population import PopulationEngine, groups
from finetune.engines.population.groups import GroupSizes, in_groups, measure
from finetune.engines.population.state import State
from tests.small_studies import small_study, task

SMALL, MIDDLE, LARGE = 1e3, 1e6, 1e9


def test_small_networks_train_all_rows_at_once_and_large_ones_row_by_row():
    small, large = GroupSizes(SMALL, SMALL), GroupSizes(LARGE, SMALL)
    assert (small.split(100), small.padded(1), small.padded(7), small.most) == ([100], 2, 7, None)
    assert (large.split(3), large.padded(1), large.most) == ([1, 1, 1], 1, 1)
    for sizes in (small, large):
        sizes.allow_multiples_of(8)
        assert sizes.to_measure(10**9, 100) == ()
    assert (small.padded(7), large.padded(7)) == (8, 7)


@pytest.mark.parametrize("held", [(MIDDLE, SMALL), (SMALL, MIDDLE), (SMALL, LARGE)])
def test_sizes_are_measured_once_and_where_a_task_is_long_enough(held):
    sizes = GroupSizes(*held)
    assert sizes.to_measure(300, 60) == ()
    assert set(sizes.to_measure(10_000, 20)) == {4, 16}
    assert set(sizes.to_measure(10_000, 100)) == {4, 16, 64}
    sizes.learn({4: 1.0, 16: 2.0, 64: 9.0})
    assert sizes.to_measure(10_000, 100) == ()


@pytest.mark.parametrize("multiple", [1, 2, 4, 8, 16])
def test_groups_are_as_equal_as_can_be_and_none_is_a_remainder(multiple):
    sizes = GroupSizes(MIDDLE, SMALL)
    sizes.allow_multiples_of(multiple)
    for rows in range(1, 100):
        padded = sizes.padded(rows)
        assert max(2, rows) <= padded < max(2, rows) + multiple
        split = sizes.split(padded)
        assert sum(split) == padded
        assert len(split) == -(-padded // 16)
        assert {n % multiple for n in split} == {0}
        assert max(2, max(split) - multiple) <= min(split) <= max(split) <= 16


def test_the_size_is_that_of_the_least_time_for_so_many_rows():
    sizes = GroupSizes(MIDDLE, SMALL)
    sizes.learn({16: 2.0, 4: 0.7, 64: 7.0})
    assert [sizes.split(rows) for rows in (3, 12, 20)] == [[3], [12], [20]]
    assert [len(sizes.split(rows)) for rows in (64, 70)] == [1, 2]
    sizes.allow_multiples_of(8)
    assert sizes.padded(17) == 24
    sizes.learn({16: 2.0, 4: 0.3})
    assert (sizes.padded(17), sizes.split(20)) == (20, [4] * 5)
    # Other data, of another trace, were not measured.
    sizes.allow_multiples_of(8)
    assert (sizes.padded(17), sizes.split(24)) == (24, [8] * 3)
    sizes = GroupSizes(MIDDLE, SMALL)
    sizes.learn({16: 2.0, 4: 0.3})
    assert [sizes.split(rows) for rows in (3, 12, 18)] == [[3], [4] * 3, [4, 4, 4, 3, 3]]


def rows_of(count):
    state = State([tf.range(float(count))], [], [])
    return state, {"rate": tf.range(float(count)), "steps": tf.constant(3)}


def step(state, data, *, rate, steps):
    (weights,) = state.weights
    after = weights * data + rate + tf.cast(steps, tf.float32)
    return State([after], [], []), {"loss": after * 2, "rows": tf.fill(rate.shape, len(rate))}


@pytest.mark.parametrize("split", [[12], [1] * 12, [4, 4, 4], [5, 4, 3]])
def test_groups_give_what_all_rows_at_once_give(split):
    state, by_row = rows_of(12)
    after, found = in_groups(step, split, state, 5.0, by_row)
    expected, _ = step(state, 5.0, **by_row)
    np.testing.assert_array_equal(after.weights[0], expected.weights[0])
    np.testing.assert_array_equal(found["loss"], 2 * expected.weights[0])
    np.testing.assert_array_equal(found["rows"], np.repeat(split, split))


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
