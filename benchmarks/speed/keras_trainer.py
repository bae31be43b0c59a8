"""`keras.Model.fit` in a loop over runs, as people write it and as cheaply as it can be done."""

from collections import defaultdict
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from benchmarks.speed.trainer import LOSSES, Trained, shortened
from finetune.callbacks.variants import callbacks
from finetune.engines.base import Task
from finetune.engines.keras_fit.trainer import batches
from finetune.engines.keras_problem import KerasProblem
from finetune.engines.problem import Prepared, Problem, SeedData
from finetune.models.initial_values import set_values
from finetune.spec.variants import VariantSpec

Measure = Callable[[], np.ndarray]


class KerasTrainer:
    """Fits one run after another on one compiled model.

    Args:
        jit_compile: Whether Keras compiles the step with XLA.
        tuned: Whether an epoch is one call into TensorFlow, fed by a `tf.data` pipeline and
            validated in one batch; otherwise `fit` takes arrays, as in most programs.
        evaluate: Whether the whole training and test sets are evaluated after each epoch.
    """

    def __init__(self, *, jit_compile: bool, tuned: bool, evaluate: bool = True):
        self._tuned, self._evaluate = tuned, evaluate
        self._loop = Prepared(lambda problem: _Loop(problem, jit_compile, tuned))

    def prepare(self, task: Task) -> None:
        """Trace the training step and the evaluations."""
        self.train(shortened(Task(task.spec, task.variants[:1], task.seeds[:1], task.engine), 1))

    def train(self, task: Task) -> Trained:
        """Fit every run of the task."""
        loop = self._loop.for_problem(task.spec)
        losses, run_epochs = defaultdict(list), 0
        for variant, seed in task.runs:
            history = loop.fit(task.spec.training.epochs, variant, seed, evaluate=self._evaluate)
            run_epochs += len(history["loss"])
            for name in LOSSES:
                losses[name] += history.get(name, [])
        same = self._tuned and self._evaluate
        arrays = {name: np.array(values) for name, values in losses.items() if same}
        return Trained(run_epochs, run_epochs, arrays)


class _Loop:
    """A compiled model that is trained again and again from fresh weights."""

    def __init__(self, problem: Problem, jit_compile: bool, tuned: bool):
        self.problem, self._keras, self._tuned = problem, KerasProblem(problem), tuned
        self._model = self._keras.model
        self._batch_size = problem.spec.training.batch_size
        self._steps = -(-problem.training_rows // self._batch_size)
        self._model.compile(
            optimizer=self._keras.optimizer(),
            loss=problem.spec.training.loss,
            metrics=["accuracy"],
            jit_compile=jit_compile,  # pyright: ignore[reportArgumentType]
            steps_per_execution=self._steps if tuned else 1,
        )
        self._model.optimizer.build(self._model.trainable_variables)
        self._optimizer_start = [v.numpy() for v in self._model.optimizer.variables]
        self._measure = _evaluation(self._keras, problem.data(0))

    def fit(self, epochs: int, variant: VariantSpec, seed: int, *, evaluate: bool) -> dict:
        """Train one run; return what was measured after each epoch, by name."""
        problem, data = self.problem, self.problem.data(seed)
        initial = self._keras.initial_values(problem, seed, replicate=0)
        set_values(self._model.variables, initial)
        set_values(self._model.optimizer.variables, self._optimizer_start)
        recorder = _Recorder(self._measure)
        rows = problem.training_rows
        order = problem.order(seed, rows=rows, epochs=epochs, replicate=0)
        history = self._model.fit(
            **self._input(data, order),
            epochs=epochs,
            validation_data=(data.val.x, data.val.y),
            validation_batch_size=len(data.val.y) if self._tuned else self._batch_size,
            callbacks=callbacks(variant) + ([recorder] if evaluate else []),
            verbose=0,  # pyright: ignore[reportArgumentType]
        )
        return history.history | recorder.losses

    def _input(self, data: SeedData, order: np.ndarray) -> dict[str, Any]:
        if not self._tuned:
            return {"x": data.train.x, "y": data.train.y, "batch_size": self._batch_size}
        pipeline = batches(data.train, order, batch_size=self._batch_size)
        return {"x": pipeline, "steps_per_epoch": self._steps, "shuffle": False}


class _Recorder(keras.callbacks.Callback):
    """Measures the whole training and test sets after each epoch."""

    def __init__(self, measure: Measure):
        super().__init__()
        self._measure = measure
        self.losses: dict[str, list[float]] = defaultdict(list)

    def on_epoch_end(self, epoch, logs=None):
        train_loss, _, test_loss, _ = self._measure()
        self.losses["train_loss"].append(float(train_loss))
        self.losses["test_loss"].append(float(test_loss))


def _evaluation(problem: KerasProblem, data: SeedData) -> Measure:
    """Return a function of one compiled call: loss and accuracy on training and test rows.

    `Model.evaluate` twice an epoch would cost more than the epoch.
    """
    sets = [
        tf.nest.map_structure(tf.constant, (rows.x, rows.y)) for rows in (data.train, data.test)
    ]
    accuracy = problem.accuracy or (lambda y, predicted: np.nan)

    @tf.function
    def measure():
        values = []
        for x, y in sets:
            predicted = problem.model(x, training=False)
            values += [problem.loss(y, predicted), accuracy(y, predicted)]
        return tf.stack(values)

    return lambda: measure().numpy()
