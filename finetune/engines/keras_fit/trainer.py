"""Training by `keras.Model.fit`, one run after another, and what it measures after each epoch."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import Any, cast

import keras
import numpy as np
import tensorflow as tf

from finetune.callbacks.variants import callbacks
from finetune.engines.base import ProgressCallback, Task, TaskTables
from finetune.engines.keras_problem import KerasProblem, call_model
from finetune.engines.problem import Arrays, Prepared, Problem, SeedData
from finetune.engines.results import Training, join, lowest, measured, tabulate
from finetune.errors import SpecError, describe_exception
from finetune.models.initial_values import set_values
from finetune.models.metrics import check_monitored
from finetune.models.precision import precision
from finetune.spec.metrics import SPLITS, further_columns, in_target_unit
from finetune.spec.study import StudySpec
from finetune.spec.variants import VariantSpec

# Of a split by its name: its loss, accuracy and further metrics, as `val_loss`.
Evaluate = Callable[[SeedData, str], dict[str, float]]


class FitTrainer:
    """Trains each run of a task; keeps the compiled model for the next task of its problem."""

    def __init__(self):
        self._model = Prepared(_CompiledModel)

    def train(self, task: Task, progress: ProgressCallback) -> TaskTables:
        """Train every run of the task, in the order of `task.runs`."""
        trained, network = [], None
        with precision(task.spec.training.dtype):
            for variant, seed in task.runs:
                model = self._model_for(variant, task.spec)
                check_monitored(model.problem.spec, [variant])
                run = model.fit(variant, seed, task=task)
                trained.append(run.noting(model.initial_notes(task.variants)))
                network = network or model.network
                progress(len(trained) / len(task.runs))
        return tabulate(task, join(trained))._replace(network=network)

    def _model_for(self, variant: VariantSpec, spec: StudySpec) -> "_CompiledModel":
        # A callback of the user's own may change the model itself: no other run must see that.
        if variant.callbacks:
            return _CompiledModel(Problem(spec))
        return self._model.for_problem(spec)


class _CompiledModel:
    """One compiled model that run after run fits, each from fresh weights and optimizer state."""

    def __init__(self, problem: Problem):
        self._keras = KerasProblem(problem)
        self.problem = problem = self._keras.problem
        self.network = self._keras.summary
        # Keras annotates some of what is called here wrongly.
        self._model: Any = self._keras.model
        self._compile(problem)
        # `fit` would build it only while training.
        self._model.optimizer.build(self._model.trainable_variables)
        self._evaluate = _full_set_evaluation(self._keras)

    def initial_notes(self, variants: Iterable[VariantSpec]) -> tuple[str, ...]:
        """Return which layers begin as those of the study's own network do."""
        return self._keras.initial_notes(variants)

    def _compile(self, problem: Problem) -> None:
        optimizer = self._keras.optimizer()
        try:
            self._model.compile(
                optimizer=optimizer,
                loss=problem.spec.training.loss,
                metrics=_accuracy_metric(self._keras),
                # XLA compiles longer than a small network trains, and rounds differently.
                jit_compile=False,
            )
        # A network may have a `compile` of its own, which takes what it likes.
        except Exception as error:
            raise SpecError(
                f"model.factory: {type(self._model).__name__}.compile raised "
                f"{describe_exception(error)}; allowed is one that takes optimizer, loss, metrics "
                "and jit_compile, as Keras's own"
            ) from error

    def fit(self, variant: VariantSpec, seed: int, *, task: Task) -> Training:
        """Train one run of the task; the result's run axis has length 1."""
        problem, training = self.problem, task.spec.training
        initial = self._keras.initial_values(problem, seed, replicate=task.replicate)
        set_values(self._model.variables, initial)
        self._reset_optimizer()
        self._model.optimizer.learning_rate = task.learning_rate(variant)
        data = problem.data(seed)
        order = problem.order(
            seed,
            rows=len(data.train.y),
            epochs=training.epochs,
            replicate=task.replicate,
        )
        policies = callbacks(variant, field=_field_of(variant, task.spec))
        measuring = [_Validation(data, self._evaluate)] if self._keras.metrics else []
        recorder = _Recorder(data, self._evaluate, watched=_monitors(policies))
        history = self._model.fit(
            batches(data.train, order, batch_size=training.batch_size),
            class_weight=problem.class_weight(data.train),
            steps_per_epoch=-(-order.shape[1] // training.batch_size),
            epochs=training.epochs,
            # Weights are for training: what is measured counts every row alike.
            validation_data=(data.val.x, data.val.y),
            # In one batch, so that its loss is the mean over rows without rounding in between.
            validation_batch_size=len(data.val.y),
            callbacks=[*measuring, *policies, recorder],
            shuffle=False,
            verbose=0,
        )
        return self._result(data, history.history | recorder.curves, policies)

    def _reset_optimizer(self) -> None:
        """Give the optimizer the state that a fresh one has at the model's present weights."""
        fresh, compiled = self._keras.optimizer(), self._model.optimizer
        # Where the model's precision asks for it, Keras has wrapped it into one that scales losses.
        if type(fresh) is not type(compiled):
            fresh = keras.optimizers.LossScaleOptimizer(fresh)
        fresh.build(self._model.trainable_variables)
        set_values(compiled.variables, fresh.variables)

    def _result(self, data: SeedData, found: dict[str, Any], policies: list[Any]) -> Training:
        length = len(found["learning_rate"])
        # Without an accuracy there is no curve of it.
        absent = [np.nan] * length
        names = ("loss", *measured(self.problem.spec.training))
        curves = {name: np.array([found.get(name, absent)]) for name in names}
        stopping = [p for p in policies if isinstance(p, keras.callbacks.EarlyStopping)]
        # One that never saw its metric has no best epoch.
        best = [policy.best_epoch for policy in stopping if policy.best is not None]
        final = self._final_metrics(data)
        return Training(
            curves=curves,
            learning_rate=np.array([found["learning_rate"]]),
            next_learning_rate=np.array([found["next_learning_rate"]]),
            epochs_run=np.array([length]),
            best_epoch=np.array(best[:1] or lowest(curves["val_loss"])),
            final={name: np.array([value]) for name, value in final.items()},
            rows_trained=length,
            notes=self._keras.notes,
        )

    def _final_metrics(self, data: SeedData) -> dict[str, float]:
        """Evaluate the weights that the run ended with: early stopping may have restored some."""
        found = [self._evaluate(data, split) for split in SPLITS]
        return {name: value for values in found for name, value in values.items()}


def _field_of(variant: VariantSpec, spec: StudySpec) -> str:
    """Return the dotted path of a variant in its study, for error messages."""
    names = [one.name for one in spec.variants]
    known = variant.name in names
    return f"variants.{names.index(variant.name)}" if known else f"variant {variant.name!r}"


def _monitors(policies: list[keras.callbacks.Callback]) -> dict[str, str]:
    """Return each quantity that must be in the logs of `fit`, and what wants it, in words."""
    shown = "model.factory: the report shows"
    needed: dict[str, str] = dict.fromkeys(("loss", "val_loss"), shown)
    for policy in policies:
        name = getattr(policy, "monitor", None)
        if isinstance(name, str):
            needed[name] = f"variants: {type(policy).__name__} watches"
    return needed


class _Validation(keras.callbacks.Callback):
    """Adds the further metrics of the validation rows to `logs`, where callbacks look for them.

    Comes first. `fit` would average a metric over batches, which not all metrics can be.
    """

    def __init__(self, data: SeedData, evaluate: Evaluate):
        super().__init__()
        self._data = data
        self._evaluate = evaluate

    def on_epoch_end(self, epoch, logs=None):
        values = self._evaluate(self._data, "val")
        # One dictionary goes from callback to callback, and to the history.
        cast(dict, logs).update({name: values[name] for name in further_columns(values)})


class _Recorder(keras.callbacks.Callback):
    """Measures, after each epoch, what `fit` does not: the whole training and test sets.

    Comes after the policies, so that it sees the learning rate that they leave.
    """

    def __init__(self, data: SeedData, evaluate: Evaluate, *, watched: Mapping[str, str]):
        super().__init__()
        self._data = data
        self._evaluate = evaluate
        self._watched = watched
        self.curves: dict[str, list[float]] = defaultdict(list)

    def on_epoch_begin(self, epoch, logs=None):
        self.curves["learning_rate"].append(self._learning_rate())

    def on_epoch_end(self, epoch, logs=None):
        self._check_logs(logs or {})
        self.curves["next_learning_rate"].append(self._learning_rate())
        for split in ("train", "test"):
            for name, value in self._evaluate(self._data, split).items():
                self.curves[name].append(value)

    def _check_logs(self, logs: dict[str, Any]) -> None:
        """Check that `fit` measures what a report shows and what callbacks watch.

        Raises:
            SpecError: It does not, as where a network's own `train_step` returns other names.
        """
        measured = ", ".join(sorted(logs.keys() - {"learning_rate"}))
        for name, by in self._watched.items():
            if name not in logs:
                raise SpecError(
                    f"{by} {name!r}, which this network's epochs do not give; allowed is what they "
                    f"measure: {measured}; watch one of these, or return it from train_step and "
                    "test_step"
                )

    def _learning_rate(self) -> float:
        model: Any = self.model
        return float(model.optimizer.learning_rate.numpy())


def batches(train: Arrays, order: np.ndarray, *, batch_size: int) -> tf.data.Dataset:
    """Return the batches of all epochs, one after another, in exactly the given order.

    Each is `x`, `y` and, where the rows have them, their weights.

    Args:
        train: The training rows.
        order: int32, (epoch, row): a permutation of the rows for each epoch.
        batch_size: Rows a batch; the last batch of an epoch may be smaller.
    """
    arrays = tuple(one for one in (train.x, train.y, train.weight) if one is not None)
    tables = tf.nest.map_structure(tf.constant, arrays)
    return (
        tf.data.Dataset.from_tensor_slices(order)
        .flat_map(lambda rows: tf.data.Dataset.from_tensor_slices(rows).batch(batch_size))
        .map(lambda rows: tf.nest.map_structure(lambda table: tf.gather(table, rows), tables))
    )


def _accuracy_metric(problem: KerasProblem) -> list[keras.metrics.Metric]:
    function = problem.row_accuracy
    return [keras.metrics.MeanMetricWrapper(function, name="accuracy")] if function else []


def _full_set_evaluation(problem: KerasProblem) -> Evaluate:
    """Return a function that evaluates the model on a whole split: loss, accuracy, metrics."""

    # `Model.evaluate` twice an epoch would cost more than the epoch.
    @tf.function(reduce_retracing=True)
    def measure(x, y):
        predicted = call_model(problem.model, x, training=False)
        loss = problem.loss(y, predicted) + sum(problem.model.losses)
        accuracy = problem.accuracy(y, predicted) if problem.accuracy else np.nan
        further = {name: metric(y, predicted) for name, metric in problem.metrics.items()}
        return {"loss": loss, "accuracy": accuracy, **further}

    def evaluate(data: SeedData, split: str) -> dict[str, float]:
        arrays: Arrays = getattr(data, split)
        values = {f"{split}_{name}": value for name, value in measure(arrays.x, arrays.y).items()}
        units = {name: data.target_scale if in_target_unit(name) else 1.0 for name in values}
        return {name: float(value) * units[name] for name, value in values.items()}

    return evaluate
