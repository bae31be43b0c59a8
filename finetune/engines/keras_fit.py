"""The reference engine: `keras.Model.fit` with real callbacks, one run after another."""

from collections import defaultdict
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from finetune.callbacks.variants import callbacks
from finetune.engines.base import (
    METRICS,
    ProgressCallback,
    Task,
    TaskTables,
    Training,
    join,
    lowest,
    silent,
    tabulate,
)
from finetune.engines.problem import Arrays, Prepared, Problem, SeedData
from finetune.models.initial_values import set_values
from finetune.models.precision import precision
from finetune.spec.study import StudySpec
from finetune.spec.variants import VariantSpec

Evaluate = Callable[[Arrays], tuple[float, float]]


class KerasEngine:
    """Trains each run of a task by `keras.Model.fit`; what other engines must reproduce."""

    def __init__(self):
        self._trainer = Prepared(_Trainer)

    def train(self, task: Task, report: ProgressCallback = silent) -> TaskTables:
        """Train every run of the task, in the order of `task.runs`."""
        parts = []
        with precision(task.spec.training.dtype):
            for variant, seed in task.runs:
                parts.append(self._trainer_for(variant, task.spec).train(variant, seed, task=task))
                report(len(parts) / len(task.runs))
        return tabulate(task, join(parts))

    def _trainer_for(self, variant: VariantSpec, spec: StudySpec) -> "_Trainer":
        # A callback of the user's own may change the model itself: no other run must see that.
        if variant.callbacks:
            return _Trainer(Problem(spec))
        return self._trainer.for_problem(spec)


class _Trainer:
    """Trains run after run on one compiled model, each from fresh weights and optimizer state."""

    def __init__(self, problem: Problem):
        self.problem = problem
        # Keras annotates some of what is called here wrongly.
        self._model: Any = problem.model
        self._model.compile(
            optimizer=problem.optimizer(),
            loss=problem.spec.training.loss,
            metrics=_accuracy_metric(problem),
            jit_compile=False,
        )
        self._model.optimizer.build(self._model.trainable_variables)
        self._optimizer_start = [v.numpy() for v in self._model.optimizer.variables]
        self._evaluate = _full_set_evaluation(problem)

    def train(self, variant: VariantSpec, seed: int, *, task: Task) -> Training:
        """Train one run of the task; the result's run axis has length 1."""
        problem, training = self.problem, task.spec.training
        initial = problem.initial_values(seed, replicate=task.replicate)
        set_values(self._model.variables, initial)
        set_values(self._model.optimizer.variables, self._optimizer_start)
        data = problem.data(seed)
        order = problem.order(seed, epochs=training.epochs, replicate=task.replicate)
        policies = callbacks(variant, field=_place(variant, task.spec))
        recorder = _Recorder(data, self._evaluate)
        history = self._model.fit(
            batches(data.train, order, batch_size=training.batch_size),
            steps_per_epoch=-(-order.shape[1] // training.batch_size),
            epochs=training.epochs,
            validation_data=(data.val.x, data.val.y),
            validation_batch_size=len(data.val.y),
            callbacks=[*policies, recorder],
            shuffle=False,
            verbose=0,
        )
        return self._result(data, history.history | recorder.curves, policies)

    def _result(self, data, measured, policies) -> Training:
        length = len(measured["learning_rate"])
        nothing = [np.nan] * length
        curves = {name: np.array([measured.get(name, nothing)]) for name in ("loss", *METRICS)}
        stopping = [p for p in policies if isinstance(p, keras.callbacks.EarlyStopping)]
        best = [policy.best_epoch for policy in stopping if policy.best is not None]
        final = {}
        for split in ("train", "val", "test"):
            loss, accuracy = self._evaluate(getattr(data, split))
            final |= {f"{split}_loss": [loss], f"{split}_accuracy": [accuracy]}
        return Training(
            curves=curves,
            learning_rate=np.array([measured["learning_rate"]]),
            next_learning_rate=np.array([measured["next_learning_rate"]]),
            epochs_run=np.array([length]),
            best_epoch=np.array(best[:1] or lowest(curves["val_loss"])),
            final={name: np.array(values) for name, values in final.items()},
            rows_trained=length,
        )


def _place(variant: VariantSpec, spec: StudySpec) -> str:
    """Give the dotted path of a variant in its study, for what is told of errors."""
    names = [own.name for own in spec.variants]
    known = variant.name in names
    return f"variants.{names.index(variant.name)}" if known else f"variant {variant.name!r}"


class _Recorder(keras.callbacks.Callback):
    """Measures, after each epoch, what `fit` does not: the whole training and test sets.

    Comes after the policies, so that it sees the learning rate that they leave.
    """

    def __init__(self, data: SeedData, evaluate: Evaluate):
        super().__init__()
        self._data = data
        self._evaluate = evaluate
        self.curves: dict[str, list[float]] = defaultdict(list)

    def on_epoch_begin(self, epoch, logs=None):
        self.curves["learning_rate"].append(self._learning_rate())

    def on_epoch_end(self, epoch, logs=None):
        self.curves["next_learning_rate"].append(self._learning_rate())
        for split, arrays in (("train", self._data.train), ("test", self._data.test)):
            loss, accuracy = self._evaluate(arrays)
            self.curves[f"{split}_loss"].append(loss)
            self.curves[f"{split}_accuracy"].append(accuracy)

    def _learning_rate(self) -> float:
        model: Any = self.model
        return float(model.optimizer.learning_rate.numpy())


def batches(train: Arrays, order: np.ndarray, *, batch_size: int) -> tf.data.Dataset:
    """Give the batches of all epochs, one after another, in exactly the given order.

    Args:
        train: The training rows.
        order: int32, (epoch, row): a permutation of the rows for each epoch.
        batch_size: Rows a batch; the last batch of an epoch may be smaller.
    """
    x, y = tf.constant(train.x), tf.constant(train.y)
    return (
        tf.data.Dataset.from_tensor_slices(order)
        .flat_map(lambda rows: tf.data.Dataset.from_tensor_slices(rows).batch(batch_size))
        .map(lambda rows: (tf.gather(x, rows), tf.gather(y, rows)))
    )


def _accuracy_metric(problem: Problem) -> list[keras.metrics.Metric]:
    counted = problem.counted
    return [keras.metrics.MeanMetricWrapper(counted, name="accuracy")] if counted else []


def _full_set_evaluation(problem: Problem) -> Evaluate:
    """Give a function that evaluates the model's loss and accuracy on a whole split."""

    @tf.function(reduce_retracing=True)
    def measure(x, y):
        predicted = problem.model(x, training=False)
        loss = problem.loss(y, predicted) + sum(problem.model.losses)
        accuracy = problem.accuracy(y, predicted) if problem.accuracy else np.nan
        return loss, accuracy

    def evaluate(arrays: Arrays) -> tuple[float, float]:
        loss, accuracy = measure(arrays.x, arrays.y)
        return float(loss), float(accuracy)

    return evaluate
