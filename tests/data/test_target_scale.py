"""A target for regression in units of its own deviation, learned from the training rows."""

import numpy as np
import pytest
from sklearn.datasets import load_diabetes
from sklearn.preprocessing import StandardScaler

from finetune.data.splits import load_splits, load_targets
from finetune.data.target_scale import target_scale
from finetune.spec.data import DataSpec

Y = load_diabetes().target


@pytest.mark.parametrize("seed", [0, 1])
def test_each_split_is_standardised_by_its_own_training_rows(seed):
    splits = load_splits(DataSpec(source="load_diabetes"), seed, vary=("split",))
    scaler = StandardScaler().fit(Y[splits.train.index][:, None])
    for part in (splits.train, splits.val, splits.test):
        expected = scaler.transform(Y[part.index][:, None])[:, 0]
        np.testing.assert_allclose(part.y, expected, rtol=0, atol=1e-12)
    assert splits.target_scale == pytest.approx(scaler.scale_[0])
    assert splits.summary.target_scale.mean == pytest.approx(scaler.mean_[0])


@pytest.mark.parametrize(
    "data",
    [
        {"source": "load_diabetes", "scale_target": False},
        {"source": "load_iris"},
        {"source": "load_breast_cancer"},
    ],
    ids=str,
)
def test_classes_and_numbers_that_stay_as_they_are_have_no_scale(data):
    splits = load_splits(DataSpec.model_validate(data), 0)
    assert (splits.target_scale, splits.summary.target_scale) == (1.0, None)
    if "diabetes" in data["source"]:
        np.testing.assert_array_equal(splits.val.y, Y[splits.val.index])


def test_a_target_that_is_the_same_in_all_rows_has_the_scale_1():
    scale = target_scale(np.full(7, 0.1))
    assert (scale.mean, scale.scale) == (pytest.approx(0.1), 1.0)


@pytest.mark.parametrize("source", ["load_diabetes", "load_iris"])
def test_targets_alone_are_those_of_the_splits(source):
    whole = load_splits(DataSpec(source=source), 3, vary=("split",))
    alone = load_targets(DataSpec(source=source), 3, vary=("split",))
    for name in ("train", "val", "test"):
        np.testing.assert_array_equal(getattr(alone, name), getattr(whole, name).y)
    assert alone.summary == whole.summary
