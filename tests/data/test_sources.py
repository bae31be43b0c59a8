"""Sources: scikit-learn by name, and functions of the user's; their errors are one line."""

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from finetune.data.splits import load_splits
from finetune.errors import DataError
from finetune.spec.data import DataSpec
from tests.data.user_data import people, splits_of

MODULE = """
import numpy as np
import pandas as pd


def arrays(rows=40):
    x = np.arange(2.0 * rows).reshape(rows, 2)
    return x, np.arange(rows) % 2


def frame():
    return pd.DataFrame({"a": range(30), "b": list("uvw") * 10, "y": ["no", "yes", "no"] * 10})


def target_among_the_features():
    table = frame()
    return table, table["y"]


def target_numbered_like_a_feature():
    numbers = pd.DataFrame(np.arange(60.0).reshape(30, 2))
    return numbers, pd.DataFrame(np.arange(30) % 2)[0]


def drawn(random_state=None):
    return np.random.default_rng(random_state).normal(size=(40, 2)), np.arange(40.0)


def fails():
    raise ValueError("no\\nluck")


def listed():
    return [1, 2]


def several():
    frame = pd.DataFrame({"a": np.arange(40.0), "b": ["x", "y"] * 20})
    houses = np.arange(40) // 2
    return {"left": np.ones((40, 2, 2)), "right": frame, "house": houses}, np.arange(40) % 2


def unequal():
    return {"left": np.ones((9, 3)), "right": np.ones((8, 3))}, np.arange(8) % 2


def only():
    return {"left": np.ones((9, 3))}, np.arange(9) % 2


def columns():
    return np.ones((9, 3)), np.eye(9)


constant = 3
"""
FAILING_LINE = 1 + MODULE.splitlines().index('    raise ValueError("no\\nluck")')


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch) -> Path:
    """Stand in a folder with a module of the user's own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    (tmp_path / "own_rows.py").write_text(MODULE)
    return tmp_path


def complaint(source: str, **options) -> str:
    with pytest.raises(DataError) as caught:
        splits_of(source, **options)
    line = str(caught.value)
    assert len(line.splitlines()) == 1
    return line


@pytest.mark.parametrize(
    ("source", "task", "classes"),
    [
        ("load_iris", "multiclass", 3),
        ("load_digits", "multiclass", 10),
        ("load_breast_cancer", "binary", 2),
        ("load_diabetes", "regression", 0),
        ("make_hastie_10_2", "binary", 2),
        ("make_friedman1", "regression", 0),
        ("make_blobs", "multiclass", 3),
    ],
)
def test_the_task_of_a_source_of_scikit_learn(source, task, classes):
    splits = splits_of(source)
    assert (splits.task, splits.n_classes) == (task, classes)


def test_whole_numbers_of_a_generator_are_classes_however_many():
    args = {"n_samples": 800, "n_informative": 8, "n_classes": 25, "random_state": 0}
    assert splits_of("make_classification", args=args, stratify=True).n_classes == 25


def test_a_loader_may_give_a_frame():
    plain, frame = splits_of("load_iris"), splits_of("load_iris", args={"as_frame": True})
    np.testing.assert_allclose(plain.train.x, frame.train.x)
    chosen = splits_of("load_iris", args={"as_frame": True}, drop=("petal width (cm)",))
    assert chosen.n_features == 3


@pytest.mark.parametrize(
    "source",
    ["make_multilabel_classification", "load_linnerud", "make_low_rank_matrix"],
)
def test_a_source_without_one_target_is_refused_by_name(source):
    assert f"data.source: {source} gives" in complaint(source)


@pytest.mark.parametrize("source", ["people.xlsx", "folder/people", "load_files", "fetch_kddcup99"])
def test_an_unknown_source_is_answered_with_those_allowed(source):
    line = complaint(source)
    assert all(part in line for part in (f"'{source}'", ".csv", "module:function", "make_moons"))


def test_a_function_gives_arrays():
    splits = splits_of("own_rows:arrays", args={"rows": 50})
    assert (splits.task, splits.n_features) == ("binary", 2)
    assert [len(part.y) for part in (splits.train, splits.val, splits.test)] == [30, 10, 10]


def test_a_function_gives_a_frame():
    splits = splits_of("own_rows:frame", target="y")
    assert (splits.classes, splits.n_features) == (("no", "yes"), 4)


def test_a_function_gives_several_inputs_and_what_is_beside_them():
    splits = splits_of("own_rows:several", groups="house")
    assert splits.shape == {"left": (2, 2), "right": (3,)}
    assert set(splits.train.index // 2).isdisjoint(splits.val.index // 2)
    line = complaint("own_rows:several", groups="street")
    assert "received 'street', which own_rows:several does not have" in line


def test_a_target_among_the_features_is_none_of_them():
    assert splits_of("own_rows:target_among_the_features").n_features == 4


def test_a_function_can_draw_rows_for_each_seed():
    spec = DataSpec(source="own_rows:drawn")
    one, other, again = (load_splits(spec, seed, vary=("data",)) for seed in (0, 1, 0))
    assert not np.array_equal(one.train.x, other.train.x)
    np.testing.assert_array_equal(one.train.x, again.train.x)
    with pytest.raises(DataError, match="random_state"):
        load_splits(DataSpec(source="own_rows:arrays"), 0, vary=("data",))


@pytest.mark.parametrize(
    ("function", "parts"),
    [
        ("fails", [f"raised ValueError: no luck (own_rows.py, line {FAILING_LINE})"]),
        ("listed", ["returned list", "allowed is (x, y)"]),
        ("unequal", ["9 rows of 'left' and 8 targets", "one target a row"]),
        ("only", ["a dictionary of 1 inputs", "two or more"]),
        ("columns", ["shape (9, 9)", "one target a row"]),
        ("constant", ["'own_rows:constant' is int", "allowed is a function"]),
        ("nothing", ["cannot import 'own_rows:nothing'", "nothing"]),
        ("target_numbered_like_a_feature", ["a target named '0'", "a column of features", "other"]),
        ("frame", ["data.target: missing", "'a', 'b', 'y'"]),
    ],
)
def test_a_function_that_cannot_be_used_is_reported_in_one_line(function, parts):
    line = complaint(f"own_rows:{function}")
    assert [part for part in parts if part not in line] == []


def test_what_a_function_cannot_take_is_reported():
    assert "own_rows:arrays raised TypeError" in complaint("own_rows:arrays", args={"n": 3})
    assert "data.target: received 'y'" in complaint("own_rows:arrays", target="y")
    assert "data.target: received 'y'" in complaint("make_moons", target="y")


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("def load(:\n", "SyntaxError: invalid syntax (broken.py, line 1)"),
        ("\nimport no_such_module\n", "No module named 'no_such_module' (broken.py, line 2)"),
        ("1 / 0\n", "ZeroDivisionError: division by zero (broken.py, line 1)"),
    ],
)
def test_a_module_that_does_not_load_is_reported_with_the_line(folder, text, part):
    (folder / "broken.py").write_text(text)
    assert part in complaint("broken:load")


def test_a_module_that_is_not_there():
    assert "cannot import 'no_rows:load': ModuleNotFoundError" in complaint("no_rows:load")


def test_dropped_columns_are_no_features(folder):
    people().to_csv(folder / "p.csv", index=False)
    assert splits_of("p.csv", target="plan", drop=("town", "member")).n_features == 2
    assert "data.drop: received 'q'" in complaint("p.csv", target="plan", drop=("q",))


def test_a_long_list_of_columns_is_cut(folder):
    pd.DataFrame(np.ones((3, 30))).to_csv(folder / "wide.csv", index=False)
    assert complaint("wide.csv", target="q").endswith("'9' and 20 more")
