"""The training, validation and test split of a study's rows, prepared by the training rows."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from finetune.data.cells import TextRules
from finetune.data.groups import prepare_groups
from finetune.data.input_features import InputFeatures, read_features
from finetune.data.inputs import OfInputs, Rows, Shapes, count_numbers, row_shapes
from finetune.data.partition import Kinship, check_every_class, count_rows, split_rows
from finetune.data.preparation import Features
from finetune.data.reading import TableReading
from finetune.data.shaped import ShapedFeatures
from finetune.data.sources import draws_rows, load_table
from finetune.data.summary import DataSummary, SplitCount, TargetScale
from finetune.data.target import Target, check_classes, prepare_target
from finetune.data.target_scale import standardise, target_scale
from finetune.data.times import prepare_times
from finetune.data.weights import check_any_counts, prepare_weights
from finetune.errors import DataError
from finetune.spec.data import DataSpec, TargetTask
from finetune.spec.seeds import Source, integer_seed, stream
from finetune.usercode.files import find_file


@dataclass(frozen=True)
class Split:
    """One split of the rows.

    Attributes:
        x: Features, float64 (row, feature) or (row, ...), or whole numbers that are not scaled; of
            several inputs such an array for each.
        y: Target (row,), as `Target.y`; for regression in units of `DataSummary.target_scale`.
        index: Each row's position in the source, (row,).
        weight: What each row counts in the training loss, float64 (row,); None where all count
            alike.
    """

    x: Rows
    y: np.ndarray
    index: np.ndarray
    weight: np.ndarray | None = None


@dataclass(frozen=True)
class Splits:
    """The rows that fit the network, those that callbacks see, and those that results are from.

    Attributes:
        train, val, test: The three splits, which share no row.
        summary: What was resolved: the task and why, the counts, how the table was read.
        whole: Whether all features are whole numbers by their type, or those of each input.
    """

    train: Split
    val: Split
    test: Split
    summary: DataSummary
    whole: OfInputs[bool] = False

    @property
    def task(self) -> TargetTask:
        """Which task the target sets: "binary", "multiclass" or "regression"."""
        return self.summary.task

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes, which count from 0; empty for regression."""
        return self.summary.classes

    @property
    def reading(self) -> TableReading:
        """How the table was read."""
        return self.summary.reading

    @property
    def target_scale(self) -> float:
        """How much of the target's own unit a unit of every `y` is; 1 where it was not scaled."""
        scale = self.summary.target_scale
        return scale.scale if scale else 1.0

    @property
    def shape(self) -> Shapes:
        """The shape of a row of every `x`."""
        return row_shapes(self.train.x)

    @property
    def n_features(self) -> int:
        """How many numbers a row of every `x` holds."""
        return count_numbers(self.shape)

    @property
    def n_classes(self) -> int:
        """Number of classes; 0 for regression."""
        return len(self.classes)


def load_splits(spec: DataSpec, seed: int, *, vary: tuple[Source, ...] = ()) -> Splits:
    """Load the rows for one seed, split them, and turn them into numbers.

    The test rows are taken first and the validation rows from the rest, so that the test rows do
    not depend on `val_size`. Medians, means and deviations are those of the training rows, for the
    target too.

    Raises:
        DataError: The source is unknown, cannot be read or refuses its arguments, columns or the
            target cannot be used, or a split would be empty or lack a class.
    """
    parted = _part(spec, seed, vary=vary)
    features = parted.prepared.features
    splits = [
        Split(x, parted.y[rows], rows, _weight_of(parted.prepared, rows))
        for x, rows in zip(features.arrays(parted.rows), parted.rows, strict=True)
    ]
    return Splits(*splits, summary=parted.summary, whole=features.whole)


@dataclass(frozen=True)
class TargetSplits:
    """The target of each split, (row,) as `Split.y`, without the features."""

    train: np.ndarray
    val: np.ndarray
    test: np.ndarray
    summary: DataSummary


def load_targets(spec: DataSpec, seed: int, *, vary: tuple[Source, ...] = ()) -> TargetSplits:
    """Load the targets that `load_splits` loads, turning no features into numbers.

    Raises:
        DataError: As `load_splits`.
    """
    parted = _part(spec, seed, vary=vary)
    return TargetSplits(*(parted.y[rows] for rows in parted.rows), summary=parted.summary)


@dataclass(frozen=True)
class _Parted:
    """All rows of a study, and which split each is in.

    Attributes:
        prepared: The rows.
        y: Their target (row,), scaled.
        rows: The positions of the training, validation and test rows, each (row,).
        summary: What was resolved.
    """

    prepared: "_Prepared"
    y: np.ndarray
    rows: tuple[np.ndarray, ...]
    summary: DataSummary


def _part(spec: DataSpec, seed: int, *, vary: tuple[Source, ...]) -> _Parted:
    prepared = _prepare(spec, random_state=_random_state(spec, seed, vary=vary))
    target, kinship = prepared.target, prepared.kinship
    parts = split_rows(spec, target, _split_seed(spec, seed, vary=vary), kinship=kinship)
    check_classes(target, spec.task)
    counts = count_rows(target, parts, kinship=kinship)
    check_every_class(counts, target, spec, seed=seed if {"split", "data"} & set(vary) else None)
    if prepared.weight is not None:
        weight = prepared.weight[parts[0]]
        check_any_counts(weight, name=str(spec.weight), where="in every training row")
    scaled = spec.scale_target and target.task == "regression"
    scale = target_scale(target.y[parts[0]]) if scaled else None
    y = standardise(target.y, scale) if scale else target.y
    return _Parted(prepared, y, parts, _summary(prepared, counts, scale=scale))


@dataclass(frozen=True)
class _Prepared:
    """All rows of a study, not yet split."""

    target: Target
    features: Features | ShapedFeatures | InputFeatures
    delimiter: str | None
    weight: np.ndarray | None
    kinship: Kinship


def _weight_of(prepared: _Prepared, rows: np.ndarray) -> np.ndarray | None:
    return None if prepared.weight is None else prepared.weight[rows]


def _prepare(spec: DataSpec, *, random_state: int | None) -> _Prepared:
    if spec.kind != "file":
        return _prepare_now(spec, random_state=random_state)
    file, content = find_file(spec, spec.source, field="data.source", error=DataError)
    return _prepare_file(spec, file, content)


@lru_cache(maxsize=1)
def _prepare_file(spec: DataSpec, file: Path, content: str) -> _Prepared:
    # Every seed with a split of its own needs the same rows; the path and `content`, the file's
    # SHA-256, are arguments so that another or a changed file is read anew.
    return _prepare_now(spec, random_state=None)


def _prepare_now(spec: DataSpec, *, random_state: int | None) -> _Prepared:
    table = load_table(spec, random_state=random_state)
    rules = TextRules.of(spec)
    target = prepare_target(table.target, spec.task, rules=rules)
    beside = {
        key: _PREPARE[key](column, name=spec.beside[key], rules=rules)
        for key, column in table.beside.items()
    }
    return _Prepared(
        target,
        read_features(table.features, spec),
        table.delimiter,
        beside.get("weight"),
        Kinship(beside.get("groups"), beside.get("time")),
    )


_PREPARE = {"weight": prepare_weights, "groups": prepare_groups, "time": prepare_times}


def _summary(
    prepared: _Prepared, counts: tuple[SplitCount, ...], *, scale: TargetScale | None
) -> DataSummary:
    target = prepared.target
    reading = TableReading(target.reading, prepared.features.reading, prepared.delimiter)
    return DataSummary(target.task, target.why, target.classes, counts, reading, scale)


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
