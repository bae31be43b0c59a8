"""How many rows one call of the graph trains: all of them, or fewer where that is faster.

Small networks gain by every row that a call trains more. The activations of many rows of a large
one leave the processor's cache. How large a group is changes no number: sizes between which is
chosen give the same bits.
"""

import math
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import tensorflow as tf

if TYPE_CHECKING:
    from finetune.engines.population.state import State

# What `PopulationGraph.trace` returns.
Epoch = Callable[..., tuple["State", dict[str, tf.Tensor]]]

# Bytes of one row in a step. With fewer than the first, all rows at once were fastest in every
# network that was tried (reports/speed); with activations of more than the second, one row was.
_SMALL, _LARGE = 400e3, 8e6

# Rows of a call, unless it is always one: a convolution for one rounds otherwise than for several.
_LEAST = 2

# The sizes between which measured times decide, that which is taken without them first.
_SIZES = (16, 4, 64)
# At most this share of the epochs of a task's runs is spent on measuring, each size so often.
_SHARE, _TIMES = 0.1, 2


class GroupSizes:
    """The numbers of rows that calls train, and what a call of each takes.

    Kept with the graph, and so with the worker: times are measured once for a problem.

    Args:
        activations: Bytes of what a row's operations give in a training step.
        state: Bytes of its weights and optimizer slots.
    """

    def __init__(self, activations: float, state: float):
        small, self._alone = activations + state < _SMALL, activations > _LARGE
        self._sizes = () if small else (1,) if self._alone else _SIZES
        self._multiple = 1
        self._seconds: dict[int, float] = {}

    def allow_multiples_of(self, multiple: int) -> None:
        """Let numbers of rows be multiples of this (see `row_multiple`) and of earlier ones."""
        self._multiple = math.lcm(self._multiple, 1 if self._alone else multiple)

    @property
    def most(self) -> int | None:
        """The most rows of a call; None where it trains all."""
        return max(self._sizes, default=None)

    def padded(self, rows: int) -> int:
        """Return how many rows to train where so many are wanted."""
        least = 1 if self._alone else _LEAST
        return -(-max(rows, least) // self._multiple) * self._multiple

    def split(self, rows: int) -> list[int]:
        """Return the rows of each call, of so many in all, a number that `padded` gives."""
        if not self._seconds:
            return self._evenly(rows, next(iter(self._sizes), rows))
        return min((self._evenly(rows, size) for size in self._seconds), key=self._time)

    def to_measure(self, run_epochs: int, runs: int) -> tuple[int, ...]:
        """Return the sizes to measure for a task; () where it is done, or would not pay."""
        sizes = tuple(size for size in self._sizes if size <= max(runs, _SIZES[0]))
        pays = _TIMES * sum(sizes) <= _SHARE * run_epochs
        return sizes if pays and len(sizes) > 1 and not self._seconds else ()

    def learn(self, seconds: Mapping[int, float]) -> None:
        """Take measured times, seconds a call by size, to choose by; all gave the same bits."""
        self._seconds = dict(sorted(seconds.items()))
        self._multiple = math.gcd(self._multiple, *seconds)

    def _evenly(self, rows: int, size: int) -> list[int]:
        """Split rows into as few calls of at most so many as can be, as equal as can be."""
        multiples = rows // self._multiple
        calls = min(-(-rows // size), multiples)
        return [self._multiple * len(part) for part in np.array_split(range(multiples), calls)]

    def _time(self, split: list[int]) -> float:
        """Estimate the seconds of calls of so many rows, between those measured."""
        return sum(np.interp(split, [*self._seconds], [*self._seconds.values()]))


def in_groups(epoch: Epoch, split: list[int], state: "State", data: Any, by_row: dict[str, Any]):
    """Train an epoch in groups of rows, and return what training all of them at once returns.

    Args:
        epoch: Trains some rows.
        split: Rows of each group.
        state: All rows.
        data: As `epoch` takes it.
        by_row: Its further arguments, each (row, ...) or a scalar for all rows.
    """
    if len(split) == 1:
        return epoch(state, data, **by_row)

    def group(begin: int, rows: int):
        def some(tensor):
            return tensor[begin : begin + rows] if tensor.shape.rank else tensor

        chosen, arguments = tf.nest.map_structure(some, (state, by_row))
        return epoch(chosen, data, **arguments)

    begins = np.cumsum([0, *split[:-1]])
    groups = [group(begin, rows) for begin, rows in zip(begins, split, strict=True)]
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
