"""Mapping a function of one row over all rows, vectorised, without copying the rows first."""

import logging
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import tensorflow as tf
from tensorflow.python.ops.parallel_for import control_flow_ops
from tensorflow.python.ops.parallel_for import pfor as conversion

from finetune.engines.population.operations import CONVERTERS

# How TensorFlow writes an operation, in its errors and in its log.
_OPERATION = re.compile(r'name: "([^"]*)"\s+op: "(\w+)"')


class MappingError(Exception):
    """A function cannot be mapped over rows.

    Attributes:
        kind: Of the operation that cannot, as "Conv2D"; None where TensorFlow names none.
        operation: Its name in the graph; "" where TensorFlow names none.
    """

    def __init__(self, told: str):
        super().__init__(told)
        found = _OPERATION.search(told)
        self.operation, self.kind = found.groups() if found else ("", None)


def map_rows(function: Callable[[Any], Any], rows: Any, *, fall_back: bool) -> Any:
    """Apply a function of one row to every row, as `tf.vectorized_map` does.

    Where the number of rows is not known at tracing, `tf.vectorized_map` first gathers, and so
    copies, every tensor: here that was a tenth of the time of training. Taking all rows in order
    is the tensor itself.

    Args:
        function: Takes one row of every tensor.
        rows: Nested tensors, each (row, ...).
        fall_back: Whether operations that cannot be vectorised run row by row.

    Raises:
        MappingError: An operation cannot be vectorised and `fall_back` is False, or it cannot even
            be run row by row.

    Source: `vectorized_map`, tensorflow/python/ops/parallel_for/control_flow_ops.py, 2.21.
    """

    def one_row(index: tf.Tensor) -> Any:
        return function(tf.nest.map_structure(lambda tensor: tf.gather(tensor, index), rows))

    count = tf.shape(tf.nest.flatten(rows)[0])[0]
    with _converters_in_place(), _log_kept() as told:
        try:
            return control_flow_ops.pfor(
                one_row, count, fallback_to_while_loop=fall_back, warn=False
            )
        # Converters of operations raise all kinds of exceptions.
        except Exception as error:
            raise MappingError("\n".join([*told, str(error)])) from error


@contextmanager
def _converters_in_place() -> Iterator[None]:
    """Convert operations by our converters while this lasts."""
    registry = conversion._pfor_converter_registry
    usual = {kind: registry.get(kind) for kind in CONVERTERS}
    for kind, convert in CONVERTERS.items():
        registry[kind] = partial(convert, usual=usual[kind] or _not_converted)
    try:
        yield
    finally:
        for kind, converter in usual.items():
            if converter:
                registry[kind] = converter
            else:
                del registry[kind]


def _not_converted(operation: Any) -> None:
    """Say that an operation has no converter, as TensorFlow says it.

    Raises:
        ConversionNotImplementedError: Always; the operation then runs row by row where it may.
    """
    raise conversion.ConversionNotImplementedError(f"no converter of {operation.op_type}")


@contextmanager
def _log_kept() -> Iterator[list[str]]:
    """Keep what TensorFlow logs from the user, who would get the whole graph; yield it instead."""
    told: list[str] = []
    logger = logging.getLogger("tensorflow")

    def keep(record: logging.LogRecord) -> bool:
        told.append(record.getMessage())
        return False

    logger.addFilter(keep)
    try:
        yield told
    finally:
        logger.removeFilter(keep)
