"""TensorFlow's own stateless random numbers, for many keys at once.

TensorFlow draws for one key at a time. Here the generator itself, Philox 4x32 with ten rounds, is
written in tensors of many keys and compiled by XLA into one vectorised loop: a tenth of the time
of a loop over rows. Uniform numbers are TensorFlow's to the last bit, normal ones to rounding.

Source: Salmon et al. (2011), "Parallel random numbers: as easy as 1, 2, 3"; tensorflow/core/lib/
random/{philox_random,random_distributions}.h and stateless_random_ops_v2, TensorFlow 2.21.
"""

import math
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import numpy as np
import tensorflow as tf

# One call of a compiled function draws so many streams of at most so many blocks of 128 bits: few
# shapes, so that few are compiled for whatever a network draws.
_STREAMS, _BLOCKS = 256, 64
# At least so many streams of a row let thirty-two rows fill a call.
_STREAMS_OF_ROW = 8
# At most this share of what is drawn may be of no use.
_WASTE = 0.2

_ROUNDS = 10
_MULTIPLIERS = 0xD2511F53, 0xCD9E8D57
_KEY_STEPS = 0x9E3779B9, 0xBB67AE85
# With which a seed, as a counter, becomes a key.
_SCRAMBLING_KEY = 0x02461E293EC8F720

# Of tensors, whose operators `^` and the like TensorFlow does not annotate.
Words = list[Any]


def draw(
    wanted: Sequence[tuple[tf.Tensor, Sequence[int]]], *, kind: str, dtype: str
) -> list[tf.Tensor]:
    """Draw numbers for rows of seeds, whatever is wanted in one go.

    Args:
        wanted: Seeds, int32 (row, 2), and the shape of the numbers of each row.
        kind, dtype: Of the numbers; `philox_works` for them.

    Returns:
        For each of `wanted` (row, *shape) numbers.
    """
    per_block = 16 // tf.as_dtype(dtype).size
    blocks = [-(-math.prod(shape) // per_block) for _, shape in wanted]
    length = _stream_length(blocks)
    counts = [-(-n // length) for n in blocks]
    # Stream by stream: its seed, and its first block.
    streams = tf.concat(
        [_streams(seeds, count, length) for (seeds, _), count in zip(wanted, counts, strict=True)],
        0,
    )
    drawn = tf.bitcast(_in_pieces(_compiled(kind, dtype, length), streams), dtype)
    parts = tf.split(drawn, [tf.shape(s)[0] * n for (s, _), n in zip(wanted, counts, strict=True)])

    def shaped(part: Any, count: int, shape: Sequence[int]) -> tf.Tensor:
        rows, size = tf.reshape(part, [-1, count * length * per_block]), math.prod(shape)
        return tf.reshape(rows if rows.shape[1] == size else rows[:, :size], [-1, *shape])

    given = zip(parts, counts, wanted, strict=True)
    return [shaped(part, count, shape) for part, count, (_, shape) in given]


def _stream_length(blocks: Sequence[int]) -> int:
    """Return the blocks of a stream, a power of two, to draw so many for each row."""
    lengths = [1 << power for power in range(_BLOCKS.bit_length())]

    def suits(length: int) -> bool:
        streams = sum(-(-n // length) for n in blocks)
        needed = sum(blocks) / length
        return _STREAMS_OF_ROW <= streams <= needed / (1 - _WASTE)

    return max(filter(suits, lengths), default=1)


def _streams(seeds: tf.Tensor, count: int, length: int) -> tf.Tensor:
    """Return so many streams for each seed (row, 2), as int64 (row * count, 3)."""
    rows: Any = tf.shape(seeds)[0]
    seed = tf.reshape(tf.tile(tf.cast(seeds, tf.int64), [1, count]), [-1, 2])
    first = tf.tile(tf.range(0, count * length, length, dtype=tf.int64), [rows])
    return tf.concat([seed, first[:, None]], 1)


def keys_of(seeds: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Return the key (row, 1) and the counter (row, 2) of each seed (row, 2)."""
    mixed = _in_pieces(_compiled("key", "uint64", 1), tf.cast(seeds, tf.int64))
    return mixed[:, :1], tf.stack([tf.zeros_like(mixed[:, 0]), mixed[:, 1]], axis=1)


def _in_pieces(function: Any, streams: tf.Tensor) -> tf.Tensor:
    """Apply a function of `_STREAMS` streams to any number of them, int64 (stream, ...)."""
    count: Any = tf.shape(streams)[0]
    pieces = -(-count // _STREAMS)
    # Their length is known, as XLA wants it.
    shape = [_STREAMS, *streams.shape[1:]]
    filled = tf.pad(tf.cast(streams, tf.uint64), [[0, pieces * _STREAMS - count], [0, 0]])

    def piece(begin):
        return function(tf.ensure_shape(filled[begin:][:_STREAMS], shape))

    def one_by_one():
        spec = tf.TensorSpec(shape, tf.uint64)
        given = function.get_concrete_function(spec).structured_outputs
        table = tf.TensorArray(given.dtype, pieces, element_shape=given.shape)
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
    """Return a function of streams, uint64 (stream, 3), compiled by XLA.

    It gives (stream, block) complex numbers of 128 bits, which hold the numbers of a block. Of
    seeds alone, (stream, 2), for "key", it gives (stream, 2) of uint64: the key, and the upper half
    of the counter.
    """

    @tf.function(jit_compile=True, autograph=False)
    def numbers(streams):
        first, second, *begin = tf.unstack(streams, axis=1)
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
        keys, counters = keys_of(tf.constant(seeds))
        usual = [tf.raw_ops.StatelessRandomGetKeyCounter(seed=seed) for seed in seeds]
        return [keys, counters], [np.stack(pair) for pair in zip(*usual, strict=True)]
    shape = (3, 5 * _BLOCKS)
    usual = [_THEIRS[kind](shape, seed, dtype=dtype) for seed in seeds]
    return draw([(tf.constant(seeds), shape)], kind=kind, dtype=dtype), [np.stack(usual)]


_THEIRS: dict[str, Callable[..., Any]] = {
    "uniform": tf.random.stateless_uniform,
    "normal": tf.random.stateless_normal,
}
