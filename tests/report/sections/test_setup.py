"""What was run: the words that depend on the study; the rest stands in the golden report."""

import pytest

from finetune.report.sections.setup import setup
from finetune.spec.data import DataSpec
from tests.made_study import VARIANTS, make_study


def test_callbacks_that_differ_in_min_delta_are_pointed_out():
    assert (
        '**Mind `min_delta`** (Keras\'s defaults differ: 0 and 0.0001). In "both" early'
        in setup(make_study(seeds=1).spec)
    )
    both = VARIANTS[3] | {"early_stopping": {"patience": 2, "min_delta": 1e-4}}
    assert "Mind" not in setup(make_study(variants=[both]).spec)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (
            {"source": "people.csv", "target": "plan", "drop": ("id",), "categorical": ("zip",)},
            [
                "`people.csv`, target `plan`; 60 % training",
                "every class by its share where the target is classes)",
                "never the test rows. Left out: `id`. Columns of numbers are imputed",
                "columns of text and booleans and `zip` are one-hot encoded",
            ],
        ),
        (
            {"source": "own:load", "args": {"n": 3}, "task": "multiclass"},
            ["`own:load(n=3)`, for several classes; ", "every class by its share)"],
        ),
        ({"source": "own:load", "task": "regression"}, ["for regression; ", "(split seed 42)."]),
        ({"source": "load_iris", "stratify": False}, ["`load_iris`; 60 %", "test rows.\n"]),
        (
            {"source": "visits.csv", "groups": "patient"},
            [
                "20 % test of the groups that `patient` names (split seed 42). No group has rows",
                "in two of them, and the column is no feature. The callbacks see",
            ],
        ),
        (
            {"source": "visits.csv", "time": "day"},
            ["20 % test (the latest by `day` for test, those before them for validation). Rows"],
        ),
    ],
)
def test_the_data_are_described_by_what_the_study_sets(data, expected):
    body = setup(make_study().spec.model_copy(update={"data": DataSpec(**data)}))
    assert [words for words in expected if words not in body] == []


@pytest.mark.parametrize(
    ("vary", "changed", "scope"),
    [
        (("init", "order"), "the initial weights and the order of the", "one data set and one"),
        (("split",), "the split of the rows.", "all runs share one data set."),
        (("init", "data"), "and the data set.", "not about other kinds of data"),
        ((), "nothing.", "one data set and one split"),
    ],
)
def test_the_scope_follows_from_what_varies(vary, changed, scope):
    body = setup(make_study(seeds=1, vary=vary).spec)
    assert changed in body
    assert scope in body
