"""Columns made into numbers: scaled, imputed and encoded as the training rows tell."""

import numpy as np
import pandas as pd
import pytest
from sklearn.preprocessing import StandardScaler

from finetune.data.preparation import MISSING, Features, prepare_features
from finetune.errors import DataError
from finetune.spec.data import DataSpec

TRAIN = [0, 1, 2, 3]


def prepared(table: pd.DataFrame, **options) -> Features:
    return prepare_features(table, DataSpec(source="t.csv", **options))


def numbers(table: pd.DataFrame, **options) -> np.ndarray:
    """Fit on the first four rows, give all of them."""
    features = prepared(table, **options)
    return features.transformer().fit(features.table.iloc[TRAIN]).transform(features.table)


@pytest.mark.parametrize("order", ["C", "F"])
def test_complete_numbers_are_scaled_to_the_last_bit_as_by_the_scaler_alone(order):
    x = np.random.default_rng(1).normal(3, 7, (500, 12))
    table = pd.DataFrame(np.array(x, order=order), columns=list("abcdefghijkl"))
    features = prepared(table)
    train = np.random.default_rng(2).permutation(500)[:300]
    transformer = features.transformer().fit(features.table.iloc[train])
    expected = StandardScaler().fit(x[train])
    np.testing.assert_array_equal(transformer.transform(features.table), expected.transform(x))


def test_a_missing_number_becomes_the_training_rows_median():
    column = [1.0, 2.0, np.nan, 9.0, np.nan, 1000.0]
    (scaled,) = numbers(pd.DataFrame({"a": column})).T
    filled = np.array([1.0, 2.0, 2.0, 9.0])
    expected = (np.array([1.0, 2.0, 2.0, 9.0, 2.0, 1000.0]) - filled.mean()) / filled.std()
    np.testing.assert_allclose(scaled, expected)


def test_a_column_without_a_value_in_training_rows_stays():
    assert numbers(pd.DataFrame({"a": [np.nan] * 4 + [5.0], "b": range(5)})).shape == (5, 2)


def test_categories_without_a_value_in_training_rows_stay():
    table = pd.DataFrame({"a": [None] * 4 + ["x"], "b": range(5)})
    assert numbers(table)[:, 1:].tolist() == [[1, 0]] * 4 + [[0, 1]]


def test_categories_are_columns_in_sorted_order_and_missing_is_one():
    table = pd.DataFrame({"b": ["y", None, "x", "y", "x"], "a": [True, False, True, True, None]})
    assert prepared(table).categories == {
        "b": [MISSING, "x", "y"],
        "a": [MISSING, "False", "True"],
    }
    np.testing.assert_array_equal(
        numbers(table),
        [
            [0, 0, 1, 0, 0, 1],
            [1, 0, 0, 0, 1, 0],
            [0, 1, 0, 0, 0, 1],
            [0, 0, 1, 0, 0, 1],
            [0, 1, 0, 1, 0, 0],
        ],
    )


def test_a_category_that_no_training_row_has_keeps_its_column():
    encoded = numbers(pd.DataFrame({"a": ["x", "y", "x", "y", "z"]}))
    assert encoded.shape == (5, 3)
    assert encoded[TRAIN, 2].sum() == 0


@pytest.mark.parametrize(
    ("column", "kind"),
    [
        (pd.Series([1, 2, 3], dtype="int8"), "numeric"),
        (pd.Series([1, None, 3], dtype="Int64"), "numeric"),
        (pd.Series([0.5, 1, 2], dtype="float32"), "numeric"),
        (pd.Series([1, 2, 3], dtype="int64[pyarrow]"), "numeric"),
        (pd.Series([1, 2.5, None], dtype=object), "numeric"),
        (pd.Series(["a", "b", None]), "categorical"),
        (pd.Series(["a", "b", None], dtype="category"), "categorical"),
        (pd.Series([1, 2, 1], dtype="category"), "categorical"),
        (pd.Series([True, None, False], dtype="boolean"), "categorical"),
        (pd.Series([1, "a", None], dtype=object), "categorical"),
    ],
    ids=lambda value: str(getattr(value, "dtype", value)),
)
def test_the_kind_of_a_column_is_inferred_from_what_it_holds(column, kind):
    features = prepared(pd.DataFrame({"c": column}))
    assert (features.numeric == ["c"]) == (kind == "numeric")
    assert (list(features.categories) == ["c"]) == (kind == "categorical")


def test_numbers_that_are_named_categorical_are_besides_text():
    table = pd.DataFrame({"zip": [1, 2, 1], "town": list("aba"), "age": [1, 2, 3]})
    features = prepared(table, categorical=("zip",))
    assert features.numeric == ["age"]
    assert features.categories == {"zip": ["1", "2"], "town": ["a", "b"]}


def test_a_column_that_is_named_may_have_many_categories():
    table = pd.DataFrame({"a": [f"id{i}" for i in range(300)]})
    assert numbers(table, categorical=("a",)).shape == (300, 300)
    with pytest.raises(DataError, match="300 categories"):
        prepared(table)


@pytest.mark.parametrize(
    ("column", "part"),
    [
        (pd.date_range("2020", periods=3), "datetime64"),
        (pd.to_timedelta([1, 2, 3], unit="h"), "timedelta64"),
        (np.array([1j, 2, 3]), "complex"),
        ([b"a", b"b", b"a"], "bytes"),
    ],
)
def test_other_columns_are_refused_by_name(column, part):
    with pytest.raises(DataError, match=f"'c' holds {part}.*drop = \\[\"c\"\\]"):
        prepared(pd.DataFrame({"c": column}))


def test_a_categorical_column_that_is_not_there():
    with pytest.raises(DataError, match=r"data\.categorical: received 'q'.*allowed are 'a'"):
        prepared(pd.DataFrame({"a": [1, 2]}), categorical=("q",))
