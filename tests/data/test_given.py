"""Features and targets that a program holds: as they are where plain, else one line."""

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from finetune.data.given import given_data
from finetune.data.preparation import prepare_features
from finetune.data.sources import load_table
from finetune.data.target import prepare_target
from finetune.errors import DataError
from finetune.spec.data import DataSpec

N = 12
X = np.arange(2.0 * N).reshape(N, 2)
Y = np.arange(N) % 2
FRAME = pd.DataFrame(
    {
        "weight": pd.array([*range(N - 1), None], dtype="Int64"),
        "rate": pd.array([None, *(i / 2 for i in range(N - 1))], dtype="Float64"),
        "colour": ["red", None, *["blue"] * (N - 2)],
        "old": pd.array([True, None, *[False] * (N - 2)], dtype="boolean"),
        "size": pd.Categorical(["s", "m"] * (N // 2)),
    }
)


def written(x, y, tmp_path) -> tuple:
    """Return the table that a program's data are, and the one that is read from their file."""
    data = given_data(x, y)
    (tmp_path / data.section["source"]).write_bytes(data.content())
    spec = DataSpec.model_validate(data.section)
    located = spec.with_file(folder=str(tmp_path), content="0" * 64).model_copy(
        update={"content": None}
    )
    located._folder = str(tmp_path)
    return data.table(spec), load_table(located)


@pytest.mark.parametrize("x", [X, FRAME, X.astype(str), FRAME.astype(object)])
def test_the_table_in_memory_is_the_one_in_the_file(x, tmp_path):
    ours, read = written(x, pd.Series(Y, name="y"), tmp_path)
    pd.testing.assert_frame_equal(ours.features, read.features, check_exact=True)
    pd.testing.assert_series_equal(ours.target, read.target, check_names=False)


@pytest.mark.parametrize(
    "x",
    [
        X.tolist(),
        X.astype(object),
        X.astype(np.int8),
        sparse.csr_matrix(X),
        sparse.coo_array(X),
        list(X),
    ],
)
def test_numbers_become_one_array_whatever_holds_them(x):
    found = given_data(x, Y).features
    assert isinstance(found, np.ndarray)
    np.testing.assert_array_equal(found, X)


def test_columns_are_read_as_those_of_a_study_file(tmp_path):
    FRAME.assign(y=Y).to_csv(tmp_path / "rows.csv", index=False)
    spec = DataSpec(source="rows.csv", target="y")
    spec._folder = str(tmp_path)
    of_file = prepare_features(load_table(spec).features, spec)
    found = prepare_features(
        given_data(FRAME, Y).table(spec.model_copy(update={"target": "target"})).features, spec
    )
    assert found.reading == of_file.reading
    np.testing.assert_array_equal(
        found.transformer().fit_transform(found.table),
        of_file.transformer().fit_transform(of_file.table),
    )


def test_what_a_masked_array_masks_is_missing():
    masked = np.ma.masked_array(X, X > 20)
    np.testing.assert_array_equal(given_data(masked, Y).features, np.where(X > 20, np.nan, X))
    target = pd.Series(given_data(X, np.ma.masked_array(Y, Y == 1)).target)
    with pytest.raises(DataError, match=r"data.target: missing in row 2 .* 6 of 12"):
        prepare_target(target, None)


@pytest.mark.parametrize(
    ("y", "classes"),
    [
        (pd.Series(Y, dtype="Int64"), ("0", "1")),
        (pd.Series(np.where(Y, "yes", "no")), ("no", "yes")),
        (pd.Series(np.where(Y, "yes", "no"), dtype="category"), ("no", "yes")),
        (pd.Series(Y == 1, dtype="boolean"), ("False", "True")),
        (pd.DataFrame({"label": Y}), ("0", "1")),
        (pd.Series([1, "one"] * (N // 2), dtype=object), ("1", "one")),
        (Y[:, None], ("0", "1")),
    ],
)
def test_targets_of_every_kind_are_the_classes_they_name(y, classes, tmp_path):
    _, read = written(X, y, tmp_path)
    assert prepare_target(read.target, None).classes == classes


def test_a_target_that_is_a_column_too_is_no_feature(tmp_path):
    frame = FRAME.assign(y=Y)
    table, _ = written(frame, frame["y"], tmp_path)
    assert list(table.features) == list(FRAME)
    with pytest.raises(DataError, match="a target named 'y' and a column of features of that name"):
        given_data(frame, 1 - frame["y"])


def test_a_column_called_target_stays_beside_a_target_without_a_name(tmp_path):
    table, _ = written(FRAME.assign(target=1.5), Y, tmp_path)
    assert list(table.features) == [*FRAME, "target"]
    np.testing.assert_array_equal(table.target, Y)


@pytest.mark.parametrize(
    ("x", "y", "words"),
    [
        (None, Y, "x: received NoneType; allowed is"),
        ({"a": X[:, 0]}, Y, "x: received dict; .*pandas.DataFrame"),
        ((row for row in X), Y, "x: received generator"),
        (X, "label", "y: received str"),
        (X[:, 0], Y, r"x: received shape \(12,\).*reshape"),
        (FRAME["weight"], Y, r"x: received a Series .*to_frame"),
        ([[1, 2], [3]], [0, 1], "x: received list, of which NumPy makes no array"),
        (X[:9], Y, "x, y: received 9 rows of features and 12 targets"),
        (X[:0], Y[:0], r"x: received shape \(0, 2\)"),
        (X[:, :0], Y, r"x: received shape \(12, 0\)"),
        (X + 1j, Y, "x: received an array of complex128"),
        (X.astype("S"), Y, "x: received an array of"),
        (X, Y + 1j, "y: received an array of complex128"),
        (X, np.eye(2)[Y], r"y: received shape \(12, 2\).*argmax"),
        (X, [[1], [1, 2]] * 6, "y: received list"),
        (X, pd.Series([{"a": 1}] * N), "y: column 'target' holds dict in row 1"),
        (FRAME.assign(z=1j), Y, "x: column 'z' holds complex"),
        (FRAME.assign(z=[[1]] * N), Y, "x: column 'z' holds list in row 1"),
        (FRAME.assign(z=["a", {1}] * 6), Y, r"x: column 'z' holds set in row 2 .* 5 more"),
        (pd.DataFrame(X, columns=["a", "a"]), Y, "x: has the column 'a' more than once"),
        (sparse.csr_matrix((N, 10**9)), Y, "x: received a sparse matrix of shape"),
    ],
)
def test_what_is_no_table_is_named_in_one_line(x, y, words):
    with pytest.raises(DataError, match=words) as caught:
        given_data(x, y)
    assert "\n" not in str(caught.value)


def test_dates_are_refused_by_the_reading_of_the_table(tmp_path):
    table = given_data(FRAME.assign(day=pd.Timestamp("2020-01-01")), Y).table(
        DataSpec(source="data.parquet", target="target")
    )
    with pytest.raises(DataError, match="column 'day' holds datetime64"):
        prepare_features(table.features, DataSpec(source="data.parquet"))
