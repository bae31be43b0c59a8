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

# One call of a compiled function draws so many streams of at most so many blocks of 128 bits: few
# shapes, so that few are compiled for whatever a network draws.
_STREAMS, _BLOCKS = 256, 64
# So many streams of a row let thirty-two rows fill a call.
_STREAMS_OF_ROW = 8

_ROUNDS = 10
_STREAM = tf.TensorSpec([_STREAMS], tf.uint64)
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
    """Convert StatelessRandom*V2, of a shape, keys (row, 1), counters (row, 2), an algorithm.

    Keys and counters are made anew with the numbers, in one call, of the seeds that they are of.
    """
    dtype = tf.as_dtype(operation.get_attr("dtype")).name
    algorithm = tf.get_static_value(operation.unstacked_input(3))
    shape = tf.get_static_value(operation.unstacked_input(0))
    source = operation.op.inputs[1].op
    if shape is None or source.type != "StatelessRandomGetKeyCounter":
        return usual(operation)
    seeds = operation.pfor._conversion_map[source.inputs[0]]
    if not seeds.is_stacked or algorithm not in _ALGORITHMS or not philox_works(kind, dtype):
        return usual(operation)
    return conversion.wrap(draw(seeds.t, tuple(shape.tolist()), kind=kind, dtype=dtype), True)


RANDOM_NUMBERS = {
    "StatelessRandomGetKeyCounter": _key_counter,
    "StatelessRandomUniformV2": lambda operation, usual: _numbers(operation, usual, kind="uniform"),
    "StatelessRandomNormalV2": lambda operation, usual: _numbers(operation, usual, kind="normal"),
}


def draw(seeds: tf.Tensor, shape: tuple[int, ...], *, kind: str, dtype: str) -> tf.Tensor:
    """Draw (row, *shape) numbers, for each row those of its seed (row, 2)."""
    per_block = 16 // tf.as_dtype(dtype).size
    blocks = -(-math.prod(shape) // per_block)
    # A power of two.
    length = min(_BLOCKS, 1 << (-(-blocks // _STREAMS_OF_ROW) - 1).bit_length())
    starts = tf.range(0, blocks, length, dtype=tf.int64)[None]
    wide = tf.cast(seeds, tf.int64)
    streams = [tf.reshape(t + tf.zeros_like(starts), [-1]) for t in (wide[:, :1], wide[:, 1:])]
    streams.append(tf.reshape(starts + tf.zeros_like(wide[:, :1]), [-1]))
    drawn = _in_pieces(
        _compiled(kind, dtype, length), [tf.cast(stream, tf.uint64) for stream in streams]
    )
    numbers = tf.reshape(tf.bitcast(drawn, dtype), [-1, starts.shape[1] * length * per_block])
    if numbers.shape[1] != math.prod(shape):
        numbers = numbers[:, : math.prod(shape)]
    return tf.reshape(numbers, [-1, *shape])


def _keys_of(seeds: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Return the key (row, 1) and the counter (row, 2) of each seed (row, 2)."""
    mixed = _in_pieces(_compiled("key", "uint64", 1), tf.unstack(tf.cast(seeds, tf.uint64), axis=1))
    return mixed[:, :1], tf.stack([tf.zeros_like(mixed[:, 0]), mixed[:, 1]], axis=1)


def _in_pieces(function: Callable[..., tf.Tensor], streams: Words) -> tf.Tensor:
    """Apply a function of `_STREAMS` streams to any number of them, (stream,) each."""
    count: Any = tf.shape(streams[0])[0]
    pieces = -(-count // _STREAMS)
    padding = [[0, pieces * _STREAMS - count]]
    filled = [tf.pad(stream, padding) for stream in streams]

    def piece(begin):
        # Their length is known, as XLA wants it.
        return function(*(tf.ensure_shape(s[begin:][:_STREAMS], [_STREAMS]) for s in filled))

    def one_by_one():
        shape = function.get_concrete_function(*[_STREAM] * len(streams)).structured_outputs
        table = tf.TensorArray(shape.dtype, pieces, element_shape=shape.shape)
        _, table = tf.while_loop(
            lambda index, _: index < pieces,
            lambda index, table: (index + 1, table.write(index, piece(index * _STREAMS))),
            (0, table),
            parallel_iterations=1,
        )
        return table.concat()

    # A loop costs as much as a piece.
    return tf.cond(pieces > 1, one_by_one, lambda: piece(0))[:count]


@cache
def _compiled(kind: str, dtype: str, blocks: int) -> Any:
    """Return a function of seeds and of each stream's first block, all (stream,), compiled by XLA.

    It gives (stream, block) complex numbers of 128 bits, which hold the numbers of a block. Of
    seeds alone, for "key", it gives (stream, 2) of uint64: the key, and the upper half of the
    counter.
    """

    @tf.function(jit_compile=True, autograph=False)
    def numbers(first, second, *begin):
        key, upper = _paired(_philox(tf.constant(_SCRAMBLING_KEY, tf.uint64), first, second))
        if kind == "key":
            return tf.stack([key, upper], axis=1)
        block = begin[0][:, None] + tf.cast(tf.range(blocks, dtype=tf.int64), tf.uint64)
        halves = _CONVERSIONS[kind, dtype](_philox(key[:, None], block, upper[:, None]))
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
    if kind == "key":
        keys, counters = _keys_of(tf.constant(seeds))
        usual = [tf.raw_ops.StatelessRandomGetKeyCounter(seed=seed) for seed in seeds]
        return [keys, counters], [np.stack(pair) for pair in zip(*usual, strict=True)]
    shape = (3, 5 * _BLOCKS)
    usual = [_THEIRS[kind](shape, seed, dtype=dtype) for seed in seeds]
    return [draw(tf.constant(seeds), shape, kind=kind, dtype=dtype)], [np.stack(usual)]


_THEIRS: dict[str, Callable[..., Any]] = {
    "uniform": tf.random.stateless_uniform,
    "normal": tf.random.stateless_normal,
}
