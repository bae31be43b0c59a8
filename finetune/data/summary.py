"""What came of a study's data, for a report: the task, the rows of each split, the columns."""

from dataclasses import dataclass

import numpy as np

from finetune.data.reading import TableReading
from finetune.spec.data import TargetTask


@dataclass(frozen=True)
class SplitCount:
    """The rows of one split.

    Attributes:
        name: "training", "validation" or "test".
        rows: Number of rows.
        of_class: How many of them each class has, in the order of the classes; empty for
            regression.
    """

    name: str
    rows: int
    of_class: tuple[int, ...]


@dataclass(frozen=True)
class DataSummary:
    """What was resolved when the data of a seed were loaded.

    Attributes:
        task: "binary", "multiclass" or "regression".
        why: Why it is this task, as "the target has 312 distinct numbers".
        classes: Names of the classes, in order; empty for regression.
        splits: The training, validation and test rows.
        n_features: Number of columns of numbers that the network gets.
        reading: How the table was read.
    """

    task: TargetTask
    why: str
    classes: tuple[str, ...]
    splits: tuple[SplitCount, ...]
    n_features: int
    reading: TableReading


def count_split(name: str, y: np.ndarray, *, n_classes: int) -> SplitCount:
    """Count the rows of a split by its target `y` (row,), as `Target.y`."""
    counts = np.bincount(y, minlength=n_classes) if n_classes else ()
    return SplitCount(name, len(y), tuple(int(count) for count in counts))
