"""Weights of rows: a column that is no feature, or an array of an NPZ file."""

import re

import numpy as np
import pytest

from finetune.data.splits import load_splits
from finetune.errors import DataError
from finetune.spec.data import DataSpec
from tests.data.user_data import people, write

WEIGHTS = np.random.default_rng(5).random(60) + 0.1


def spec_of(source, **options) -> DataSpec:
    return DataSpec(source=str(source), target="plan", weight="weight", **options)


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_a_column_of_weights_goes_with_its_rows_and_is_no_feature(tmp_path, suffix):
    bare = DataSpec(source=write(tmp_path / f"bare{suffix}"), target="plan")
    source = write(tmp_path / f"people{suffix}", people().assign(weight=WEIGHTS))
    splits, others = load_splits(spec_of(source), 0), load_splits(bare, 0)
    for name in ("train", "val", "test"):
        split, other = getattr(splits, name), getattr(others, name)
        np.testing.assert_array_equal(split.weight, WEIGHTS[split.index])
        np.testing.assert_array_equal(split.x, other.x)
        assert other.weight is None


def test_weights_are_read_as_other_numbers_are(tmp_path):
    table = people().assign(weight=[f"{weight:.3f}".replace(".", ",") for weight in WEIGHTS])
    split = load_splits(spec_of(write(tmp_path / "p.tsv", table)), 0).train
    np.testing.assert_allclose(split.weight, WEIGHTS[split.index].round(3))


def test_an_array_of_an_npz_file_is_weights(tmp_path):
    file = tmp_path / "rows.npz"
    x, y = np.arange(120.0).reshape(60, 2), np.arange(60) % 2
    np.savez(file, x=x, y=y, w=WEIGHTS, short=WEIGHTS[:9])
    split = load_splits(DataSpec(source=str(file), weight="w"), 0).train
    np.testing.assert_array_equal(split.weight, WEIGHTS[split.index])
    with pytest.raises(DataError, match=r"data.weight: the array 'short' has the shape \(9,\); al"):
        load_splits(DataSpec(source=str(file), weight="short"), 0)
    with pytest.raises(DataError, match=r"data.weight: rows.npz has no array 'none'; it holds"):
        load_splits(DataSpec(source=str(file), weight="none"), 0)


@pytest.mark.parametrize(
    ("rows", "value", "found"),
    [
        ([3], -1.0, "'weight' is negative in row 4"),
        ([3, 4], np.nan, "'weight' is missing in row 4 (counted from 1) and in 1 more"),
        ([3], np.inf, "'weight' is infinite in row 4"),
        (range(60), 0.0, "'weight' is 0 in every row"),
        (range(60), "heavy", "'weight' holds categories, not numbers"),
    ],
)
def test_weights_that_cannot_be_used_are_refused(tmp_path, rows, value, found):
    weights = WEIGHTS.astype(object)
    weights[list(rows)] = value
    source = write(tmp_path / "people.csv", people().assign(weight=weights))
    with pytest.raises(DataError, match=f"data.weight:.*{re.escape(found)}.*allowed are finite"):
        load_splits(spec_of(source), 0)


def test_a_split_whose_training_rows_all_have_no_weight_is_refused(tmp_path):
    bare = load_splits(DataSpec(source=write(tmp_path / "bare.csv"), target="plan"), 0)
    weights = np.ones(60)
    weights[bare.train.index] = 0
    source = write(tmp_path / "people.csv", people().assign(weight=weights))
    with pytest.raises(DataError, match="is 0 in every training row"):
        load_splits(spec_of(source), 0)


def test_a_column_that_is_not_there_is_named(tmp_path):
    with pytest.raises(DataError, match=r"data.weight: received 'weight', which .* does not have"):
        load_splits(spec_of(write(tmp_path / "people.csv")), 0)
