"""What is minimised and measured: model, loss, accuracy and optimizer, as Keras has them."""

from collections.abc import Callable
from copy import copy
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

import keras
import numpy as np

from finetune.data.splits import Split, Splits, load_splits
from finetune.errors import DataError, SpecError
from finetune.models.initial_values import SeededModel
from finetune.models.losses import fitting_loss, is_classification
from finetune.models.network import build_model
from finetune.spec.data import TargetTask
from finetune.spec.seeds import Source, batch_order, stream
from finetune.spec.study import StudySpec
from finetune.spec.training import TrainingSpec
from finetune.usercode.keras_config import check_config

Measure = Callable[[Any, Any], Any]
T = TypeVar("T", bound="OfProblem")


@dataclass(frozen=True)
class Arrays:
    """One split as the network takes it: `x` (row, feature) and `y` in the study's dtype."""

    x: np.ndarray
    y: np.ndarray


@dataclass(frozen=True)
class SeedData:
    """The three splits of one seed."""

    train: Arrays
    val: Arrays
    test: Arrays


class Problem:
    """A study's training problem; builds one model, whose weights any seed can be given.

    It is the same for every number of epochs. Its `spec` says the loss, where the study leaves it
    to the task.

    Make and use it inside `models.precision(spec.training.dtype)`.

    Raises:
        SpecError: Keras knows no such loss or optimizer, or refuses its arguments, or the loss
            does not fit the target.
        DataError: The data cannot be loaded or split.
    """

    def __init__(self, spec: StudySpec):
        splits = load_splits(spec.data, 0, vary=spec.vary)
        spec = _with_loss(spec, splits)
        self.spec = spec
        self._shape = _shape(splits)
        self._first = self._arrays(splits)
        self.seeded = SeededModel(
            lambda: build_model(
                spec.model,
                spec.training,
                n_features=splits.n_features,
                n_classes=splits.n_classes,
            )
        )
        self.model = self.seeded.model
        self.loss = _loss(str(spec.training.loss))
        self.counted = _count_of(spec.training, task=splits.task)
        self.accuracy = _mean(self.counted)

    def varied(self, vary: tuple[Source, ...]) -> "Problem":
        """Give the same problem, on the same model, where other sources vary with the seed."""
        other = copy(self)
        other.spec = self.spec.model_copy(update={"vary": vary})
        other._first = other._arrays(load_splits(self.spec.data, 0, vary=vary))
        return other

    @property
    def data_varies(self) -> bool:
        """Whether each seed has its own rows."""
        return "data" in self.spec.vary or "split" in self.spec.vary

    @property
    def training_rows(self) -> int:
        """Number of rows of data that a run trains on."""
        return len(self._first.train.y)

    @property
    def bytes_of_data(self) -> int:
        """Size of one seed's rows."""
        splits = (self._first.train, self._first.val, self._first.test)
        return sum(arrays.x.nbytes + arrays.y.nbytes for arrays in splits)

    def data(self, seed: int) -> SeedData:
        """Give the rows of a seed.

        Raises:
            DataError: They do not fit the model, which is made for those of seed 0.
        """
        if not self.data_varies:
            return self._first
        splits = load_splits(self.spec.data, seed, vary=self.spec.vary)
        if _shape(splits) != self._shape:
            raise DataError(
                f"data: seed {seed} has {_shape(splits)}, but seed 0 has {self._shape}; allowed is "
                "the same for every seed, since they share one network"
            )
        return self._arrays(splits)

    def order(self, seed: int, *, epochs: int, replicate: int) -> np.ndarray:
        """Give the batch order of a seed: int32, (epoch, training row)."""
        sequence = stream("order", seed, vary=self.spec.vary, replicate=replicate)
        return batch_order(sequence, epochs=epochs, rows=self.training_rows)

    def initial_values(self, seed: int, *, replicate: int) -> list[np.ndarray]:
        """Draw the initial values of all of the model's variables for a seed."""
        vary = self.spec.vary
        noise = stream("order", seed, vary=vary, replicate=replicate)
        return self.seeded.initial_values(stream("init", seed, vary=vary), noise)

    def optimizer(self) -> keras.Optimizer:
        """Give a fresh optimizer."""
        spec = self.spec.training.optimizer
        config = {"learning_rate": spec.learning_rate, **spec.args}
        check_config(spec.args, field="training.optimizer.args", error=SpecError)
        try:
            return keras.optimizers.get({"class_name": spec.name, "config": config})
        # Wrong arguments make Keras raise all kinds of exceptions.
        except Exception as error:
            said = (str(error).splitlines() or [type(error).__name__])[0]
            raise SpecError(
                f"training.optimizer: Keras refuses {spec.name!r} with {config}: {said}; allowed "
                "is the name of a class in keras.optimizers and its arguments"
            ) from error

    def _arrays(self, splits: Splits) -> SeedData:
        return SeedData(*(self._typed(rows) for rows in (splits.train, splits.val, splits.test)))

    def _typed(self, rows: Split) -> Arrays:
        dtype = self.spec.training.dtype
        if self.spec.training.loss == "sparse_categorical_crossentropy":
            return Arrays(rows.x.astype(dtype), rows.y.astype(np.int32))
        return Arrays(rows.x.astype(dtype), rows.y.astype(dtype)[:, None])


