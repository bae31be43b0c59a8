"""Which source of randomness makes most of the spread, as data."""

import numpy as np
import pandas as pd
import pytest

from finetune.analysis.spread import SpreadBySource, read_spread
from finetune.stats.variance import TOGETHER
from tests.made_variance import made_variance


def spread_of(names: tuple[str, ...] = ("a", "b"), *, n: int = 20, **scales: float):
    found = read_spread(made_variance(names, n=n, **scales))
    assert isinstance(found, SpreadBySource)
    return found


def test_the_source_of_the_largest_spread_is_found():
    spread = spread_of(order=0.1, init=1.0)
    assert spread.largest is not None
    # Steps 0 to 19 have the variance 35.
    assert (spread.largest["source"], spread.largest["sd"]) == ("init", pytest.approx(35**0.5))
    assert spread.overlapping == ()
    assert list(spread.rows) == ["order", "init", TOGETHER]
    assert spread.together["sd"] == pytest.approx(2 * 35**0.5)
    # The ends of the chi-square interval over the deviation itself.
    assert spread.precision == (20, pytest.approx(-0.24, abs=0.01), pytest.approx(0.46, abs=0.01))


def test_an_interval_that_reaches_into_the_largest_ones_overlaps():
    spread = spread_of(order=0.9, init=1.0, split=0.1)
    assert [row["source"] for row in spread.overlapping] == ["order"]


def test_of_equal_spreads_the_first_is_the_largest():
    spread = spread_of(order=1.0, init=1.0)
    assert spread.largest is not None
    assert spread.largest["source"] == "order"


def test_without_any_spread_nothing_is_known_of_its_precision():
    spread = spread_of(order=0.0, init=0.0)
    assert spread.largest is not None
    assert spread.largest["sd"] == 0
    assert spread.precision is None


def test_one_seed_has_no_spread():
    spread = spread_of(n=1, init=1.0, order=1.0)
    assert (spread.alone, spread.largest, spread.precision) == ((), None, None)
    assert np.isnan(spread.together["sd"])


def test_without_a_table_there_is_nothing_to_read():
    assert read_spread(pd.DataFrame()) is None
