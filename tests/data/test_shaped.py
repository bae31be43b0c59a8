"""Rows of any shape: scaled by training rows as scikit-learn would, or left as they are."""

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_digits
from sklearn.preprocessing import StandardScaler

from finetune.data.reading import reading_notes
from finetune.data.splits import Splits, load_splits
from finetune.errors import DataError
from finetune.spec.data import DataSpec


def rows(shape: tuple[int, ...], dtype: str = "float64") -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(1)
    return (rng.normal(50, 10, (60, *shape)) * np.arange(1, shape[-1] + 1)).astype(dtype), (
        rng.integers(0, 2, 60)
    )


@pytest.fixture
def write(tmp_path):
    """Return a function that writes arrays and gives the splits that a study makes of them."""

    def splits(x, y, **keys) -> Splits:
        np.savez(tmp_path / "a.npz", x=x, y=y)
        return load_splits(DataSpec(source=str(tmp_path / "a.npz"), **keys), 0)

    return splits


def scaled(x: np.ndarray, splits: Splits, *, width: int) -> np.ndarray:
    """Scale training rows as scikit-learn does, with so many numbers that are scaled apart."""
    train = x[splits.train.index].astype(float)
    return StandardScaler().fit_transform(train.reshape(-1, width)).reshape(train.shape)


@pytest.mark.parametrize(
    ("shape", "keys", "width"),
    [
        ((4, 4, 3), {}, 3),
        ((5, 2), {}, 2),
        ((4, 4, 3), {"scale": "channel"}, 3),
        ((4, 4, 3), {"scale": "standard"}, 48),
        ((6,), {}, 6),
        ((6,), {"scale": "channel"}, 6),
        ((6,), {"scale": "standard"}, 6),
        ((6,), {"shape": (2, 3)}, 3),
        ((6,), {"shape": (2, 3), "scale": "standard"}, 6),
        ((4, 3), {"shape": (12,)}, 12),
    ],
)
@pytest.mark.parametrize("dtype", ["float32", "uint8", "int64"])
def test_rows_are_scaled_by_the_training_rows(write, shape, keys, width, dtype):
    x, y = rows(shape, dtype)
    splits = write(x, y, **keys)
    expected = keys.get("shape", shape)
    assert (splits.shape, splits.n_features) == (expected, int(np.prod(expected)))
    assert splits.train.x.dtype == "float64"
    want = scaled(x, splits, width=width).reshape(splits.train.x.shape)
    np.testing.assert_allclose(splits.train.x, want, rtol=1e-10, atol=1e-10)
    assert abs(splits.test.x.mean()) > 1e-6


@pytest.mark.parametrize("shape", [(6,), (4, 4, 3)])
@pytest.mark.parametrize("dtype", ["int64", "uint8", "float64"])
def test_what_is_not_scaled_is_as_it_was(write, shape, dtype):
    x, y = rows(shape, dtype)
    splits = write(x, y, scale="none")
    for split in (splits.train, splits.val, splits.test):
        np.testing.assert_array_equal(split.x, x[split.index])
        assert (split.x.dtype.kind in "iu") == splits.whole == (dtype != "float64")


def test_a_loader_of_images_gives_images():
    spec = DataSpec(source="load_digits", shape=(8, 8, 1), scale="none")
    splits = load_splits(spec, 0)
    images = load_digits().images
    np.testing.assert_array_equal(splits.train.x[..., 0], images[splits.train.index])


def test_a_table_of_pixels_becomes_images(tmp_path):
    x, y = rows((6,), "int64")
    pd.DataFrame(x).assign(y=y).to_csv(tmp_path / "p.csv", index=False)
    spec = DataSpec(source=str(tmp_path / "p.csv"), target="y", shape=(2, 3, 1), scale="none")
    splits = load_splits(spec, 0)
    np.testing.assert_array_equal(splits.val.x, x[splits.val.index].reshape(-1, 2, 3, 1))
    assert splits.whole


@pytest.mark.parametrize(
    ("shape", "keys", "note"),
    [
        ((4, 4, 3), {}, "x: numbers, rows of shape (4, 4, 3), each channel of the last axis scal"),
        ((4, 3), {"scale": "standard"}, "rows of shape (4, 3), each number scaled"),
        ((6,), {"shape": (2, 3), "scale": "none"}, "6 columns in the shape (2, 3), not scaled"),
    ],
)
def test_the_reading_says_shape_and_scale(write, shape, keys, note):
    (found,) = reading_notes(write(*rows(shape), **keys).reading)
    assert note in found


def spoilt(shape: tuple[int, ...], value: float) -> np.ndarray:
    x, _ = rows(shape)
    x[7].flat[1] = value
    return x


@pytest.mark.parametrize(
    ("x", "keys", "parts"),
    [
        (rows((4, 4, 3))[0], {"shape": (4, 4)}, ["data.shape", "[4, 4]", "16", "48"]),
        (rows((6,))[0], {"shape": (4, 4)}, ["data.shape", "[4, 4]", "16", "6"]),
        (spoilt((4, 3), np.nan), {}, ["missing or infinite", "row 8 ", "3 axes"]),
        (spoilt((4, 3), np.inf), {}, ["missing or infinite", "row 8 "]),
        (spoilt((4, 3), 1e200), {}, ["1e+200", "divide"]),
        (spoilt((6,), np.nan), {"shape": (2, 3)}, ["data.shape", "missing", "row 8 "]),
        (rows((4, 3))[0].astype(str), {}, ["3 axes", "str", "numbers"]),
        (rows((4, 3))[0].astype(complex), {}, ["complex128"]),
        (rows((4, 3))[0], {"drop": ("0",)}, ["data.drop", "no columns"]),
        (rows((4, 3))[0], {"categorical": ("0",)}, ["data.categorical", "no columns"]),
        (np.ones((60, 4, 0)), {}, ["(60, 4, 0)"]),
        (np.ones((0, 4, 2)), {}, ["no rows"]),
    ],
)
def test_rows_that_cannot_be_used_are_told_in_one_line(write, x, keys, parts):
    with pytest.raises(DataError) as caught:
        write(x, rows((1,))[1][: len(x)], **keys)
    line = str(caught.value)
    assert len(line.splitlines()) == 1
    assert [part for part in (*parts, "data.") if part not in line] == []


def test_categories_have_no_place_in_a_shape(tmp_path):
    x, y = rows((3,))
    table = pd.DataFrame(x).assign(town=np.where(y, "a", "b"), y=y)
    table.to_csv(tmp_path / "p.csv", index=False)
    spec = DataSpec(source=str(tmp_path / "p.csv"), target="y", shape=(2, 2))
    with pytest.raises(DataError, match="column 'town' holds categories"):
        load_splits(spec, 0)


def test_weights_in_the_file_go_with_rows_of_any_shape(tmp_path):
    x, y = rows((4, 4, 3))
    np.savez(tmp_path / "a.npz", x=x, y=y, w=np.arange(60.0))
    splits = load_splits(DataSpec(source=str(tmp_path / "a.npz"), weight="w"), 0)
    np.testing.assert_array_equal(splits.train.weight, splits.train.index)


def test_an_array_has_no_column_of_weights():
    spec = DataSpec(source="tests.engines.sources:images", weight="w")
    with pytest.raises(
        DataError, match=r"data\.weight: received 'w', but the features have 4 axes"
    ):
        load_splits(spec, 0)
