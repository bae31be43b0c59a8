"""Which rows are for training, validation and test: drawn, counted by class, and checked."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.model_selection import train_test_split

from finetune.data.groups import split_by_group
from finetune.data.summary import SplitCount
from finetune.data.target import Target
from finetune.data.times import split_by_time, time_span
from finetune.errors import DataError
from finetune.spec.data import DataSpec

# How many rows of a class the test split needs, and then the validation split.
_MIN_FOR_TEST, _MIN_FOR_VAL = 3, 2


@dataclass(frozen=True)
class Kinship:
    """What keeps rows together in a split, each (row,): their groups or times; None without any."""

    groups: np.ndarray | None = None
    times: np.ndarray | None = None

    def in_words(self, rows: np.ndarray) -> str:
        """Say which groups or times some rows (row,) have; nothing without any."""
        if self.groups is not None:
            count = len(np.unique(self.groups[rows]))
            return f"{count:,} group{'s' * (count != 1)}"
        return "" if self.times is None else time_span(self.times[rows])


def split_rows(
    spec: DataSpec, target: Target, seed: int, *, kinship: Kinship
) -> tuple[np.ndarray, ...]:
    """Return the positions of the training, validation and test rows, each (row,).

    Raises:
        DataError: There are too few rows, or too few of a class, or no classes to stratify by.
    """
    if kinship.times is not None:
        return split_by_time(spec, kinship.times)
    if kinship.groups is not None:
        return split_by_group(spec, kinship.groups, seed)
    if spec.stratify and target.task == "regression":
        raise DataError(
            f"data.stratify: received true, but this is regression ({target.why}); allowed with "
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
            f"{key}; allowed are {needed} or more for a stratified split, so that every split has "
            'some; add rows, join classes, or say task = "regression" if it is a number'
        )


def count_rows(
    target: Target, parts: tuple[np.ndarray, ...], *, kinship: Kinship
) -> tuple[SplitCount, ...]:
    """Count the rows of each split, and those of each class in it."""
    names = ("training", "validation", "test")
    return tuple(
        SplitCount(name, len(rows), _count_classes(target, rows), kinship.in_words(rows))
        for name, rows in zip(names, parts, strict=True)
    )


def _count_classes(target: Target, rows: np.ndarray) -> tuple[int, ...]:
    n_classes = len(target.classes)
    counts = np.bincount(target.y[rows], minlength=n_classes) if n_classes else ()
    return tuple(int(count) for count in counts)


def check_every_class(
    counts: tuple[SplitCount, ...], target: Target, spec: DataSpec, *, seed: int | None
) -> None:
    """Raise DataError where a split lacks a class; `seed` is that of the split, if it has one."""
    for name, of_class in zip(target.classes, _by_class(counts), strict=True):
        if not all(of_class.values()):
            train, val, test = (f"{rows} {split}" for split, rows in of_class.items())
            when = "" if seed is None else f" at seed {seed}"
            raise DataError(
                f"data.target: the class {name!r} has {train}, {val} and {test} rows{when}; "
                f"allowed is every class in every split; {_remedy(of_class, spec)}"
            )


def _by_class(counts: tuple[SplitCount, ...]) -> list[dict[str, int]]:
    """Return the rows of each class by the name of the split."""
    names = [count.name for count in counts]
    columns = zip(*(count.of_class for count in counts), strict=True)
    return [dict(zip(names, rows, strict=True)) for rows in columns]


def _remedy(of_class: dict[str, int], spec: DataSpec) -> str:
    always = "add rows, or join classes"
    if sum(of_class.values()) < _MIN_FOR_TEST:
        return always
    if spec.groups or spec.time:
        return f"change test_size or val_size, {always}"
    if not spec.stratified:
        return f"say stratify = true, {always}"
    keys = {"training": "lower test_size or val_size", "validation": "raise val_size"}
    lacking = next(split for split, rows in of_class.items() if not rows)
    return f"{keys.get(lacking, 'raise test_size')}, {always}"
