"""Random streams: apart from each other, and the same again for the same seed."""

from itertools import product
from typing import get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from finetune.spec.seeds import SOURCE_WORDS, Source, batch_order, integer_seed, stream

SOURCES = get_args(Source)


def state(*args, **kwargs) -> tuple[int, ...]:
    return tuple(stream(*args, **kwargs).generate_state(4))


def test_sources_seeds_and_replicates_have_their_own_streams():
    keys = list(product(SOURCES, range(50), range(3)))
    states = {state(source, seed, vary=SOURCES, replicate=r) for source, seed, r in keys}
    assert len(states) == len(keys)


def test_streams_are_uncorrelated():
    draws = np.array(
        [
            np.random.default_rng(stream(source, seed, vary=SOURCES)).normal(size=20_000)
            for source, seed in product(SOURCES, (0, 1))
        ]
    )
    between = np.corrcoef(draws)[np.triu_indices(len(draws), 1)]
    assert np.abs(between).max() < 4 / np.sqrt(20_000)


@pytest.mark.parametrize("source", SOURCES)
def test_a_source_that_does_not_vary_ignores_the_seed(source):
    others = tuple(other for other in SOURCES if other != source)
    assert len({state(source, seed, vary=others) for seed in range(20)}) == 1


@pytest.mark.parametrize("source", SOURCES)
def test_what_else_varies_leaves_a_stream_as_it_is(source):
    assert state(source, 3, vary=(source,)) == state(source, 3, vary=SOURCES)


@given(seed=st.integers(0, 2**40), source=st.sampled_from(SOURCES))
def test_integer_seeds_fit_libraries_and_do_not_use_up_the_stream(seed, source):
    sequence = stream(source, seed, vary=SOURCES)
    assert 0 <= integer_seed(sequence) == integer_seed(sequence) < 2**31


@given(seed=st.integers(0, 1000), epochs=st.integers(1, 8), rows=st.integers(1, 40))
def test_every_epoch_visits_every_row_once(seed, epochs, rows):
    order = batch_order(stream("order", seed, vary=("order",)), epochs=epochs, rows=rows)
    assert order.dtype == np.int32
    assert order.shape == (epochs, rows)
    np.testing.assert_array_equal(np.sort(order, axis=1), np.tile(np.arange(rows), (epochs, 1)))


@given(
    seed=st.integers(0, 1000),
    epochs=st.integers(1, 8),
    more=st.integers(1, 100),
    rows=st.integers(1, 40),
)
def test_more_epochs_leave_the_first_ones_as_they_are(seed, epochs, more, rows):
    # The parity certificate trains fewer epochs than the study and compares epoch by epoch.
    sequence = stream("order", seed, vary=("order",))
    few = batch_order(sequence, epochs=epochs, rows=rows)
    many = batch_order(sequence, epochs=epochs + more, rows=rows)
    np.testing.assert_array_equal(many[:epochs], few)


def test_epochs_and_seeds_have_their_own_orders():
    orders = [
        batch_order(stream("order", seed, vary=("order",)), epochs=5, rows=600) for seed in range(5)
    ]
    assert len({row.tobytes() for order in orders for row in order}) == 25


def test_every_source_has_words_of_its_own():
    assert tuple(SOURCE_WORDS) == SOURCES
    assert len(set(SOURCE_WORDS.values())) == len(SOURCES)
