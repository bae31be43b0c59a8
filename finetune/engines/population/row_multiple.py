"""Of what the number of rows must be a multiple, so that no row's numbers depend on it.

Vector instructions compute several numbers of a tensor at once, scalar ones its remainder. The two
round functions such as the logarithm differently and add up in another order, so a row would depend
on where in a tensor it lies. Where a row has as many numbers in each such tensor as a vector, or a
multiple of that, there is no remainder, whatever the number of rows.
"""

import math
from collections.abc import Iterator
from functools import cache
from typing import Any

import numpy as np
import tensorflow as tf

from finetune.engines.population.model_trace import all_operations

# Round as IEEE 754 says, in vectors and in remainders; not so Relu, of the smallest numbers.
_EXACT = {
    "Abs", "Add", "AddN", "AddV2", "Maximum", "Minimum", "Mul", "Neg", "RealDiv", "Sqrt",
    "Square", "SquaredDifference", "Sub",
}  # fmt: skip
# Take numbers elsewhere as they are, or call functions, whose own operations are looked at.
_MOVING = {
    "BroadcastTo", "Cast", "ConcatV2", "EnsureShape", "ExpandDims", "Fill", "GatherV2", "Identity",
    "If", "OnesLike", "Pack", "Pad", "PadV2", "PartitionedCall", "Placeholder", "PreventGradient",
    "Reshape", "Select", "SelectV2", "Slice", "Split", "SplitV", "Squeeze",
    "StatefulPartitionedCall", "StatelessIf", "StatelessWhile", "StopGradient", "StridedSlice",
    "StridedSliceGrad", "TensorListConcatV2", "TensorListGetItem", "TensorListPopBack",
    "TensorListStack", "Tile", "Transpose", "Unpack", "While", "ZerosLike",
}  # fmt: skip
# Of one number a row: the last axes are reduced, each row's in the same way.
_REDUCTIONS = {"Max", "Mean", "Min", "Sum"}


def row_multiple(graph: Any, dtype: str) -> int:
    """Return what the number of rows must be a multiple of in a traced graph.

    Args:
        graph: Its tensors' only axes of open length are those of rows, alone or joined with others.
        dtype: Of the numbers that it computes.
    """
    length = vector_length(dtype)
    return math.lcm(1, *(length // math.gcd(length, n) for n in _numbers_of_a_row(graph)))


def _numbers_of_a_row(graph: Any) -> Iterator[int]:
    """Yield how many numbers a row has in every tensor whose numbers may depend on their place.

    That is 1 where it is not known.
    """
    for operation in all_operations(graph):
        for tensor in operation.outputs:
            if not tensor.dtype.is_floating or operation.type in _EXACT | _MOVING:
                continue
            axes = tensor.shape.as_list() if tensor.shape.rank is not None else [None]
            known = math.prod(axis for axis in axes if axis is not None)
            reduced = operation.type in _REDUCTIONS and known == 1
            if None in axes and not reduced:
                yield known


@cache
def vector_length(dtype: str) -> int:
    """Return how many numbers the vector instructions of TensorFlow's own kernels take."""
    numbers = tf.constant(np.linspace(0.1, 9, 64), dtype)
    whole = tf.math.log(numbers).numpy()

    def leaves_no_remainder(length: int) -> bool:
        parts = (tf.math.log(numbers[:n]).numpy() for n in range(length, 64, length))
        return all(np.array_equal(part, whole[: len(part)]) for part in parts)

    return next(filter(leaves_no_remainder, (1, 4, 8)), 16)
