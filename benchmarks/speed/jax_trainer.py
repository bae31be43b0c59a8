"""A plain lockstep trainer in jax: `vmap` over runs, `scan` over batches, `jit` around an epoch.

Every run has its own row of weights, which trains to the end, as in a scan over all epochs. The
policies decide on the host after each epoch: that costs a hundredth of it, and allows, as an
option, to drop rows of runs that have stopped.
"""

# jax comes with the extra `bench`, and so is not there for every type check.
# pyright: reportMissingImports=false

from collections.abc import Sequence
from functools import partial
from itertools import pairwise
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.speed.trainer import LOSSES, Trained
from finetune.data.splits import Split, load_splits
from finetune.engines.base import Task
from finetune.policies.variants import VariantPolicies
from finetune.spec.seeds import batch_order, stream

_MEASURED = (*LOSSES, "train_accuracy", "val_accuracy", "test_accuracy")


class State(NamedTuple):
    """Weights and Adam's two moments, each a list of arrays (row, ...); layers as w, b, w, b."""

    weights: list
    mean: list
    square: list


class JaxTrainer:
    """Trains tasks whose model is the default network, with Adam and binary cross-entropy.

    Args:
        drop: Whether rows of runs that have stopped are dropped.
    """

    def __init__(self, *, drop: bool):
        self._drop = drop

    def prepare(self, task: Task) -> None:
        """Compile an epoch for every number of rows that training may come down to."""
        run = _Training(task, initial=None, drop=self._drop)
        for rows in run.rungs:
            run.shrink(rows)
            run.epoch(0)

    def train(self, task: Task, *, initial: Sequence[list[np.ndarray]] | None = None) -> Trained:
        """Train every run from `initial`, the weights of each seed; without it they are drawn."""
        run = _Training(task, initial=initial, drop=self._drop)
        for epoch in range(task.spec.training.epochs):
            run.epoch(epoch)
            if not run.active.any():
                break
            run.shrink(int(run.active.sum()))
        return run.trained()


