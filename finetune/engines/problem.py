"""The training problem of a study: rows, batch orders and random streams, for any backend."""

from collections.abc import Callable, Iterable
from copy import copy
from dataclasses import dataclass, replace
from typing import Any, Generic, Protocol, TypeVar

import numpy as np

from finetune.data.inputs import Rows, by_name, count_numbers, map_inputs
from finetune.data.splits import Split, Splits, load_splits
from finetune.errors import DataError
from finetune.models.class_weights import ClassWeights
from finetune.models.losses import (
    USUAL_LOSSES,
    check_loss_of_scaled,
    fitting_accuracy,
    fitting_loss,
)
from finetune.models.measured import check_measured
from finetune.models.metrics import fitting_metrics
from finetune.spec.seeds import Source, batch_order, stream
from finetune.spec.study import StudySpec

# Makes an array of other features, (row, ...), of those of some rows.
Features = Callable[[Any], np.ndarray]


@dataclass(frozen=True)
class Arrays:
    """One split as the network takes it, in the study's dtype: `x` (row, ...) and `y`.

    Of several inputs `x` has an array for each. Whole numbers that are not scaled stay whole.
    `weight` (row,) is what `data.weight`
    gives each row, where it names a column.
    """

    x: Rows
    y: np.ndarray
    weight: np.ndarray | None = None


@dataclass(frozen=True)
class SeedData:
    """The three splits of one seed.

    Attributes:
        target_scale: How much of the target's own unit a unit of every `y` is: what an error in
            units of `y` is multiplied by. 1 for classes, and for numbers that were not scaled.
    """

    train: Arrays
    val: Arrays
    test: Arrays
    target_scale: float = 1.0


class Problem:
    """What a study trains on; the same for every variant and every number of epochs.

    Attributes:
        spec: The study, with the loss, accuracy and metrics filled in that follow from its target.
        shape: Of a row; of several inputs the shape of each by its name.
        whole: Whether all features are whole numbers by their type, scaled or not; likewise.
        n_classes: Of the target; 0 for regression.

    Raises:
        SpecError: The loss, the accuracy, a metric or a class weight does not fit the target, or
            what is not measured with them is watched or claimed of.
        DataError: The data cannot be loaded or split.
    """

    def __init__(self, spec: StudySpec):
        splits = load_splits(spec.data, 0, vary=spec.vary)
        self.spec = _with_metrics(spec, splits)
        check_measured(self.spec)
        self.shape, self.n_classes = splits.shape, splits.n_classes
        self.whole = splits.whole
        self._features: Features | None = None
        self._class_weights = ClassWeights.of(spec.training.class_weight, splits.classes)
        self._first = self._arrays(splits)

    def varied(self, vary: tuple[Source, ...]) -> "Problem":
        """Return the same problem where other sources of randomness vary with the seed."""
        other = copy(self)
        other.spec = self.spec.model_copy(update={"vary": vary})
        other._first = other._arrays(load_splits(self.spec.data, 0, vary=vary))
        return other

    def with_ids(self, inputs: Iterable[str | None]) -> "Problem":
        """Return the same problem with whole numbers taken for ids, which are not scaled.

        Args:
            inputs: The names of those that hold ids; None stands for the only one.
        """
        data = self.spec.data.unscaled(inputs)
        return Problem(self.spec.model_copy(update={"data": data}))

    def with_features(self, features: Features) -> "Problem":
        """Return the same problem with other features of every row, made of those that it has.

        `shape` and `whole` still tell of the rows as they come.
        """
        other = copy(self)
        other._features = features
        first = (self._first.train, self._first.val, self._first.test)
        made = (replace(one, x=features(one.x)) for one in first)
        other._first = SeedData(*made, target_scale=self._first.target_scale)
        return other

    @property
    def data_varies(self) -> bool:
        """Whether each seed has its own rows."""
        return "data" in self.spec.vary or "split" in self.spec.vary

    @property
    def n_outputs(self) -> int:
        """Number of numbers that the network returns for a row."""
        return self.n_classes if self.spec.training.loss == USUAL_LOSSES["multiclass"] else 1

    @property
    def first_row(self) -> Rows:
        """The first training row of seed 0, (1, ...)."""
        return map_inputs(lambda x: x[:1], self._first.train.x)

    @property
    def training_rows(self) -> int:
        """Number of rows of data that a run of seed 0 trains on, and most others too."""
        return len(self._first.train.y)

    @property
    def bytes_of_data(self) -> int:
        """Size of one seed's rows."""
        splits = (self._first.train, self._first.val, self._first.test)
        features = sum(x.nbytes for arrays in splits for x in by_name(arrays.x).values())
        return features + sum(arrays.y.nbytes for arrays in splits)

    def data(self, seed: int) -> SeedData:
        """Return the rows of a seed.

        Raises:
            DataError: They do not fit the model, which is made for those of seed 0.
        """
        if not self.data_varies:
            return self._first
        splits = load_splits(self.spec.data, seed, vary=self.spec.vary)
        if (splits.shape, splits.n_classes) != (self.shape, self.n_classes):
            here, first = (
                f"{count_numbers(one.shape)} features and {one.n_classes} classes"
                for one in (splits, self)
            )
            raise DataError(
                f"data: seed {seed} has {here}, but seed 0 has {first}; allowed is the same for "
                "every seed, since they share one network"
            )
        return self._arrays(splits)

    def class_weight(self, train: Arrays) -> dict[int, float] | None:
        """Return the weight of each class, as `keras.Model.fit` takes it; None without any."""
        return self._class_weights and self._class_weights.by_class(train.y)

    def row_weights(self, train: Arrays) -> np.ndarray | None:
        """Return what each training row counts in the loss, (row,); None where all count alike."""
        by_class = self.class_weight(train)
        if by_class is None:
            return train.weight
        weights = np.array([by_class[label] for label in range(self.n_classes)])
        return weights[train.y.reshape(-1).astype(int)].astype(self.spec.training.dtype)

    def order(self, seed: int, *, rows: int, epochs: int, replicate: int) -> np.ndarray:
        """Return the batch order of a seed with so many training rows: int32, (epoch, row)."""
        sequence = stream("order", seed, vary=self.spec.vary, replicate=replicate)
        return batch_order(sequence, epochs=epochs, rows=rows)

    def initial_stream(self, seed: int) -> np.random.SeedSequence:
        """Return the stream of a seed's initial weights; every replicate starts from the same."""
        return stream("init", seed, vary=self.spec.vary)

    def noise_stream(self, seed: int, *, replicate: int) -> np.random.SeedSequence:
        """Return the stream of what is random in the steps of a seed, such as dropout masks."""
        return stream("order", seed, vary=self.spec.vary, replicate=replicate)

    def _arrays(self, splits: Splits) -> SeedData:
        typed = (self._typed(rows) for rows in (splits.train, splits.val, splits.test))
        return SeedData(*typed, target_scale=splits.target_scale)

    def _typed(self, rows: Split) -> Arrays:
        dtype = self.spec.training.dtype
        x = map_inputs(lambda one: _typed(one, dtype), rows.x)
        x = self._features(x) if self._features else x
        weight = None if rows.weight is None else rows.weight.astype(dtype)
        if self.spec.training.loss == USUAL_LOSSES["multiclass"]:
            return Arrays(x, rows.y.astype(np.int32), weight)
        # Losses of one output compare it with targets of the same shape, (row, 1).
        return Arrays(x, rows.y.astype(dtype)[:, None], weight)


