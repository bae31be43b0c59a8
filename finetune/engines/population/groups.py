"""How many rows one call of the graph trains: all of them, or fewer where that is faster.

Small networks gain by every row that a call trains more. The activations of many rows of a large
one leave the processor's cache, and rows that only fill up a call are computed in vain. How large
a group is changes no number: sizes between which is chosen give the same bits.
"""

import time
from collections.abc import Callable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import tensorflow as tf

if TYPE_CHECKING:
    from finetune.engines.population.state import State

# Of all rows, and of a state and what it measures, one epoch: `PopulationGraph.epoch`.
Epoch = Callable[..., tuple["State", dict[str, tf.Tensor]]]

# Bytes of one row in a step. With fewer than the first, all rows at once were fastest in every
# network that was tried (reports/speed); with activations of more than the second, one row was:
# always one, since a convolution for one row rounds otherwise than one for several.
_SMALL, _LARGE = 400e3, 8e6

# The sizes between which measured times decide, that which is taken without them first.
_SIZES = (16, 4, 64)
# At most this share of the epochs of a task's runs is spent on measuring, each size so often.
_SHARE, _TIMES = 0.1, 2


class GroupSizes:
    """The numbers of rows that a call may train, and what a call of each takes.

    Kept with the graph, and so with the worker: times are measured once for a problem.

    Args:
        activations: Bytes of what a row's operations give in a training step.
        state: Bytes of its weights and optimizer slots.
        multiple: All rows at once come in multiples of this (see `vector_length`).
    """

    def __init__(self, activations: float, state: float, multiple: int):
        small, large = activations + state < _SMALL, activations > _LARGE
        sizes = () if small else (1,) if large else _SIZES
        self._multiple = multiple
        self._candidates = sizes
        self._seconds: dict[int, float] = dict.fromkeys(sizes[:1], 0.0)
        self._chosen = len(sizes) < 2

    @property
    def most(self) -> int | None:
        """The most rows of a call; None where it trains all."""
        return max(self._candidates, default=None)

    def of(self, rows: int) -> int | None:
        """Return the rows a call for so many rows in all; None for all of them."""
        times = {size: -(-rows // size) * taken for size, taken in self._seconds.items()}
        return min(times, key=times.__getitem__, default=None)

    def multiple(self, rows: int) -> int:
        """Return what the number of rows must be a multiple of, to train so many in groups."""
        return self.of(rows) or self._multiple

    def to_measure(self, run_epochs: int, runs: int) -> tuple[int, ...]:
        """Return the sizes to measure for a task; () where it is done, or would not pay."""
        sizes = tuple(size for size in self._candidates if size <= max(runs, _SIZES[0]))
        pays = _TIMES * sum(sizes) <= _SHARE * run_epochs
        return sizes if pays and not self._chosen else ()

    def learn(self, seconds: Mapping[int, float]) -> None:
        """Take measured times, seconds a call by size, to choose by."""
        self._seconds, self._chosen = dict(seconds), True


@cache
def vector_length(dtype: str) -> int:
    """Return how many elements the vector instructions of TensorFlow's own kernels take.

    Numbers of elements that are multiples of it are computed by them alone; scalar instructions,
    used for a remainder, round functions such as the logarithm differently.
    """
    numbers = tf.constant(np.linspace(0.1, 9, 64), dtype)
    whole = tf.math.log(numbers).numpy()

    def leaves_no_remainder(length: int) -> bool:
        parts = (tf.math.log(numbers[:n]).numpy() for n in range(length, 64, length))
        return all(np.array_equal(part, whole[: len(part)]) for part in parts)

    return next(filter(leaves_no_remainder, (1, 4, 8)), 16)


def in_groups(epoch: Epoch, size: int | None, state: "State", data: Any, by_row: dict[str, Any]):
    """Train an epoch in groups of rows, and return what training all of them at once returns.

    Args:
        epoch: Trains some rows.
        size: Rows a group, which divides the number of rows; None for all.
        state: All rows.
        data: As `epoch` takes it.
        by_row: Its further arguments, each (row, ...) or a scalar for all rows.
    """
    rows = len(state.weights[0])
    if size is None or size >= rows:
        return epoch(state, data, **by_row)

    def group(begin: int):
        def some(tensor):
            return tensor[begin : begin + size] if tensor.shape.rank else tensor

        chosen, arguments = tf.nest.map_structure(some, (state, by_row))
        return epoch(chosen, data, **arguments)

    groups = [group(begin) for begin in range(0, rows, size)]
    return tf.nest.map_structure(lambda *parts: tf.concat(parts, 0), *groups)


def measure(
    epoch: Epoch, sizes: tuple[int, ...], state: "State", data: Any, by_row: dict[str, Any]
) -> dict[int, float]:
    """Time an epoch of as many rows as each size, and return the seconds by size.

    The rows are those given, repeated where a size has more. A size of which any bit is another
    than with the first size is left out.
    """
    seconds: dict[int, float] = {}
    first: Any = None
    for size in sizes:
        chosen = np.arange(size) % len(state.weights[0])

        def some(tensor, chosen=chosen):
            return tf.gather(tensor, chosen) if tensor.shape.rank else tensor

        given, arguments = tf.nest.map_structure(some, (state, by_row))
        times, result = [], None
        # The first call makes what later ones use.
        for _ in range(_TIMES):
            started = time.perf_counter()
            result = tf.nest.map_structure(np.asarray, epoch(given, data, **arguments))
            times.append(time.perf_counter() - started)
        first = first or result
        if _same_bits(first, result):
            seconds[size] = min(times)
    return seconds


def _same_bits(first: Any, second: Any) -> bool:
    """Return whether the rows that two results of an epoch have in common are equal."""
    pairs = zip(tf.nest.flatten(first), tf.nest.flatten(second), strict=True)
    common = ((x[: len(y)], y[: len(x)]) for x, y in pairs)
    return all(np.array_equal(x, y, equal_nan=x.dtype.kind == "f") for x, y in common)
