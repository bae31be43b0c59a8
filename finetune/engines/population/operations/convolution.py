"""Convolutions with a kernel for each row: one grouped convolution of all rows.

The channels of all rows stand side by side, and so do their kernels; each group of channels meets
the kernel of its row alone. On processors oneDNN computes this, with gradients, in float32.
"""

from functools import cache, partial
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow.python.ops.parallel_for import pfor as conversion

# What two ways to compute a convolution may differ by.
_ROUNDING = 1e-4


def _forward(operation, usual):
    """Convert Conv2D, of images (row, batch, height, width, channel) and kernels (row, ...)."""
    if not _grouped(operation, kernel=1):
        return usual(operation)
    images, kernels = _stacked(operation, 0, 1)
    return _convolved(operation, [_side_by_side(images), _side_by_side(kernels)])


def _of_images(operation, usual):
    """Convert Conv2DBackpropInput: of the images' shape, kernels and the outputs' gradients."""
    if not _grouped(operation, kernel=1):
        return usual(operation)
    kernels, gradients = _stacked(operation, 1, 2)
    shape = _times_rows(operation.unstacked_input(0), kernels)
    return _convolved(operation, [shape, _side_by_side(kernels), _side_by_side(gradients)])


def _of_kernels(operation, usual):
    """Convert Conv2DBackpropFilter: of images, the kernels' shape and the outputs' gradients."""
    if not _grouped(operation, kernel=0):
        return usual(operation)
    images, gradients = _stacked(operation, 0, 2)
    shape = _times_rows(operation.unstacked_input(1), images)
    return _convolved(operation, [_side_by_side(images), shape, _side_by_side(gradients)])


CONVOLUTIONS = {
    "Conv2D": _forward,
    "Conv2DBackpropInput": _of_images,
    "Conv2DBackpropFilter": _of_kernels,
}


def _grouped(operation: Any, *, kernel: int) -> bool:
    """Return whether TensorFlow has no better way, and this one works here.

    Args:
        operation: What is converted.
        kernel: The input that TensorFlow converts well where all rows share it.
    """
    if not operation.input(kernel)[1] or operation.get_attr("data_format") != b"NHWC":
        return False
    return grouped_convolutions_work(tf.as_dtype(operation.get_attr("T")).name)


def _stacked(operation: Any, *positions: int) -> list[tf.Tensor]:
    operation.stack_inputs(list(positions))
    return [operation.stacked_input(position) for position in positions]


def _convolved(operation: Any, inputs: list[tf.Tensor]):
    """Return what the operation gives of inputs that stand side by side, row by row again."""
    attributes = operation.op.node_def.attr
    types = [output.dtype for output in operation.outputs]
    (output,) = conversion._create_op(operation.op_type, inputs, types, attributes).outputs
    return conversion.wrap(_row_by_row(output, operation.pfor.loop_len_vector), True)


def _side_by_side(tensor: Any) -> tf.Tensor:
    """Join rows and channels: (row, a, b, c, channel) to (a, b, c, row and channel)."""
    swapped = tf.transpose(tensor, [1, 2, 3, 0, 4])
    shape = tf.shape(swapped)
    return tf.reshape(swapped, tf.concat([shape[:3], shape[3:4] * shape[4:]], 0))


def _row_by_row(tensor: tf.Tensor, rows: Any) -> tf.Tensor:
    """Undo `_side_by_side`."""
    shape = tf.concat([tf.shape(tensor)[:3], rows, [-1]], 0)
    return tf.transpose(tf.reshape(tensor, shape), [3, 0, 1, 2, 4])


def _times_rows(shape: tf.Tensor, stacked: tf.Tensor) -> tf.Tensor:
    """Return the shape of (a, b, c, channel) with the channels of all rows."""
    return shape * tf.concat([[1, 1, 1], tf.shape(stacked)[:1]], 0)


@cache
def grouped_convolutions_work(dtype: str) -> bool:
    """Return whether this machine computes grouped convolutions, and their gradients, rightly.

    Not all do: TensorFlow's own kernels for processors refuse the gradients, and oneDNN, where it
    is built in, has float32 alone.
    """
    rng = np.random.default_rng(0)
    images = rng.normal(size=(2, 3, 4, 4, 2)).astype(dtype)
    kernels = rng.normal(size=(2, 3, 3, 2, 5)).astype(dtype)
    outputs = rng.normal(size=(2, 3, 4, 4, 5)).astype(dtype)
    # Tried at once, though a graph may be under construction.
    with tf.init_scope():
        try:
            together = _tried(*map(_side_by_side, (images, kernels, outputs)))
        except (tf.errors.OpError, ValueError):
            return False
        alone = [_tried(*row) for row in zip(images, kernels, outputs, strict=True)]
        rows = [np.stack(tensors) for tensors in zip(*alone, strict=True)]
        pairs = zip(map(partial(_row_by_row, rows=[2]), together), rows, strict=True)
        return all(np.allclose(ours, usual, atol=_ROUNDING) for ours, usual in pairs)


def _tried(images: Any, kernels: Any, gradients: Any) -> list[tf.Tensor]:
    """Return a convolution and its two gradients."""
    options = {"strides": [1, 1, 1, 1], "padding": "SAME"}
    given = {"out_backprop": gradients, **options}
    raw = tf.raw_ops
    return [
        raw.Conv2D(input=images, filter=kernels, **options),
        raw.Conv2DBackpropInput(input_sizes=tf.shape(images), filter=kernels, **given),
        raw.Conv2DBackpropFilter(input=images, filter_sizes=tf.shape(kernels), **given),
    ]
