"""Metrics beside loss and accuracy: their names, which way is better, and what targets they fit.

A new metric is a line in `METRICS` and a function in `engines.metrics`, which computes it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated

from pydantic import AfterValidator, Field

from finetune.spec.data import TargetTask
from finetune.spec.nearest import did_you_mean

SPLITS = ("train", "val", "test")

# What is measured of a regression beside its loss where the study names no metrics.
REGRESSION_METRICS = ("mae", "rmse", "r2")


@dataclass(frozen=True)
class Metric:
    """What is known of a metric before anything is trained.

    Attributes:
        tasks: The tasks that it is defined for.
        higher_is_better: Whether a larger value is better.
        of_probabilities: Whether the network must return probabilities.
        in_target_unit: Whether it is told in the target's own unit, scaled though the target is.
    """

    tasks: tuple[TargetTask, ...]
    higher_is_better: bool = False
    of_probabilities: bool = False
    in_target_unit: bool = False


_CLASSES: tuple[TargetTask, ...] = ("binary", "multiclass")
_ONE_OUTPUT: tuple[TargetTask, ...] = ("binary", "regression")

OWN_METRICS: Mapping[str, Metric] = {
    "auc": Metric(_CLASSES, higher_is_better=True),
    **dict.fromkeys(
        ("f1", "precision", "recall", "balanced_accuracy"),
        Metric(_CLASSES, higher_is_better=True, of_probabilities=True),
    ),
    "log_loss": Metric(_CLASSES, of_probabilities=True),
    **dict.fromkeys(("mae", "rmse"), Metric(("regression",), in_target_unit=True)),
    "r2": Metric(("regression",), higher_is_better=True),
}

# The functions of `keras.metrics` of (y, predicted); tests/contracts/test_upstream.py says whether
# these are all.
KERAS_METRICS: Mapping[str, Metric] = {
    **dict.fromkeys(
        (
            "huber", "log_cosh", "mean_absolute_error", "mean_absolute_percentage_error",
            "mean_squared_error", "mean_squared_logarithmic_error", "poisson",
        ),
        Metric(_ONE_OUTPUT),
    ),
    **dict.fromkeys(
        ("concordance_correlation", "pearson_correlation"),
        Metric(_ONE_OUTPUT, higher_is_better=True),
    ),
    **dict.fromkeys(("hinge", "squared_hinge"), Metric(("binary",))),
    "binary_accuracy": Metric(("binary",), higher_is_better=True, of_probabilities=True),
    **dict.fromkeys(
        ("binary_crossentropy", "binary_focal_crossentropy"),
        Metric(("binary",), of_probabilities=True),
    ),
    **dict.fromkeys(
        (
            "categorical_accuracy", "sparse_categorical_accuracy",
            "sparse_top_k_categorical_accuracy", "top_k_categorical_accuracy",
        ),
        Metric(("multiclass",), higher_is_better=True),
    ),
    **dict.fromkeys(
        (
            "categorical_crossentropy", "categorical_focal_crossentropy", "categorical_hinge",
            "kl_divergence", "sparse_categorical_crossentropy",
        ),
        Metric(("multiclass",)),
    ),
}  # fmt: skip

METRICS: Mapping[str, Metric] = {**OWN_METRICS, **KERAS_METRICS}


def metric_columns(metrics: Iterable[str]) -> tuple[str, ...]:
    """Return the columns of some metrics, as `train_auc, val_auc, test_auc`."""
    return tuple(f"{split}_{name}" for name in metrics for split in SPLITS)


def further_columns(columns: Iterable[str]) -> tuple[str, ...]:
    """Return those of some columns that are of `METRICS`, in their order."""
    return tuple(name for name in columns if name != metric_of(name) and metric_of(name) in METRICS)


def metric_of(column: str) -> str:
    """Return the metric that a column holds, as "auc" of `val_auc` and "loss" of `loss`."""
    split, _, name = column.partition("_")
    return name if split in SPLITS else column


def higher_is_better(column: str) -> bool | None:
    """Return whether a larger value of a column is better, as of `val_auc`; None if not known."""
    name = metric_of(column)
    if name in METRICS:
        return METRICS[name].higher_is_better
    return {"loss": False, "accuracy": True, "epochs_run": False}.get(name)


def in_target_unit(column: str) -> bool:
    """Return whether a column, as `val_mae`, is told in the target's own unit."""
    name = metric_of(column)
    return name in METRICS and METRICS[name].in_target_unit


def _check_known(name: str) -> str:
    if name not in METRICS:
        raise ValueError(
            f"received {name!r}; allowed are {', '.join(OWN_METRICS)} and the functions of "
            f"keras.metrics, as 'mean_squared_error'{did_you_mean(name, METRICS)}"
        )
    return name


MetricName = Annotated[
    str, AfterValidator(_check_known), Field(json_schema_extra={"enum": [*METRICS]})
]


_MONITORED = ("val_loss", "val_accuracy", "loss", *(f"val_{metric}" for metric in METRICS))


def _check_monitored(name: str) -> str:
    if name not in _MONITORED:
        raise ValueError(
            f"received {name!r}; allowed are 'val_loss', 'val_accuracy', 'loss' and val_ before a "
            f"metric that training.metrics names, as 'val_auc'{did_you_mean(name, _MONITORED)}"
        )
    return name


Monitor = Annotated[
    str, AfterValidator(_check_monitored), Field(json_schema_extra={"enum": [*_MONITORED]})
]
