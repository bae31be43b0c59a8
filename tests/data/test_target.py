"""The target: its task is inferred, its classes count from 0 in sorted order."""

import numpy as np
import pandas as pd
import pytest

from finetune.data.cells import TextRules
from finetune.data.target import check_classes, prepare_target
from finetune.errors import DataError


def target_of(values, task=None, dtype=None, **rules):
    return prepare_target(pd.Series(values, dtype=dtype), task, rules=TextRules(**rules))


@pytest.mark.parametrize(
    ("values", "dtype", "task", "classes"),
    [
        ([0, 1, 1], None, "binary", ("0", "1")),
        ([-1.0, 1.0, 1.0], None, "binary", ("-1", "1")),
        ([7, 3, 5, 3], None, "multiclass", ("3", "5", "7")),
        (range(20), None, "multiclass", tuple(map(str, range(20)))),
        (range(21), None, "regression", ()),
        ([0.5, 1.0, 1.0], None, "regression", ()),
        ([True, False], None, "binary", ("False", "True")),
        ([True, False], "boolean", "binary", ("False", "True")),
        ([1, 2], "Int64", "binary", ("1", "2")),
        (["yes", "no", "no"], None, "binary", ("no", "yes")),
        (["b", "a", "c"], "category", "multiclass", ("a", "b", "c")),
        (["NA", "None", "null", "?"], None, "multiclass", ("?", "NA", "None", "null")),
        (["10", "9", "10"], None, "binary", ("9", "10")),
        (["01", "02", "01"], None, "binary", ("01", "02")),
        (["TRUE", "true", "false"], None, "binary", ("False", "True")),
        ([f"{i},5" for i in range(30)], None, "regression", ()),
        (range(30), "category", "multiclass", tuple(map(str, range(30)))),
        ([10, 9, 10], "category", "binary", ("9", "10")),
    ],
)
def test_the_task_is_inferred_from_the_target(values, dtype, task, classes):
    target = target_of(values, dtype=dtype)
    assert (target.task, target.classes) == (task, classes)


def test_classes_count_from_zero_in_sorted_order():
    target = target_of(["pear", "apple", "pear", "fig"])
    np.testing.assert_array_equal(target.y, [2, 0, 2, 1])
    assert target.y.dtype == np.int64
    np.testing.assert_array_equal(target_of([10, 9, 10, -1]).y, [2, 1, 2, 0])


def test_amounts_stay_as_they_are():
    target = target_of([0.25, 3, 1e9])
    np.testing.assert_array_equal(target.y, [0.25, 3, 1e9])
    assert target.y.dtype == np.float64


def test_the_task_can_be_said():
    assert target_of([1, 2, 3], "regression").y.dtype == np.float64
    assert target_of(range(30), "multiclass").classes[-1] == "29"
    assert target_of([0, 1], "multiclass").task == "multiclass"
    assert target_of([0.5, 1.5], "binary").classes == ("0.5", "1.5")
    np.testing.assert_array_equal(target_of(["1.5", "2"], "regression").y, [1.5, 2])
    np.testing.assert_array_equal(target_of([3, 4], "regression", dtype="category").y, [3, 4])


@pytest.mark.parametrize(
    ("values", "task", "parts"),
    [
        ([1.5, np.nan, np.nan], None, ["missing in row 2", "1 more", "remove"]),
        (["a", None], None, ["missing in row 2", "every row"]),
        (["a", " ", ""], None, ["missing in row 2", "2 of 3", "taken for missing: empty cells)"]),
        (["$1,500", "$20,000"], None, ["data.target: holds '$1,500'", 'data.decimal = ","']),
        (
            [*"12345678"] * 3 + [str(i / 8) for i in range(80)] + ["?"] * 5,
            None,
            ["holds 80 different numbers, but also '?' in 5 cells", "data.missing", "data.task"],
        ),
        (["2023-01-01", "2023-02-01"], None, ["holds dates", "'2023-01-01'", "task = "]),
        (["20230101", "20230201"], None, ["holds dates", "'20230101'"]),
        (["8:00", "9:30"], "regression", ["holds dates or times"]),
        ([1.5, 2, -np.inf], None, ["infinite in row 3", "finite"]),
        (["1", "two"], "regression", ["'two' in row 2", "numbers"]),
        (pd.date_range("2020", periods=2), None, ["datetime64", "allowed are numbers"]),
        ([1j, 2], None, ["complex"]),
        (["a", "a"], None, ["'a'", "allowed are two classes"]),
        ([1, 1], "binary", ["'1'", "allowed are two classes"]),
        (["a", "b", "c"], "binary", ["data.task", "'binary'", "3 classes", "'multiclass'"]),
    ],
)
def test_a_target_that_cannot_be_used_is_reported_in_one_line(values, task, parts):
    with pytest.raises(DataError) as caught:
        check_classes(target_of(values, task), task)
    line = str(caught.value)
    assert len(line.splitlines()) == 1
    assert [part for part in parts if part not in line] == []


def test_words_for_missing_in_a_target_are_those_that_are_named():
    values = ["yes", "no", "NA", "", "yes", "NA"]
    with pytest.raises(DataError, match=r"row 4 .*1 of 6 \(taken for missing: empty cells\)"):
        target_of(values)
    with pytest.raises(DataError, match=r"row 3 .*3 of 6 \(taken for missing: empty cells, 'NA'\)"):
        target_of(values, missing=("NA",))
    with pytest.raises(DataError, match=r"missing in row 2 .*1 of 3"):
        target_of([0.5, -999, 2], missing=("-999",))


def test_dates_that_are_said_to_be_classes_are():
    assert target_of(["8:00", "9:30"], "multiclass").classes == ("8:00", "9:30")


@pytest.mark.parametrize(
    ("values", "task", "why"),
    [
        ([0.5, 1, 1], None, "the target has 2 distinct numbers"),
        (range(30), None, "the target has 30 distinct numbers"),
        ([3, 5, 3], None, "the target has 2 distinct numbers, all whole and at most 20"),
        (["a", "b", "c"], None, "the target has 3 distinct values, which are classes"),
        ([3, 5, 3], "regression", "data.task says so"),
    ],
)
def test_the_reason_for_the_task_is_kept(values, task, why):
    assert target_of(values, task).why == why
