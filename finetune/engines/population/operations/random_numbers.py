"""TensorFlow's own stateless random numbers, for the keys of all rows at once.

TensorFlow draws for one key at a time. Here the generator itself, Philox 4x32 with ten rounds, is
written in tensors of many keys and compiled by XLA into one vectorised loop: a tenth of the time
of a loop over rows. Uniform numbers are TensorFlow's to the last bit, normal ones to rounding.

Source: Salmon et al. (2011), "Parallel random numbers: as easy as 1, 2, 3"; tensorflow/core/lib/
random/{philox_random,random_distributions}.h and stateless_random_ops_v2, TensorFlow 2.21.
"""

import math
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow.python.ops.parallel_for import pfor as conversion

# One call of a compiled function draws so many streams of so many blocks of 128 bits: one shape,
# so that it is compiled once for whatever a network draws.
_STREAMS, _BLOCKS = 256, 32

_ROUNDS = 10
_MULTIPLIERS = 0xD2511F53, 0xCD9E8D57
_KEY_STEPS = 0x9E3779B9, 0xBB67AE85
# With which a seed, as a counter, becomes a key.
_SCRAMBLING_KEY = 0x02461E293EC8F720
# Algorithms by number: Philox, and what the device prefers, looked at when the generator is tried.
_ALGORITHMS = (1, 3)

# Of tensors, whose operators `^` and the like TensorFlow does not annotate.
Words = list[Any]


def _key_counter(operation, usual):
    """Convert StatelessRandomGetKeyCounter, of seeds (row, 2)."""
    if not philox_works("key", "uint64"):
        return usual(operation)
    keys, counters = _keys_of(operation.stacked_input(0))
    return [conversion.wrap(keys, True), conversion.wrap(counters, True)]


def _numbers(operation, usual, *, kind: str):
    """Convert StatelessRandom*V2, of a shape, keys (row, 1), counters (row, 2), an algorithm."""
    dtype = tf.as_dtype(operation.get_attr("dtype")).name
    algorithm = tf.get_static_value(operation.unstacked_input(3))
    if algorithm not in _ALGORITHMS or not philox_works(kind, dtype):
        return usual(operation)
    operation.stack_inputs([1, 2])
    keys, counters = operation.stacked_input(1), operation.stacked_input(2)
    shape = operation.unstacked_input(0)
    return conversion.wrap(draw(keys, counters, shape, kind=kind, dtype=dtype), True)


RANDOM_NUMBERS = {
    "StatelessRandomGetKeyCounter": _key_counter,
    "StatelessRandomUniformV2": lambda operation, usual: _numbers(operation, usual, kind="uniform"),
    "StatelessRandomNormalV2": lambda operation, usual: _numbers(operation, usual, kind="normal"),
}


