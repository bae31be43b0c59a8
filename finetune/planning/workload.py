"""The size of a study's data and network, where the study file says it."""

import math
from itertools import pairwise
from typing import Any

from finetune.engines.base import FOUNDING_WORKLOAD, Workload
from finetune.spec.data import DataSpec
from finetune.spec.study import StudySpec

# Rows and features of the data sets that come with scikit-learn.
_LOADERS: dict[str, tuple[int, int]] = {
    "load_breast_cancer": (569, 30),
    "load_diabetes": (442, 10),
    "load_digits": (1797, 64),
    "load_iris": (150, 4),
    "load_linnerud": (20, 3),
    "load_wine": (178, 13),
}


def data_shape(data: DataSpec) -> tuple[int, int] | None:
    """Return the number of rows and of features; None where only the data themselves tell."""
    if data.kind != "sklearn" or data.source in _LOADERS:
        return _LOADERS.get(data.source)
    # The defaults of scikit-learn's generators.
    usual = 20 if data.source == "make_classification" else 2
    rows: Any = data.args.get("n_samples", 100)
    # A list counts the rows of each class.
    rows = sum(rows) if isinstance(rows, list) and all(map(_is_count, rows)) else rows
    features = data.args.get("n_features", usual)
    return (rows, features) if _is_count(rows) and _is_count(features) else None


def _is_count(value: Any) -> bool:
    return type(value) is int and 0 <= value < 10**15


def count_weights(spec: StudySpec, n_features: int) -> int | None:
    """Return the number of weights of the default network; None where the user brings one."""
    if spec.model.factory or spec.model.architecture:
        return None
    sizes = (n_features, *spec.model.hidden, 1)
    return sum((size + 1) * units for size, units in pairwise(sizes))


def training_workload(spec: StudySpec, n_rows: int, n_weights: int | None) -> Workload:
    """Return the workload of a run, with the founding study's weights where none are known."""
    share = 1 - spec.data.test_size - spec.data.val_size
    return Workload(
        n_rows=max(1, math.ceil(n_rows * share)),
        n_weights=n_weights or FOUNDING_WORKLOAD.n_weights,
        batch_size=spec.training.batch_size,
    )