class OfProblem(Protocol):
    """What is made for a problem, and serves it whichever sources vary."""

    problem: Problem


class Prepared(Generic[T]):
    """Keeps what was made for a problem until another problem comes, since making it is slow."""

    def __init__(self, make: Callable[[Problem], T]):
        self._make = make
        self._made: tuple[str, T] | None = None

    def for_problem(self, spec: StudySpec) -> T:
        """Give what was made for the problem of this spec; make it if there is none."""
        key = spec.model_copy(update={"vary": ()}).with_epochs(1).problem
        if self._made is None or self._made[0] != key:
            self._made = key, self._make(Problem(spec))
        made = self._made[1]
        if made.problem.spec.vary != spec.vary:
            made.problem = made.problem.varied(spec.vary)
        return made


def _with_loss(spec: StudySpec, splits: Splits) -> StudySpec:
    loss = fitting_loss(spec.training.loss, task=splits.task, n_classes=splits.n_classes)
    training = spec.training.model_copy(update={"loss": loss})
    return spec.model_copy(update={"training": training})


def _shape(splits: Splits) -> str:
    return f"{splits.n_features} features and {splits.n_classes} classes"


def _loss(name: str) -> Measure:
    try:
        found: Any = keras.losses.get(name)
        # Base classes are found by their names too, and compute nothing; some need arguments.
        if type(found) is keras.Loss:
            raise TypeError(name)
    except (ValueError, TypeError) as error:
        raise SpecError(
            f"training.loss: received {name!r}; allowed is the name of a loss in keras.losses"
        ) from error
    if isinstance(found, keras.Loss):
        return found
    # Keras's default reduction, "sum_over_batch_size".
    return lambda y, predicted: keras.ops.mean(found(y, predicted))


def _count_of(spec: TrainingSpec, *, task: TargetTask) -> Measure | None:
    """Give what is counted as right, a value a row of data; None where nothing is.

    Raises:
        SpecError: What is asked for does not fit the network's outputs.
    """
    if spec.accuracy and task == "regression":
        raise SpecError(
            f"training.accuracy: received {spec.accuracy!r}, but the target is numbers for "
            "regression, of which none is right or wrong; allowed with classes; leave it out"
        )
    of_classes = spec.loss == "sparse_categorical_crossentropy"
    if spec.accuracy and spec.accuracy.startswith("sparse") != of_classes:
        fitting = "those that begin with sparse" if of_classes else "binary_accuracy"
        raise SpecError(
            f"training.accuracy: received {spec.accuracy!r} with the loss {spec.loss!r}; allowed "
            f"with it: {fitting}; leave it out to follow the task"
        )
    if not spec.accuracy and not is_classification(spec.loss):
        return None
    usual = "sparse_categorical_accuracy" if of_classes else "binary_accuracy"
    return getattr(keras.metrics, spec.accuracy or usual)


def _mean(count: Measure | None) -> Measure | None:
    if count is None:
        return None
    return lambda y, predicted: keras.ops.mean(count(y, predicted))
