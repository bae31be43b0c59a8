"""Several inputs of a network: each is read and scaled as it would be alone."""

import numpy as np
import pytest

from finetune.data.reading import reading_notes
from finetune.data.splits import Splits, load_splits
from finetune.errors import DataError
from finetune.spec.data import DataSpec

N = 60
RNG = np.random.default_rng(3)
Y = RNG.integers(0, 2, N)
ALONE = {
    "image": RNG.normal(50, [1, 10], (N, 4, 4, 2)),
    "table": np.where(RNG.random((N, 3)) < 0.1, np.nan, RNG.normal(5, [1, 10, 100], (N, 3))),
    "words": RNG.integers(0, 20, (N, 6)),
}
NAMES = tuple(ALONE)


@pytest.fixture
def write(tmp_path):
    """Return a function that writes arrays and gives the splits that a study makes of them."""

    def splits(arrays, **keys) -> Splits:
        np.savez(tmp_path / "a.npz", y=Y, **arrays)
        return load_splits(DataSpec(source=str(tmp_path / "a.npz"), **keys), 0)

    return splits


@pytest.mark.parametrize(
    ("scale", "of_one"),
    [
        (None, {}),
        ("none", dict.fromkeys(NAMES, "none")),
        ("standard", dict.fromkeys(NAMES, "standard")),
        ({"words": "none"}, {"words": "none"}),
        ({"words": "none", "image": "standard"}, {"words": "none", "image": "standard"}),
    ],
)
def test_each_input_is_what_it_is_alone(write, scale, of_one):
    splits = write(ALONE, inputs=NAMES, scale=scale)
    assert splits.shape == {"image": (4, 4, 2), "table": (3,), "words": (6,)}
    assert splits.n_features == 32 + 3 + 6
    assert splits.whole == {"image": False, "table": False, "words": True}
    for name, x in ALONE.items():
        alone = write({"x": x}, scale=of_one.get(name))
        for split in ("train", "val", "test"):
            ours, expected = getattr(splits, split), getattr(alone, split)
            np.testing.assert_array_equal(ours.x[name], expected.x, strict=True)
            np.testing.assert_array_equal(ours.index, expected.index)


def test_the_order_of_the_names_says_nothing(write):
    ours, other = (write(ALONE, inputs=names) for names in (NAMES, NAMES[::-1]))
    for name in NAMES:
        np.testing.assert_array_equal(ours.train.x[name], other.train.x[name])


def test_weights_and_groups_are_arrays_beside_the_inputs(write):
    houses, weights = np.arange(N) % 12, RNG.uniform(0, 1, N)
    beside = {"house": houses, "weight": weights}
    splits = write({**ALONE, **beside}, inputs=NAMES, groups="house", weight="weight")
    assert set(splits.shape) == set(NAMES)
    np.testing.assert_array_equal(splits.train.weight, weights[splits.train.index])
    assert set(houses[splits.train.index]).isdisjoint(houses[splits.test.index])


def test_what_is_read_is_told_of_each_input(write):
    reading = write(ALONE, inputs=NAMES).summary.reading
    assert [(c.full_name, c.features) for c in reading.columns[:3]] == [
        ("image", 32),
        ("0 of table", 1),
        ("1 of table", 1),
    ]
    assert [note for note in reading_notes(reading) if note.startswith("image: numbers, rows of")]


@pytest.mark.parametrize(
    ("change", "keys", "parts"),
    [
        ({}, {"shape": (4, 8)}, ["data.shape: received", "several inputs ('image', 'table'"]),
        ({}, {"categorical": ("0",)}, ["data.categorical", "several inputs"]),
        ({}, {"drop": ("0",)}, ["data.drop", "several inputs", "leave it out"]),
        (
            {},
            {"scale": {"picture": "none"}},
            ["data.scale: received 'picture'", "'image', 'table'"],
        ),
        ({"image": ALONE["image"][:9]}, {}, ["9 rows of 'image' and 60 targets", "one target a"]),
        ({"words": np.arange(N)}, {}, ["'words' of a.npz", "1 axes", "reshape"]),
        ({"image": np.full((N, 2, 2), np.nan)}, {}, ["input 'image': data.source", "finite"]),
        ({"table": np.full((N, 2), np.inf)}, {}, ["input 'table':", "infinite"]),
    ],
)
def test_what_does_not_fit_is_told_in_one_line(write, change, keys, parts):
    with pytest.raises(DataError) as caught:
        write({**ALONE, **change}, inputs=NAMES, **keys)
    line = str(caught.value)
    assert len(line.splitlines()) == 1
    assert [part for part in parts if part not in line] == []


def test_an_archive_without_the_named_arrays(write):
    with pytest.raises(DataError, match=r"data.inputs: a.npz has no array 'sound'; it holds"):
        write(ALONE, inputs=("image", "sound"))
    with pytest.raises(
        DataError, match=r"has no array 'x'.* several inputs that data.inputs names"
    ):
        write(ALONE)


def test_a_table_of_scales_is_for_several_inputs(write):
    with pytest.raises(DataError, match=r"data.scale: received .*, but the data have one input"):
        write({"x": ALONE["image"]}, scale={"x": "none"})