class _Training:
    """The runs of one task in training."""

    def __init__(self, task: Task, *, initial: Sequence[list[np.ndarray]] | None, drop: bool):
        spec, runs = task.spec, len(task.runs)
        splits = load_splits(spec.data, 0, vary=spec.vary)
        self._data = {name: _on_device(getattr(splits, name)) for name in ("train", "val", "test")}
        training = spec.training
        size = {"epochs": training.epochs, "rows": len(splits.train.y)}
        self._orders = [batch_order(stream("order", s, vary=spec.vary), **size) for s in task.seeds]
        self._seed = np.repeat(np.arange(len(task.seeds)), len(task.variants))
        initial = initial or [_glorot(spec.model.hidden, splits.n_features, s) for s in task.seeds]
        self._state = _start([initial[int(seed)] for seed in self._seed])
        self._policies = VariantPolicies([variant for variant, _ in task.runs])
        self._batch_size = training.batch_size
        self._steps = -(-len(splits.train.y) // self._batch_size)
        self._rate = np.full(runs, np.float32(training.optimizer.learning_rate), np.float64)
        self.active = np.ones(runs, bool)
        self._run_of_row = np.arange(runs)
        self._curves = {name: np.full((runs, training.epochs), np.nan) for name in _MEASURED}
        self._epochs_run, self._row_epochs = np.zeros(runs, int), 0
        # Every number of rows is compiled anew, so rows are dropped one variant's worth at a time.
        stopping = sum(drop and v.early_stopping is not None for v in task.variants)
        kept = range(len(task.variants), max(len(task.variants) - stopping, 1) - 1, -1)
        self.rungs = [len(task.seeds) * variants for variants in kept]

    def epoch(self, epoch: int) -> None:
        """Train and evaluate every row for one epoch, then let the policies decide."""
        rows = self._run_of_row
        order = np.stack([self._orders[seed][epoch] for seed in self._seed[rows]])
        rate = self._rate[rows].astype(np.float32)
        first = np.float32(epoch * self._steps)
        self._state, measured = _epoch(
            self._state, self._data, order, rate, first, batch_size=self._batch_size
        )
        self._row_epochs += len(rows)
        self._record(epoch, {name: np.asarray(values) for name, values in measured.items()})
        self._decide(epoch)

    def shrink(self, wanted: int) -> None:
        """Drop rows of runs that have stopped, down to the next size with room for `wanted`."""
        size = min(rung for rung in self.rungs if rung >= wanted)
        if size < len(self._run_of_row):
            kept = np.argsort(~self.active[self._run_of_row], kind="stable")[:size]
            self._run_of_row = self._run_of_row[kept]
            self._state = _take(self._state, kept)

    def trained(self) -> Trained:
        """Return what was measured."""
        epochs = self._curves["loss"].shape[1]
        delivered = np.arange(epochs) < self._epochs_run[:, None]
        losses = {name: self._curves[name][delivered] for name in LOSSES}
        return Trained(int(delivered.sum()), self._row_epochs, losses)

    def _record(self, epoch: int, measured: dict[str, np.ndarray]) -> None:
        for name, values in measured.items():
            self._curves[name][self._run_of_row, epoch] = values
        self._epochs_run[self.active] = epoch + 1

    def _decide(self, epoch: int) -> None:
        logs = {name: values[:, epoch] for name, values in self._curves.items()}
        step = self._policies.update(epoch, logs, self._rate, active=self.active)
        rate = step.learning_rate.astype(np.float32).astype(np.float64)
        self._rate = np.where(self.active, rate, self._rate)
        self.active = self.active & ~step.stop


@partial(jax.jit, static_argnames="batch_size", donate_argnames="state")
def _epoch(state: State, data, order, rate, first, *, batch_size: int):
    """Train one epoch from step `first` on, then evaluate; `order` is (row, row of data)."""
    step = jax.vmap(partial(_step, *data["train"]), in_axes=(0, None, 0, 0))
    rows = order.shape[1]
    full = rows // batch_size * batch_size
    batches = order[:, :full].reshape(len(order), -1, batch_size).swapaxes(0, 1)

    def body(carry, batch):
        state, count = carry
        state, loss = step(state, count, rate, batch)
        return (state, count + 1), loss * batch_size

    (state, count), losses = jax.lax.scan(body, (state, first + 1), batches)
    total = losses.sum(axis=0)
    if full < rows:
        state, loss = step(state, count, rate, order[:, full:])
        total += loss * (rows - full)
    measured = {"loss": total / rows}
    for name, (x, y) in data.items():
        loss, accuracy = jax.vmap(_measure, in_axes=(0, None, None))(state.weights, x, y)
        measured |= {f"{name}_loss": loss, f"{name}_accuracy": accuracy}
    return state, measured


def _step(x, y, state: State, count, rate, batch):
    """Take one step of Adam, in Keras's form, on one row.

    Source: keras/src/optimizers/adam.py, Keras 3.15.
    """
    loss, gradients = jax.value_and_grad(_loss)(state.weights, x[batch], y[batch])
    rate = rate * jnp.sqrt(1 - 0.999**count) / (1 - 0.9**count)
    mean = [m + (g - m) * 0.1 for m, g in zip(state.mean, gradients, strict=True)]
    square = [v + (g * g - v) * 0.001 for v, g in zip(state.square, gradients, strict=True)]
    weights = [
        w - rate * m / (jnp.sqrt(v) + 1e-7)
        for w, m, v in zip(state.weights, mean, square, strict=True)
    ]
    return State(weights, mean, square), loss


def _loss(weights: list, x, y):
    return _cross_entropy(_logits(weights, x), y)


def _measure(weights: list, x, y):
    logits = _logits(weights, x)
    return _cross_entropy(logits, y), jnp.mean((logits > 0) == (y > 0))


def _logits(weights: list, x):
    *hidden, (w, b) = zip(weights[::2], weights[1::2], strict=True)
    for kernel, bias in hidden:
        x = jax.nn.relu(x @ kernel + bias)
    return (x @ w + b)[:, 0]


def _cross_entropy(logits, y):
    return jnp.mean(jnp.maximum(logits, 0) - logits * y + jnp.log1p(jnp.exp(-jnp.abs(logits))))


@jax.jit
def _take(state: State, rows) -> State:
    return jax.tree.map(lambda values: values[rows], state)


def _start(initial: Sequence[list[np.ndarray]]) -> State:
    weights = [jnp.asarray(np.stack(column)) for column in zip(*initial, strict=True)]
    return State(
        weights, [jnp.zeros_like(w) for w in weights], [jnp.zeros_like(w) for w in weights]
    )


def _glorot(hidden: Sequence[int], features: int, seed: int) -> list[np.ndarray]:
    rng, sizes, values = np.random.default_rng(seed), [features, *hidden, 1], []
    for into, out in pairwise(sizes):
        limit = np.sqrt(6 / (into + out))
        values += [rng.uniform(-limit, limit, (into, out)), np.zeros(out)]
    return [value.astype(np.float32) for value in values]


def _on_device(rows: Split):
    assert isinstance(rows.x, np.ndarray)
    return jnp.asarray(rows.x, jnp.float32), jnp.asarray(rows.y, jnp.float32)