def _typed(x: np.ndarray, dtype: str) -> np.ndarray:
    """Return features in a floating-point type; whole numbers as Keras's layers take ids."""
    if x.dtype.kind == "f":
        return x.astype(dtype)
    fits = np.iinfo(np.int32).min <= x.min(initial=0) and x.max(initial=0) <= np.iinfo(np.int32).max
    return x.astype(np.int32 if fits else np.int64)


class MadeForProblem(Protocol):
    """What is made for a problem, and serves it whichever sources vary."""

    problem: Problem


T = TypeVar("T", bound=MadeForProblem)


class Prepared(Generic[T]):
    """Keeps what was made for a problem until another problem comes, since making it is slow.

    Args:
        make: Builds and traces what trains the problem.
    """

    def __init__(self, make: Callable[[Problem], T]):
        self._make = make
        self._made: tuple[str, T] | None = None

    def for_problem(self, spec: StudySpec) -> T:
        """Return what was made for the problem of this study; make it if there is none."""
        # Neither what varies nor the number of epochs is in a traced graph: the blocks of a plan
        # that differ in these alone share one.
        key = spec.model_copy(update={"vary": ()}).with_epochs(1).problem
        if self._made is None or self._made[0] != key:
            self._made = key, self._make(Problem(spec))
        made = self._made[1]
        if made.problem.spec.vary != spec.vary:
            made.problem = made.problem.varied(spec.vary)
        return made


def _with_metrics(spec: StudySpec, splits: Splits) -> StudySpec:
    loss = fitting_loss(spec.training.loss, task=splits.task, n_classes=splits.n_classes)
    if splits.summary.target_scale:
        check_loss_of_scaled(loss)
    accuracy = fitting_accuracy(spec.training.accuracy, task=splits.task, loss=loss)
    metrics = fitting_metrics(spec.training.metrics, task=splits.task, loss=loss)
    filled = {"loss": loss, "accuracy": accuracy, "metrics": metrics}
    training = spec.training.model_copy(update=filled)
    return spec.model_copy(update={"training": training})