def draw(keys: tf.Tensor, counters: tf.Tensor, shape: tf.Tensor, *, kind: str, dtype: str):
    """Draw (row, *shape) numbers, for each row those of its key (row, 1) and counter (row, 2)."""
    per_stream = _BLOCKS * 16 // tf.as_dtype(dtype).size
    size = tf.reduce_prod(tf.cast(shape, tf.int32))
    streams, rows = -(-size // per_stream), tf.shape(keys)[0]
    start = _BLOCKS * tf.cast(tf.range(streams), tf.int64)
    low, high = _advanced(counters[:, :1], counters[:, 1:], tf.cast(start, tf.uint64))
    key = tf.broadcast_to(keys, tf.shape(low))
    numbers = _in_pieces(_compiled(kind, dtype), *(tf.reshape(t, [-1]) for t in (key, low, high)))
    numbers = tf.reshape(tf.bitcast(numbers, dtype), [rows, streams * per_stream])
    return tf.reshape(numbers[:, :size], tf.concat([[rows], tf.cast(shape, tf.int32)], 0))


def _keys_of(seeds: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Return the key (row, 1) and the counter (row, 2) of each seed (row, 2)."""
    counter = tf.cast(seeds, tf.uint64)
    key = tf.fill(tf.shape(seeds)[:1], tf.constant(_SCRAMBLING_KEY, tf.uint64))
    mixed = _in_pieces(_compiled("key", "uint64"), key, counter[:, 0], counter[:, 1])
    return mixed[:, :1], tf.stack([tf.zeros_like(key), mixed[:, 1]], axis=1)


def _in_pieces(function: Callable[..., tf.Tensor], *streams: tf.Tensor) -> tf.Tensor:
    """Apply a function of `_STREAMS` streams to any number of them, (stream,) each."""
    count: Any = tf.shape(streams[0])[0]
    pieces = -(-count // _STREAMS)
    missing = tf.zeros(pieces * _STREAMS - count, tf.uint64)
    filled = [tf.concat([stream, missing], 0) for stream in streams]
    kind = function(*(tf.zeros(_STREAMS, tf.uint64) for _ in streams))
    table = tf.TensorArray(kind.dtype, pieces, element_shape=kind.shape)

    def body(piece, table):
        begin = piece * _STREAMS
        # Their length is known, as XLA wants it.
        given = [tf.ensure_shape(s[begin : begin + _STREAMS], [_STREAMS]) for s in filled]
        return piece + 1, table.write(piece, function(*given))

    _, table = tf.while_loop(
        lambda piece, _: piece < pieces, body, (0, table), parallel_iterations=1
    )
    return table.concat()[:count]


@cache
def _compiled(kind: str, dtype: str) -> Callable[..., tf.Tensor]:
    """Return a function of keys and counters, each (stream,), compiled by XLA.

    It gives (stream, block) complex numbers of 128 bits, which hold the numbers of a block, or for
    "key" (stream, 2) of uint64.
    """
    convert = _CONVERSIONS[kind, dtype]

    @tf.function(jit_compile=True, autograph=False)
    def numbers(key, low, high):
        if kind == "key":
            return tf.stack(_paired(_philox(key, low, high)), axis=1)
        block = tf.range(_BLOCKS, dtype=tf.int64)
        counters = _advanced(low[:, None], high[:, None], tf.cast(block, tf.uint64))
        halves = convert(_philox(key[:, None], *counters))
        # No numbers are meant: of all ways to lay four words side by side, this one is a tenth of
        # the time of `tf.stack`.
        return tf.complex(*(tf.bitcast(half, tf.float64) for half in halves))

    return numbers


def _philox(key: tf.Tensor, low: tf.Tensor, high: tf.Tensor) -> Words:
    """Return the four words, uint32, of each block, given its key and its counter, uint64."""
    keys = _words(key)
    a, b, c, d = *_words(low), *_words(high)
    for _ in range(_ROUNDS):
        (lower_a, upper_a), (lower_c, upper_c) = (
            _words(tf.cast(word, tf.uint64) * tf.constant(by, tf.uint64))
            for word, by in zip((a, c), _MULTIPLIERS, strict=True)
        )
        a, b, c, d = upper_c ^ b ^ keys[0], lower_c, upper_a ^ d ^ keys[1], lower_a
        keys = [k + tf.constant(by, tf.uint32) for k, by in zip(keys, _KEY_STEPS, strict=True)]
    return [a, b, c, d]


def _words(number: tf.Tensor) -> Words:
    """Return the lower and the upper half of 64 bits."""
    upper = tf.bitwise.right_shift(number, tf.constant(32, tf.uint64))
    return [tf.cast(number, tf.uint32), tf.cast(upper, tf.uint32)]


def _paired(words: Words) -> Words:
    """Join four words, lower ones first, into two numbers of 64 bits."""
    wide = [tf.cast(word, tf.uint64) for word in words]
    shift = tf.constant(32, tf.uint64)
    return [lower | tf.bitwise.left_shift(upper, shift) for lower, upper in (wide[:2], wide[2:])]


def _advanced(low: tf.Tensor, high: tf.Tensor, by: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Add to a counter of 128 bits; all are uint64."""
    moved = low + by
    return moved, high + tf.cast(moved < low, tf.uint64)


def _unit32(word: tf.Tensor) -> tf.Tensor:
    """Return a float32 in [0, 1) of 23 bits of a word."""
    fraction = word & tf.constant(0x7FFFFF, tf.uint32)
    return tf.bitcast(fraction | tf.constant(0x3F800000, tf.uint32), tf.float32) - 1


def _unit64(upper: tf.Tensor, lower: tf.Tensor) -> tf.Tensor:
    """Return a float64 in [0, 1) of 52 bits of two words."""
    (fraction, _) = _paired([lower, upper & tf.constant(0xFFFFF, tf.uint32), lower, upper])
    return tf.bitcast(fraction | tf.constant(0x3FF << 52, tf.uint64), tf.float64) - 1


def _normal(first: tf.Tensor, second: tf.Tensor) -> list[tf.Tensor]:
    """Return two normal numbers of two uniform ones (Box and Muller, 1958)."""
    dtype = first.dtype

    def exact(function, number):
        # XLA's functions of float32 are not right to its last digits.
        return tf.cast(function(tf.cast(number, tf.float64)), dtype)

    radius = tf.sqrt(-2 * exact(tf.math.log, tf.maximum(first, tf.constant(1e-7, dtype))))
    angle = exact(lambda share: 2 * math.pi * share, second)
    return [exact(tf.sin, angle) * radius, exact(tf.cos, angle) * radius]


def _bits(numbers: list[tf.Tensor]) -> Words:
    """Return numbers as two halves of 64 bits."""
    if numbers[0].dtype == tf.float64:
        return [tf.bitcast(number, tf.uint64) for number in numbers]
    return _paired([tf.bitcast(number, tf.uint32) for number in numbers])


def _units32(words: Words) -> list[tf.Tensor]:
    return [_unit32(word) for word in words]


def _units64(words: Words) -> list[tf.Tensor]:
    return [_unit64(*words[:2]), _unit64(*words[2:])]


def _normals32(words: Words) -> list[tf.Tensor]:
    units = _units32(words)
    return [*_normal(*units[:2]), *_normal(*units[2:])]


# From the words of a block to the bits of its numbers.
_CONVERSIONS: dict[tuple[str, str], Callable[[Words], Words]] = {
    ("key", "uint64"): _paired,
    ("uniform", "float32"): lambda words: _bits(_units32(words)),
    ("uniform", "float64"): lambda words: _bits(_units64(words)),
    ("normal", "float32"): lambda words: _bits(_normals32(words)),
    ("normal", "float64"): lambda words: _bits(_normal(*_units64(words))),
}


@cache
def philox_works(kind: str, dtype: str) -> bool:
    """Return whether XLA compiles these numbers here, and they are those of TensorFlow."""
    if (kind, dtype) not in _CONVERSIONS:
        return False
    # Tried at once, though a graph may be under construction.
    with tf.init_scope():
        try:
            ours, theirs = _tried(kind, dtype)
        # Without XLA, or on a device that it does not know.
        except (tf.errors.OpError, ValueError):
            return False
    rounding = 4 * np.finfo(dtype).eps if kind == "normal" else 0
    pairs = zip(ours, theirs, strict=True)
    return all(np.allclose(x, y, rtol=rounding, atol=rounding) for x, y in pairs)


def _tried(kind: str, dtype: str) -> tuple[list, list]:
    """Return what is drawn here for some seeds, and what TensorFlow draws for them."""
    seeds = np.array([[7, 1], [2**31 - 2, 5]], np.int32)
    keys, counters = _keys_of(tf.constant(seeds))
    if kind == "key":
        usual = [tf.raw_ops.StatelessRandomGetKeyCounter(seed=seed) for seed in seeds]
        return [keys, counters], [np.stack(pair) for pair in zip(*usual, strict=True)]
    shape = [3, 5 * _BLOCKS]
    usual = [_THEIRS[kind](shape, seed, dtype=dtype) for seed in seeds]
    return [draw(keys, counters, tf.constant(shape), kind=kind, dtype=dtype)], [np.stack(usual)]


_THEIRS: dict[str, Callable[..., Any]] = {
    "uniform": tf.random.stateless_uniform,
    "normal": tf.random.stateless_normal,
}
