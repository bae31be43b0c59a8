"""The training, validation and test split of a study's rows, prepared by the training rows."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.model_selection import train_test_split

from finetune.data.preparation import prepare_features
from finetune.data.sources import draws_rows, load_table
from finetune.data.target import Target, check_classes, prepare_target
from finetune.errors import DataError
from finetune.spec.data import DataSpec, TargetTask
from finetune.spec.seeds import Source, integer_seed, stream

# How many rows of a class the test split needs, and then the validation split.
_MIN_FOR_TEST, _MIN_FOR_VAL = 3, 2


@dataclass(frozen=True)
class Split:
    """One split of the rows.

    Attributes:
        x: Features, float64 (row, feature).
        y: Target (row,), as `Target.y`.
        index: Each row's position in the source, (row,).
    """

    x: np.ndarray
    y: np.ndarray
    index: np.ndarray


@dataclass(frozen=True)
class Splits:
    """The rows that fit the network, those that callbacks see, and those that results are from.

    Attributes:
        train, val, test: The three splits, which share no row.
        task: "binary", "multiclass" or "regression".
        classes: Names of the classes, which count from 0; empty for regression.
    """

    train: Split
    val: Split
    test: Split
    task: TargetTask
    classes: tuple[str, ...]

    @property
    def n_features(self) -> int:
        """Number of columns of every `x`."""
        return self.train.x.shape[1]

    @property
    def n_classes(self) -> int:
        """Number of classes; 0 for regression."""
        return len(self.classes)


def load_splits(spec: DataSpec, seed: int, *, vary: tuple[Source, ...] = ()) -> Splits:
    """Load the rows for one seed, split them, and turn them into numbers.

    The test rows are taken first and the validation rows from the rest, so that the test rows do
    not depend on `val_size`. Medians, means and deviations are those of the training rows.

    Raises:
        DataError: The source is unknown, cannot be read or refuses its arguments, a column or the
            target cannot be used, or a split would be empty or lack a class.
    """
    table = load_table(spec, random_state=_random_state(spec, seed, vary=vary))
    target = prepare_target(table.target, spec.task)
    features = prepare_features(table.features, spec)
    train, val, test = _split_rows(spec, target, _split_seed(spec, seed, vary=vary))
    check_classes(target, spec.task)
    transformer = features.transformer().fit(features.table.iloc[train])
    splits = (
        Split(np.asarray(transformer.transform(features.table.iloc[rows])), target.y[rows], rows)
        for rows in (train, val, test)
    )
    return Splits(*splits, task=target.task, classes=target.classes)


def _random_state(spec: DataSpec, seed: int, *, vary: tuple[Source, ...]) -> int | None:
    if "data" not in vary:
        # A generator without a random_state would draw other rows in every process.
        unset = spec.source.startswith("make_") and "random_state" not in spec.args
        return integer_seed(stream("data", seed, vary=vary)) if unset else None
    if not draws_rows(spec):
        raise DataError(
            f"vary: received 'data', but {spec.source} gives the same rows every time; allowed "
            "with it are generators, which draw rows by a random_state; leave 'data' out"
        )
    return integer_seed(stream("data", seed, vary=vary))


def _split_seed(spec: DataSpec, seed: int, *, vary: tuple[Source, ...]) -> int:
    if "split" not in vary:
        return spec.split_seed
    return integer_seed(stream("split", seed, vary=vary))


def _split_rows(spec: DataSpec, target: Target, seed: int) -> tuple[np.ndarray, ...]:
    """Return the positions of the training, validation and test rows, each (row,)."""
    if spec.stratify and target.task == "regression":
        raise DataError(
            "data.stratify: received true, but the target is numbers for regression; allowed with "
            'classes; leave it out, or say task = "multiclass"'
        )
    stratify = target if spec.stratified and target.task != "regression" else None
    rows = np.arange(len(target.y))
    rest, test = _split(
        rows, spec.test_size, seed=seed, key="test_size", stratify=stratify, needed=_MIN_FOR_TEST
    )
    # A count, since a share of the rest would round to one row more or less.
    count = max(1, round(spec.val_size * len(rows)))
    train, val = _split(
        rest, count, seed=seed, key="val_size", stratify=stratify, needed=_MIN_FOR_VAL
    )
    return train, val, test


def _split(
    rows: np.ndarray, size: float, *, seed: int, key: str, stratify: Target | None, needed: int
) -> list[np.ndarray]:
    """Split rows into those that stay and those taken: a share of them, or a count.

    `key` is the key of `[data]` that errors name; `needed` is how many rows of a class a
    stratified split needs.
    """
    y = None
    if stratify:
        y = stratify.y[rows]
        _check_counts(y, stratify.classes, needed=needed, key=key)
    try:
        stay_and_taken: Any = train_test_split(rows, test_size=size, random_state=seed, stratify=y)
    except ValueError as error:
        raise DataError(
            f"data.{key}: {len(rows)} rows cannot give up {size:g} of them: {error}"
        ) from error
    return stay_and_taken


def _check_counts(y: np.ndarray, classes: tuple[str, ...], *, needed: int, key: str) -> None:
    counts = np.bincount(y, minlength=len(classes))
    rarest = int(counts.argmin())
    if counts[rarest] < needed:
        raise DataError(
            f"data.target: the class {classes[rarest]!r} has {counts[rarest]} rows to split by "
            f"{key}; allowed are {needed} or more for a stratified split; add rows, join classes, "
            'say task = "regression" if it is a number, or stratify = false'
        )
