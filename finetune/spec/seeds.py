"""Random streams: one for each source of randomness, all derived from the seed of a run."""

from collections.abc import Mapping
from typing import Literal, get_args

import numpy as np

Source = Literal["init", "order", "split", "data"]
SOURCES: tuple[Source, ...] = get_args(Source)

# Each as reports name it, after an article.
SOURCE_WORDS: Mapping[str, str] = {
    "init": "initial weights",
    "order": "order of the training rows",
    "split": "split of the rows",
    "data": "data set",
}

# A source that does not vary is drawn from this seed's stream, whatever the seed of the run.
_FIXED_SEED = 0


def stream(
    source: Source, seed: int, *, vary: tuple[Source, ...], replicate: int = 0
) -> np.random.SeedSequence:
    """Return the stream of one source for one seed, in a study where the sources in `vary` vary.

    Streams of different sources, seeds and replicates are independent. A `replicate` other than
    0 is a second stream of the same source and seed: the A/A check draws its batch order there.

    Source: `numpy.random.SeedSequence`, whose `spawn_key` makes independent children.
    """
    entropy = seed if source in vary else _FIXED_SEED
    return np.random.SeedSequence(entropy, spawn_key=(SOURCES.index(source), replicate))


def integer_seed(sequence: np.random.SeedSequence) -> int:
    """Return a seed in [0, 2**31) for a library that takes one integer."""
    return int(sequence.generate_state(1, np.uint32)[0] >> 1)


def batch_order(sequence: np.random.SeedSequence, *, epochs: int, rows: int) -> np.ndarray:
    """Draw the order in which training rows are visited: int32, (epoch, row).

    Every epoch is a fresh permutation of the rows; batches are its consecutive slices.
    """
    rng = np.random.default_rng(sequence)
    return rng.permuted(np.tile(np.arange(rows, dtype=np.int32), (epochs, 1)), axis=1)
