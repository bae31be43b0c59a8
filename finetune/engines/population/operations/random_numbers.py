"""Stateless random numbers, as dropout draws them, for all rows at once.

All operations of a loop that draw alike are converted together, since a call of the generator costs
as much as thousands of its numbers.
"""

from typing import Any

import tensorflow as tf
from tensorflow.python.ops.parallel_for import pfor as conversion

from finetune.engines.population.operations.philox import draw, keys_of, philox_works

# Algorithms by number: Philox, and what the device prefers, looked at when the generator is tried.
_ALGORITHMS = (1, 3)


def _key_counter(operation, usual):
    """Convert StatelessRandomGetKeyCounter, of seeds (row, 2)."""
    if not philox_works("key", "uint64"):
        return usual(operation)
    keys, counters = keys_of(operation.stacked_input(0))
    return [conversion.wrap(keys, True), conversion.wrap(counters, True)]


def _numbers(operation, usual, *, kind: str):
    """Convert StatelessRandom*V2, of a shape, keys (row, 1), counters (row, 2), an algorithm.

    Keys and counters are made anew with the numbers, in one call, of the seeds that they are of.
    """
    own, dtype = operation.op, tf.as_dtype(operation.get_attr("dtype")).name
    if not philox_works(kind, dtype):
        return usual(operation)
    asked = {other: _asked(other, operation.pfor) for other in _alike(operation)}
    wanted = {other: numbers for other, numbers in asked.items() if numbers}
    if own not in wanted:
        return usual(operation)
    drawn = draw([*wanted.values()], kind=kind, dtype=dtype)
    given = dict(zip(wanted, (conversion.wrap(n, True) for n in drawn), strict=True))
    for other, numbers in given.items():
        operation.pfor._add_conversion(other.outputs[0], numbers)
    return given[own]


def _alike(operation: Any) -> list[Any]:
    """Return an operation, and those of its kind in the loop that may be converted with it."""
    own, pfor = operation.op, operation.pfor
    return [
        other
        for other in own.graph.get_operations()
        if other.type == own.type
        and other.get_attr("dtype") == own.get_attr("dtype")
        and pfor.op_is_inside_loop(other)
        and other.outputs[0] not in pfor._conversion_map
        and (other is own or not _needs_numbers(other))
    ]


def _asked(operation: Any, pfor: Any) -> tuple[tf.Tensor, list[int]] | None:
    """Return the seeds of all rows, (row, 2), and the shape of the numbers of each.

    None where rows share a seed, or the shape, the seed or the algorithm is not known.
    """
    shape, key, _, algorithm = operation.inputs
    known = tf.get_static_value(shape)
    of_seed = key.op.type == "StatelessRandomGetKeyCounter"
    if known is None or not of_seed or tf.get_static_value(algorithm) not in _ALGORITHMS:
        return None
    pfor.convert(_seed(operation))
    seeds = pfor._conversion_map[_seed(operation)]
    return (seeds.t, known.tolist()) if seeds.is_stacked else None


def _seed(operation: Any) -> Any:
    """Return the seed that the key of an operation is made of."""
    return operation.inputs[1].op.inputs[0]


def _needs_numbers(operation: Any) -> bool:
    """Return whether the key of an operation is itself made of random numbers."""
    # From the seed on, which is the input of what makes the key of it.
    seen, left = set(), [tensor.op for tensor in operation.inputs[1].op.inputs]
    while left:
        one = left.pop()
        if one.type in RANDOM_NUMBERS:
            return True
        if one.name not in seen:
            seen.add(one.name)
            left.extend(tensor.op for tensor in one.inputs)
    return False


RANDOM_NUMBERS = {
    "StatelessRandomGetKeyCounter": _key_counter,
    "StatelessRandomUniformV2": lambda operation, usual: _numbers(operation, usual, kind="uniform"),
    "StatelessRandomNormalV2": lambda operation, usual: _numbers(operation, usual, kind="normal"),
}
