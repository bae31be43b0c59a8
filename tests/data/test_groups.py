"""Groups of rows: on one side of every split, by scikit-learn's splitter, for each seed anew."""

import re

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError
from sklearn.model_selection import GroupShuffleSplit

from finetune.data.baseline import measure_baselines
from finetune.data.splits import Splits, load_splits
from finetune.errors import DataError
from finetune.spec.data import DataSpec
from tests.data.refusal import refused
from tests.data.user_data import people, write

# Twenty households of three rows each.
HOUSEHOLDS = np.random.default_rng(2).permutation(np.repeat(np.arange(20), 3))
NAMES = np.array([f"house {number:02}" for number in HOUSEHOLDS])


def spec_of(source, **options) -> DataSpec:
    return DataSpec(**{"source": str(source), "target": "plan", "groups": "house", **options})


def households(tmp_path, suffix=".csv", values=NAMES) -> str:
    return write(tmp_path / f"people{suffix}", people().assign(house=values))


def parts(splits: Splits):
    return splits.train, splits.val, splits.test


def groups_of(splits: Splits) -> list[set]:
    return [set(HOUSEHOLDS[part.index]) for part in parts(splits)]


@pytest.mark.parametrize("values", [NAMES, HOUSEHOLDS, HOUSEHOLDS / 2], ids=["text", "int", "half"])
@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_no_group_is_on_two_sides_and_the_column_is_no_feature(tmp_path, suffix, values):
    splits = load_splits(spec_of(households(tmp_path, suffix, values)), 0)
    held = groups_of(splits)
    assert [len(groups) for groups in held] == [12, 4, 4]
    assert set.union(*held) == set(range(20))
    bare = load_splits(DataSpec(source=write(tmp_path / f"bare{suffix}"), target="plan"), 0)
    assert splits.n_features == bare.n_features
    assert [count.kinship for count in splits.summary.splits] == [
        "12 groups",
        "4 groups",
        "4 groups",
    ]


def test_the_test_rows_are_those_of_scikit_learn_s_splitter(tmp_path):
    splitter = GroupShuffleSplit(n_splits=1, test_size=0.2, random_state=42)
    _, test = next(splitter.split(HOUSEHOLDS, groups=HOUSEHOLDS))
    splits = load_splits(spec_of(households(tmp_path)), 0)
    np.testing.assert_array_equal(np.sort(splits.test.index), test)


def test_the_order_of_the_rows_leaves_each_group_where_it_is(tmp_path):
    first = groups_of(load_splits(spec_of(households(tmp_path)), 0))
    other = people().assign(house=NAMES)[::-1]
    splits = load_splits(spec_of(write(tmp_path / "other.csv", other)), 0)
    assert [set(HOUSEHOLDS[::-1][part.index]) for part in parts(splits)] == first


def test_every_seed_has_groups_of_its_own_where_the_split_varies(tmp_path):
    spec = spec_of(households(tmp_path), val_size=0.3)
    held = [groups_of(load_splits(spec, seed, vary=("split",))) for seed in range(6)]
    assert len({frozenset(groups[2]) for groups in held}) == 6
    again = groups_of(load_splits(spec, 3, vary=("split",)))
    assert again == held[3]
    for train, val, test in held:
        assert not (train & val or train & test or val & test)


def test_an_array_of_an_npz_file_is_groups(tmp_path):
    file = tmp_path / "rows.npz"
    x, y = np.arange(120.0).reshape(60, 2), np.arange(60) % 2
    np.savez(file, x=x, y=y, house=HOUSEHOLDS, short=HOUSEHOLDS[:9])
    spec = DataSpec(source=str(file), groups="house")
    assert [len(groups) for groups in groups_of(load_splits(spec, 0))] == [12, 4, 4]
    with pytest.raises(DataError, match=r"data.groups: the array 'short' has the shape \(9,\); al"):
        load_splits(DataSpec(source=str(file), groups="short"), 0)
    with pytest.raises(DataError, match=r"data.groups: rows.npz has no array 'none'; it holds"):
        load_splits(DataSpec(source=str(file), groups="none"), 0)


def frame_with_groups() -> pd.DataFrame:
    return people().assign(house=NAMES)


def arrays_of_images():
    return np.zeros((60, 2, 2, 1)), np.arange(60) % 2


def test_a_function_gives_groups_as_a_column_of_its_frame():
    spec = spec_of(f"{__name__}:frame_with_groups")
    assert [len(groups) for groups in groups_of(load_splits(spec, 0))] == [12, 4, 4]
    with pytest.raises(DataError, match=r"data.groups: received 'house', but the features have 4"):
        load_splits(DataSpec(source=f"{__name__}:arrays_of_images", groups="house"), 0)


def test_weights_baselines_and_targets_follow_the_groups(tmp_path):
    weights = np.linspace(1, 2, 60)
    source = write(tmp_path / "p.csv", people().assign(house=NAMES, weight=weights))
    spec = spec_of(source, weight="weight")
    splits = load_splits(spec, 0)
    np.testing.assert_allclose(splits.train.weight, weights[splits.train.index])
    share = np.bincount(splits.train.y) / len(splits.train.y)
    found = measure_baselines(spec, seeds=1, vary=(), constant="shares")
    np.testing.assert_allclose(found.test_loss, [-np.log(share[splits.test.y]).mean()])


@pytest.mark.parametrize(
    ("values", "options", "found"),
    [
        (np.arange(60) % 2, {}, "'house' has 2 groups, of which test_size takes 1 and val_size 1"),
        (NAMES, {"test_size": 0.7, "val_size": 0.29}, "has 20 groups, of which test_size takes 14"),
        (["", *NAMES[1:]], {}, "'house' is missing in row 1 (counted from 1); allowed is a group"),
        (["?", *NAMES[1:]], {"missing": ("?",)}, "'house' is missing in row 1"),
    ],
)
def test_groups_that_cannot_be_split_are_refused(tmp_path, values, options, found):
    source = households(tmp_path, values=values)
    assert re.search(f"data.groups: .*{re.escape(found)}", refused(spec_of(source, **options)))


def test_a_column_that_is_not_there_is_named(tmp_path):
    line = refused(spec_of(write(tmp_path / "people.csv")))
    assert (
        "data.groups: received 'house', which people.csv does not have; allowed are 'age'" in line
    )


def test_a_class_that_is_in_some_groups_alone_may_be_missing_from_a_split(tmp_path):
    table = people().assign(house=NAMES, plan=np.where(HOUSEHOLDS == 0, "rare", "common"))
    line = refused(spec_of(write(tmp_path / "rare.csv", table)))
    assert "the class 'rare' has" in line
    assert "change test_size or val_size, add rows, or join classes" in line


@pytest.mark.parametrize(
    ("options", "found"),
    [
        ({"time": "when"}, "groups and time are both there"),
        ({"stratify": True}, "stratify and groups are both there"),
        ({"target": "house"}, "groups and target both name 'house'"),
        ({"drop": ("house",)}, "groups and drop both name 'house'"),
        ({"weight": "house"}, "groups and weight both name 'house'"),
    ],
)
def test_what_contradicts_groups_is_refused_before_anything_is_read(options, found):
    with pytest.raises(ValidationError, match=found):
        spec_of("people.csv", **options)
