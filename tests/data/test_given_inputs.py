"""Several inputs that a program holds: what the study reads is what was given."""

import json

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from finetune.data.given_inputs import given_inputs
from finetune.data.sources import load_table
from finetune.errors import DataError
from finetune.spec.data import DataSpec

N = 12
RNG = np.random.default_rng(0)
Y = np.arange(N) % 2
IMAGE, TABLE = RNG.normal(size=(N, 2, 2, 1)), RNG.normal(size=(N, 3))
GIVEN = {"image": IMAGE, "table": TABLE}


def read(x, folder, *, y=Y, **keys):
    """Write what is given into a file, and read it as a study does."""
    given = given_inputs(x, y, beside=list(keys.values()))
    (folder / "data.npz").write_bytes(given.content())
    section = {**given.section, "source": str(folder / "data.npz"), **keys}
    spec = DataSpec.model_validate_json(json.dumps(section))
    return load_table(spec)


@pytest.mark.parametrize(
    "table",
    [
        TABLE,
        TABLE.tolist(),
        sparse.csr_matrix(TABLE),
        pd.DataFrame(TABLE, columns=["a", "b", "c"]),
        np.ma.masked_array(TABLE, mask=np.zeros(TABLE.shape, bool)),
    ],
)
def test_an_input_of_any_kind_is_the_array_that_it_stands_for(table, tmp_path):
    features = read({"image": IMAGE, "table": table}, tmp_path).features
    assert list(features) == ["image", "table"]
    np.testing.assert_array_equal(features["image"], IMAGE)
    np.testing.assert_array_equal(features["table"], TABLE)


@pytest.mark.parametrize("whole", [np.arange(24).reshape(N, 2), pd.DataFrame({"a": Y, "b": Y})])
def test_whole_numbers_stay_whole(whole, tmp_path):
    features = read({"words": whole, "table": TABLE}, tmp_path).features
    assert set(features["words"].dtypes) == {np.dtype("int64")}
    np.testing.assert_array_equal(features["words"], whole)


def test_missing_numbers_of_a_frame_are_missing(tmp_path):
    frame = pd.DataFrame({"a": pd.array([None, *range(N - 1)], dtype="Int64"), "b": TABLE[:, 0]})
    features = read({"table": frame, "image": IMAGE}, tmp_path).features
    assert np.isnan(features["table"].iloc[0, 0])
    assert list(features["table"].iloc[1:, 0]) == list(range(N - 1))


def test_an_input_may_have_the_name_of_the_target(tmp_path):
    table = read({"y": IMAGE, "table": TABLE}, tmp_path)
    np.testing.assert_array_equal(table.features["y"], IMAGE)
    np.testing.assert_array_equal(table.target, Y)


def test_groups_and_weights_are_no_inputs(tmp_path):
    beside = {"house": np.array(list("abcdef") * 2), "sure": np.linspace(0, 1, N)}
    table = read({**GIVEN, **beside}, tmp_path, groups="house", weight="sure")
    assert list(table.features) == ["image", "table"]
    assert list(table.beside["groups"]) == list(beside["house"])
    np.testing.assert_array_equal(table.beside["weight"], beside["sure"])


def test_the_same_inputs_are_the_same_file():
    one, other = (given_inputs(GIVEN, Y, beside=()).content() for _ in range(2))
    assert one == other


@pytest.mark.parametrize(
    ("x", "words"),
    [
        ({}, "a dictionary of 0 inputs; allowed are two or more"),
        ({"image": IMAGE}, "a dictionary of 1 inputs; .* give the array of the only one"),
        ({"a": TABLE[:, 0], "b": TABLE[:, 1]}, "'a' has one axis; .*pandas.DataFrame.*reshape"),
        ({"image": IMAGE, 3: TABLE}, "names an input 3; allowed is printable text"),
        ({"image": IMAGE, "table": TABLE[:9]}, "9 rows of 'table' and 12 targets"),
        ({"image": IMAGE, "file": TABLE}, "names an array 'file', which no NPZ file can"),
        ({"image": IMAGE, "b": [[1], [2, 3]]}, r"x\['b'\]: .* of which NumPy makes no array"),
        ({"image": IMAGE, "b": None}, r"x\['b'\]: x: received NoneType"),
        ({"image": IMAGE, "b": pd.DataFrame({"a": ["b"] * N})}, r"'b'\]: received text.*get_dum"),
        ({"image": IMAGE, "b": pd.DataFrame({"a": [True] * N})}, r"'b'\]: received text"),
    ],
)  # fmt: skip
def test_what_is_no_dictionary_of_inputs_is_named_in_one_line(x, words):
    with pytest.raises(DataError, match=words) as caught:
        given_inputs(x, Y, beside=())
    assert "\n" not in str(caught.value)


def test_groups_that_are_not_there_are_refused():
    with pytest.raises(DataError, match=r"names 'house' as weights, .* allowed are 'image', 'tab"):
        given_inputs(GIVEN, Y, beside=[None, "house"])


def test_groups_with_a_gap_are_refused():
    houses = ["a", None] * (N // 2)
    with pytest.raises(DataError, match=r"x\['house'\]: received text, categories or missing"):
        given_inputs({**GIVEN, "house": houses}, Y, beside=["house"])
