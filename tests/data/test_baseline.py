"""The loss of a constant prediction, on the rows of each seed."""

import numpy as np
import pytest

from finetune.data.baseline import measure_baselines
from finetune.data.splits import load_splits
from finetune.spec.data import DataSpec


def test_the_mean_has_the_mean_squared_error_that_its_formula_gives():
    spec = DataSpec(source="load_diabetes")
    found = measure_baselines(spec, seeds=3, vary=("init", "split"), constant="mean")
    for seed in range(3):
        splits = load_splits(spec, seed, vary=("split",))
        expected = np.mean((splits.test.y - splits.train.y.mean()) ** 2)
        assert found.test_loss[seed] == pytest.approx(expected, rel=1e-12)
    # In units of its own variance.
    assert found.train_loss == pytest.approx((1, 1, 1))
    assert len(set(found.test_loss)) == 3


def test_the_shares_have_the_cross_entropy_that_their_formula_gives():
    spec = DataSpec(source="load_wine")
    found = measure_baselines(spec, seeds=2, vary=("init",), constant="shares")
    splits = load_splits(spec, 0)
    shares = np.bincount(splits.train.y) / len(splits.train.y)
    # All seeds share their rows.
    assert found.test_loss == pytest.approx((-np.log(shares[splits.test.y]).mean(),))
    assert found.train_loss == pytest.approx((-(shares * np.log(shares)).sum(),))


def test_the_median_has_the_lowest_absolute_error_of_all_constants():
    spec = DataSpec(source="load_diabetes")
    found = measure_baselines(spec, seeds=1, vary=(), constant="median")
    y = load_splits(spec, 0).train.y
    others = [np.abs(y - constant).mean() for constant in np.linspace(-1, 1, 201)]
    assert found.train_loss[0] <= min(others) + 1e-12


def test_without_a_constant_only_the_scale_is_known():
    found = measure_baselines(DataSpec(source="load_iris"), seeds=2, vary=("split",), constant=None)
    assert (found.train_loss, found.test_loss) == ((), ())
