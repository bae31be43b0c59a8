"""Operations that see tensors otherwise or take them apart, for all rows at once."""

import math
from typing import Any

import tensorflow as tf
from tensorflow.python.ops import list_ops
from tensorflow.python.ops.parallel_for import pfor as conversion

# Numbers a slice, of which the kernel of sparse products makes a plain loop.
_SHORT = range(2, 32)


def _gather(operation, usual):
    """Take every row in order by taking the tensor itself, without a copy."""
    tensor, tensor_is_stacked, _ = operation.input(0)
    index, index_is_stacked, _ = operation.input(1)
    pfor = operation.pfor
    # In a loop that is split up, `all_indices` are those of one piece only.
    every_row = index is pfor.all_indices and not pfor.all_indices_partitioned
    if index_is_stacked and not tensor_is_stacked and every_row:
        return conversion.wrap(tensor, True)
    return usual(operation)


def _bitcast(operation, usual):
    """Read the same bytes as another type, as the accuracy of several classes does."""
    return conversion.wrap(tf.bitcast(operation.stacked_input(0), operation.get_attr("type")), True)


def _zeros_like(operation, usual):
    """Make a list of tensors one of zeros, as the gradient of a loop over time does."""
    tensor = operation.stacked_input(0)
    if tensor.dtype == tf.variant:
        return conversion.wrap(tf.raw_ops.ZerosLike(x=tensor), True)
    shape = operation.op.outputs[0].shape
    if shape.is_fully_defined():
        return conversion.wrap(tf.zeros(shape, tensor.dtype), False)
    return usual(operation)


def _reshape(operation, usual):
    """Give every row a shape that is known when the graph is made."""
    shape = operation.op.outputs[0].shape
    if shape.is_fully_defined() and shape.num_elements():
        return conversion.wrap(tf.reshape(operation.stacked_input(0), [-1, *shape]), True)
    return usual(operation)


def _select(operation, usual):
    """Choose between tensors of one shape; those that rows share are not repeated for each."""
    chosen = operation.op.inputs
    shape = chosen[0].shape
    if shape.rank and all(shape.is_fully_defined() and t.shape == shape for t in chosen):
        return conversion.wrap(tf.where(*(operation.input(i).t for i in range(3))), True)
    return usual(operation)


def _bias_gradient(operation, usual):
    """Add up each row's gradients over all axes but the last."""
    shape = operation.op.inputs[0].shape
    if shape.is_fully_defined() and operation.get_attr("data_format") == b"NHWC":
        flat = tf.reshape(operation.stacked_input(0), [-1, math.prod(shape[:-1]), shape[-1]])
        return conversion.wrap(tf.reduce_sum(flat, 1), True)
    return usual(operation)


def _list_from_tensor(operation, usual):
    """Take the inputs of a loop over time apart; TensorFlow forgets their shape in doing so."""
    tensor = conversion._transpose_first_two_dims(operation.stacked_input(0))
    handle = list_ops.tensor_list_from_tensor(tensor, tf.shape(tensor)[1:])
    return conversion.wrap(conversion._tile_variant(handle, operation), True)


def _squeeze(operation, usual):
    """Drop the axes of length 1 that one row has; TensorFlow would drop a single row's own."""
    if operation.get_attr("squeeze_dims"):
        return usual(operation)
    shape = operation.op.inputs[0].shape
    axes = [axis + 1 for axis, length in enumerate(shape) if length == 1]
    tensor = operation.stacked_input(0)
    return conversion.wrap(tf.squeeze(tensor, axes) if axes else tensor, True)


def _segment_sum(operation, usual):
    """Add up the slices of each segment: short ones as a product with a sparse matrix of ones.

    That adds in the same order, to the same bits, in a plain loop: a third of the time of
    TensorFlow's own kernel, which sets up vector instructions anew for every slice.
    """
    (sums,) = operation.op.outputs
    shape = sums.shape
    short = shape.rank == 2 and shape.is_fully_defined() and shape[1] in _SHORT
    # Of other types the kernel knows few, and adds float16 to other bits.
    if not short or sums.dtype not in (tf.float32, tf.float64):
        return usual(operation)
    segments, length = shape
    data, own = operation.stacked_input(0), tf.cast(operation.stacked_input(1), tf.int64)
    rows: Any = tf.shape(own, tf.int64)[0]
    # A negative id means that its slice does not count: it goes to one segment more.
    others = rows * segments
    into = tf.where(own < 0, others, own + segments * tf.range(rows)[:, None])
    into = tf.reshape(into, [-1])
    total = tf.raw_ops.SparseTensorDenseMatMul(
        a_indices=tf.stack([into, tf.range(tf.size(into, tf.int64))], 1),
        a_values=tf.ones_like(into, data.dtype),
        a_shape=tf.stack([others + 1, tf.size(into, tf.int64)]),
        b=tf.reshape(data, [-1, length]),
    )
    return conversion.wrap(tf.reshape(total[:-1], [-1, segments, length]), True)


TENSORS = {
    "GatherV2": _gather,
    "Bitcast": _bitcast,
    "ZerosLike": _zeros_like,
    "Reshape": _reshape,
    "Select": _select,
    "BiasAddGrad": _bias_gradient,
    "Squeeze": _squeeze,
    "TensorListFromTensor": _list_from_tensor,
    "UnsortedSegmentSum": _segment_sum,
}
