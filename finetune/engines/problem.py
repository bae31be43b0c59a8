"""What is minimised and measured: model, loss, accuracy and optimizer, as Keras has them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import keras
import numpy as np

from finetune.data import Rows, Splits, load_splits
from finetune.errors import SpecError
from finetune.models import SeededModel, build_model, is_classification
from finetune.spec import StudySpec
from finetune.streams import batch_order, stream

Measure = Callable[[Any, Any], Any]
T = TypeVar("T")


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

    It is the same for every number of epochs.

    Make and use it inside `models.precision(spec.training.dtype)`.

    Raises:
        SpecError: Keras knows no such loss or optimizer, or refuses its arguments.
    """

    def __init__(self, spec: StudySpec):
        self.spec = spec
        splits = load_splits(spec.data, 0, vary=spec.vary)
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
        self.loss = _loss(spec.training.loss)
        self.accuracy = _accuracy(spec.training.loss)

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
        """Give the rows of a seed."""
        if not self.data_varies:
            return self._first
        return self._arrays(load_splits(self.spec.data, seed, vary=self.spec.vary))

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
        try:
            return keras.optimizers.get({"class_name": spec.name, "config": config})
        except (ValueError, TypeError) as error:
            raise SpecError(
                f"training.optimizer: Keras refuses {spec.name!r} with {config}: "
                f"{str(error).splitlines()[0]}; allowed is the name of a class in "
                "keras.optimizers and its arguments"
            ) from error

    def _arrays(self, splits: Splits) -> SeedData:
        return SeedData(*(self._typed(rows) for rows in (splits.train, splits.val, splits.test)))

    def _typed(self, rows: Rows) -> Arrays:
        dtype = self.spec.training.dtype
        if self.spec.training.loss == "sparse_categorical_crossentropy":
            return Arrays(rows.x.astype(dtype), rows.y.astype(np.int32))
        return Arrays(rows.x.astype(dtype), rows.y.astype(dtype)[:, None])


class Prepared(Generic[T]):
    """Keeps what was made for a problem until another problem comes, since making it is slow."""

    def __init__(self, make: Callable[[Problem], T]):
        self._make = make
        self._made: tuple[str, T] | None = None

    def for_problem(self, spec: StudySpec) -> T:
        """Give what was made for the problem of this spec; make it if there is none."""
        key = spec.with_epochs(1).problem
        if self._made is None or self._made[0] != key:
            self._made = key, self._make(Problem(spec))
        return self._made[1]


def _loss(name: str) -> Measure:
    try:
        found: Any = keras.losses.get(name)
    except ValueError as error:
        raise SpecError(
            f"training.loss: received {name!r}; allowed is the name of a loss in keras.losses"
        ) from error
    if isinstance(found, keras.Loss):
        return found
    # Keras's default reduction, "sum_over_batch_size".
    return lambda y, predicted: keras.ops.mean(found(y, predicted))


def _accuracy(loss: str) -> Measure | None:
    if not is_classification(loss):
        return None
    by_loss = {
        "binary_crossentropy": keras.metrics.binary_accuracy,
        "sparse_categorical_crossentropy": keras.metrics.sparse_categorical_accuracy,
    }
    return lambda y, predicted: keras.ops.mean(by_loss[loss](y, predicted))
