"""Metrics as a study names them: known ones, once each, and which way is better."""

import pytest

from finetune.errors import SpecError
from finetune.spec.metrics import (
    METRICS,
    REGRESSION_METRICS,
    further_columns,
    higher_is_better,
    metric_columns,
    metric_of,
)
from tests.small_studies import small_study


@pytest.mark.parametrize(
    ("column", "higher"),
    [
        ("loss", False),
        ("val_loss", False),
        ("test_accuracy", True),
        ("val_auc", True),
        ("train_r2", True),
        ("test_mae", False),
        ("val_log_loss", False),
        ("test_mean_squared_error", False),
        ("val_sparse_top_k_categorical_accuracy", True),
        ("val_pearson_correlation", True),
    ],
)
def test_which_way_is_better_is_known(column, higher):
    assert higher_is_better(column) == higher


def test_columns_are_those_of_each_split():
    columns = metric_columns(("auc", "log_loss"))
    assert columns == (
        "train_auc", "val_auc", "test_auc", "train_log_loss", "val_log_loss", "test_log_loss",
    )  # fmt: skip
    others = ["variant", "train_loss", "val_accuracy", "epochs_run", "auc", "test_luck"]
    assert further_columns([*others, *columns]) == columns
    assert {metric_of(name) for name in columns} == {"auc", "log_loss"}


@pytest.mark.parametrize(
    ("override", "parts"),
    [
        ('training.metrics=["auk"]', ["training.metrics.0", "'auk'", "allowed are auc", "'auc'?"]),
        ('training.metrics=["auc", "f1", "auc"]', ["metrics names 'auc' 2 times", "once"]),
        ("training.metrics=auc", ["training.metrics", "'auc'", "an array"]),
        (
            "variants.2.reduce_lr.monitor=val_auk",
            ["variants.2.reduce_lr.monitor", "'val_auk'", "allowed are 'val_loss'", "'val_auc'?"],
        ),
        ("training.class_weight=balance", ["training.class_weight", "'balance'", '"balanced"']),
        ("training.class_weight={a=-1.0}", ["training.class_weight", "received -1.0", "0 or more"]),
        ("training.class_weight={a='x'}", ["training.class_weight", "received 'x'", "a table"]),
        ("training.class_weight={a=0, b=0.0}", ["training.class_weight", "not all 0"]),
        ("training.class_weight={}", ["training.class_weight", "received {}"]),
        ("data.weight=", ["data.weight", "allowed is text with"]),
        ("data.class_weight=balanced", ["it is class_weight under [training]"]),
        ("data.sample_weight=w", ["it is weight, a column's name"]),
    ],
)
def test_a_mistake_is_told_in_one_line(override, parts):
    with pytest.raises(SpecError) as caught:
        small_study(override)
    assert "\n" not in str(caught.value)
    assert all(part in str(caught.value) for part in parts), str(caught.value)


def test_rows_are_weighed_in_one_way():
    with pytest.raises(SpecError, match=r"data.weight and training.class_weight .* one of the two"):
        small_study("data.weight=w", "training.class_weight=balanced")


@pytest.mark.parametrize("key", ["target", "drop", "categorical"])
def test_the_weight_is_a_column_of_its_own(key):
    with pytest.raises(SpecError, match=f"weight and {key} both name 'w'"):
        small_study("data.weight=w", f"data.{key}={'w' if key == 'target' else ['w']}")


def test_metrics_are_in_the_recipe_whatever_their_order_but_where_they_are_the_default():
    def recipe(*overrides: str) -> str:
        spec = small_study(*overrides)
        return spec.recipe(spec.variants[0], "population")

    usual, further = recipe(), recipe('training.metrics=["auc", "f1"]')
    assert further != usual
    assert recipe('training.metrics=["f1", "auc"]') == further
    assert recipe('training.metrics=["auc"]') not in (usual, further)
    assert recipe(f"training.metrics={list(REGRESSION_METRICS)}") == usual
    weighed = recipe("training.class_weight=balanced"), recipe("data.weight=w")
    assert len({usual, *weighed, recipe("training.class_weight={'0'=2}")}) == 4


def test_every_metric_fits_some_task():
    assert all(metric.tasks for metric in METRICS.values())
