"""How operations of one row of weights become operations of all rows, where TensorFlow has none.

A converter is a function of a TensorFlow `_PforInput`, whose inputs are (row, ...) where they are
stacked, and of `usual`, what TensorFlow itself would do; it returns the operation's outputs. Those
that differ from what TensorFlow does enter `CONVERTERS`.

Source: tensorflow/python/ops/parallel_for/pfor.py, 2.21.
"""

from collections.abc import Callable, Mapping
from typing import Any

from finetune.engines.population.operations.convolution import CONVOLUTIONS
from finetune.engines.population.operations.random_numbers import RANDOM_NUMBERS
from finetune.engines.population.operations.tensors import TENSORS

Converter = Callable[..., Any]

# By the kind of the operation.
CONVERTERS: Mapping[str, Converter] = {**TENSORS, **CONVOLUTIONS, **RANDOM_NUMBERS}
