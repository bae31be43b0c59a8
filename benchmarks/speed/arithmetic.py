"""Floating-point operations that training takes, and how many a second this machine can do."""

import itertools
import math
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from benchmarks.speed.trainer import Trained
from finetune.data.splits import Splits, load_splits
from finetune.engines.base import Task


def operations(task: Task, *, measures: Sequence[str]) -> int:
    """Count the operations of one row of weights in one epoch, of its matrix products alone.

    A product of (m, k) with (k, n) counts as 2 m k n. Training costs the forward products once
    and twice again for the gradients, but that of the inputs, which nobody needs. `measures`
    names the splits that are evaluated after it.
    """
    splits = load_splits(task.spec.data, 0, vary=task.spec.vary)
    sizes = [splits.n_features, *task.spec.model.hidden, 1]
    forward = sum(2 * k * n for k, n in itertools.pairwise(sizes))
    step = 3 * forward - 2 * sizes[0] * sizes[1]
    return len(splits.train.y) * step + forward * _rows(splits, measures)


def _rows(splits: Splits, names: Sequence[str]) -> int:
    return sum(len(getattr(splits, name).y) for name in names)


def network_operations(model: Any, splits: Mapping[str, int]) -> int:
    """Count the operations of one row of weights in one epoch of any Keras network.

    Of a layer's kernel each number is used once at each position of an image and each step of a
    sequence; what has no kernel, and an embedding, which only looks up, counts nothing.

    Args:
        model: Built; what does not train needs no gradients, nor does what comes before it.
        splits: Rows of data in "train", "val" and "test"; all are evaluated after the epoch.
    """
    forward = gradients = 0
    for layer in _layers_with_kernels(model):
        kernels = [w for w in layer.weights if len(w.shape) > 1]
        used = 2 * _positions(layer) * sum(math.prod(w.shape) for w in kernels)
        # From the first layer that trains on, inputs have gradients too.
        gradients += used * (bool(gradients) + bool(layer.trainable_weights))
        forward += used
    return splits["train"] * (forward + gradients) + forward * sum(splits.values())


def _layers_with_kernels(model: Any) -> Iterator[Any]:
    for layer in model.layers:
        if hasattr(layer, "layers"):
            yield from _layers_with_kernels(layer)
        elif type(layer).__name__ != "Embedding":
            yield layer


def _positions(layer: Any) -> int:
    """Return how often a layer's kernel is applied to one row of data."""
    if hasattr(layer, "cell"):
        return layer.input.shape[1]
    return math.prod(layer.output.shape[1:-1])


class MatrixMultiply:
    """Multiplies large float32 matrices: the most arithmetic that a core does."""

    def prepare(self, task: Task) -> None:
        """Do nothing."""

    def train(self, task: Task) -> Trained:
        """Do nothing."""
        return Trained(0, 0)

    def peak(self, size: int = 2048, seconds: float = 2.0) -> float:
        """Return the operations a second in the fastest product."""
        a = np.random.default_rng(0).random((size, size), np.float32)
        fastest, until = np.inf, time.perf_counter() + seconds
        while time.perf_counter() < until:
            started = time.perf_counter()
            np.matmul(a, a)
            fastest = min(fastest, time.perf_counter() - started)
        return 2 * size**3 / fastest
