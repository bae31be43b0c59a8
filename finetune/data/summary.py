"""What came of a study's data, for a report; the manifest keeps it, so it loads nothing heavy."""

from dataclasses import dataclass
from typing import Literal

from finetune.data.reading import ColumnReading, TableReading
from finetune.spec.data import TargetTask

# What is predicted for every row: the mean or the median of the training rows' target, or the
# shares of its classes.
Constant = Literal["mean", "median", "shares"]


@dataclass(frozen=True)
class TargetScale:
    """What a target for regression was standardised by.

    Attributes:
        mean: Of the training rows, in the target's own unit.
        scale: Their standard deviation, likewise; 1 where they are all the same.
    """

    mean: float
    scale: float


@dataclass(frozen=True)
class SplitCount:
    """The rows of one split.

    Attributes:
        name: "training", "validation" or "test".
        rows: Number of rows.
        of_class: How many of them each class has, in the order of the classes; empty for
            regression.
        kinship: By what rows were kept together, in words, as "12 groups" or "2019 to 2021"; empty
            where each row was split by itself.
    """

    name: str
    rows: int
    of_class: tuple[int, ...]
    kinship: str = ""


@dataclass(frozen=True)
class DataSummary:
    """What was resolved when the data of a seed were loaded.

    Attributes:
        task: "binary", "multiclass" or "regression".
        why: Why it is this task, as "the target has 312 distinct numbers".
        classes: Names of the classes, in order; empty for regression.
        splits: The training, validation and test rows.
        reading: How the table was read.
        target_scale: What a target for regression was standardised by; None where it was not.
    """

    task: TargetTask
    why: str
    classes: tuple[str, ...]
    splits: tuple[SplitCount, ...]
    reading: TableReading
    target_scale: TargetScale | None = None

    @property
    def shaped(self) -> bool:
        """Whether rows came as arrays, or were given a shape, instead of columns one by one."""
        return any(column.of_array for column in self.reading.columns)

    @property
    def inputs(self) -> dict[str, list[ColumnReading]]:
        """The columns and arrays of each input by its name; empty where there is one input."""
        found: dict[str, list[ColumnReading]] = {}
        for column in self.reading.columns:
            if column.input:
                found.setdefault(column.input, []).append(column)
        return found

    @property
    def n_features(self) -> int:
        """Number of columns of numbers that the network gets."""
        return sum(column.features for column in self.reading.columns)


@dataclass(frozen=True)
class Baselines:
    """What a constant prediction learned from the training rows reaches.

    Attributes:
        constant: What it predicts; None where no formula tells which is best under the loss.
        train_loss, val_loss, test_loss: (seed,) from seed 0, or of length 1 where all seeds share
            their rows; empty where `constant` is None.
    """

    constant: Constant | None
    train_loss: tuple[float, ...]
    val_loss: tuple[float, ...]
    test_loss: tuple[float, ...]
