"""What judging at several looks does to error rates, seeds and means: counted in drawn studies.

A drawn study has one metric, whose mean is tested against a margin from both sides at every look,
by the test that judges real studies. It ends at the first look that decides.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from finetune.spec.looks import Look
from finetune.stats.paired import count_distinct, is_varied
from finetune.stats.t_test import Sample, exceeds

# Values that are drawn at once, and how few or many studies are made of them.
_VALUES, _FEWEST, _MOST = 2_000_000, 500, 8000

# True means, in standard deviations from the margin, at which the bias is counted.
_TRUE = np.concatenate([-np.geomspace(4, 0.01, 24), [0.0], np.geomspace(0.01, 4, 24)])


@dataclass(frozen=True)
class DrawnStudies:
    """Studies that were drawn, with what the test needs of each at each look.

    Attributes:
        looks: In the order of their seeds.
        samples: One a look, of (study,).
        varied: One a look, (study,) of bool: whether enough differences are distinct to decide.
    """

    looks: tuple[Look, ...]
    samples: tuple[Sample, ...]
    varied: tuple[np.ndarray, ...]

    @classmethod
    def of(cls, differences: np.ndarray, looks: Sequence[Look]) -> "DrawnStudies":
        """Summarise differences (pair, study) at each look."""
        return cls(
            looks=tuple(looks),
            samples=tuple(Sample.of(differences[: look.seeds]) for look in looks),
            varied=tuple(
                is_varied(count_distinct(differences[: look.seeds]), look.seeds) for look in looks
            ),
        )


@dataclass(frozen=True)
class StoppedStudies:
    """How drawn studies ended: (study,) each.

    Attributes:
        seeds: At the look that decided, or at the last.
        mean: Of the differences at that look.
        above, below: Whether the mean was found on that side of the margin.
    """

    seeds: np.ndarray
    mean: np.ndarray
    above: np.ndarray
    below: np.ndarray


def stop(drawn: DrawnStudies, *, alphas: tuple[float, float], shift: float = 0.0) -> StoppedStudies:
    """Judge drawn studies look by look until each is decided.

    Args:
        drawn: The studies.
        alphas: Over all looks, of the decisions that the mean is above and below the margin of 0.
        shift: Is added to every difference.
    """
    last = drawn.samples[-1].shifted(shift)
    seeds, mean = np.full(last.mean.shape, last.n), np.array(last.mean)
    above, below = np.zeros(mean.shape, bool), np.zeros(mean.shape, bool)
    for look, sample, varied in zip(drawn.looks, drawn.samples, drawn.varied, strict=True):
        found = sample.shifted(shift)
        going_on = ~(above | below) & varied
        sides = [
            going_on & exceeds(side, 0.0, alpha=alpha * look.share)
            for side, alpha in zip((found, -found), alphas, strict=True)
        ]
        decided = sides[0] | sides[1]
        seeds[decided], mean[decided] = look.seeds, found.mean[decided]
        above, below = above | sides[0], below | sides[1]
    return StoppedStudies(seeds, mean, above, below)


def expected_seeds(looks: Sequence[Look], dz: float, *, alpha: float) -> float:
    """Return the mean number of seeds until a normal mean `dz` beyond its margin is decided."""
    return float(stop(_normal(tuple(looks)), alphas=(alpha, alpha), shift=dz).seeds.mean())


def power(looks: Sequence[Look], dz: float, *, alpha: float) -> float:
    """Return the chance that a normal mean `dz` beyond its margin is found there at any look."""
    return float(stop(_normal(tuple(looks)), alphas=(alpha, alpha), shift=dz).above.mean())


def error_rate(looks: Sequence[Look], *, alpha: float) -> float:
    """Return how often a normal mean at its margin is found beyond it, at any of the looks.

    Looks with a share of 1 each are those of someone who judges by the rule for one look at each.
    """
    return float(stop(_normal(tuple(looks)), alphas=(alpha, alpha)).above.mean())


def without_bias(looks: Sequence[Look], dz: float, *, alphas: tuple[float, float]) -> float:
    """Correct a mean for the stopping: return the true mean whose studies end at `dz` on average.

    `dz` counts standard deviations from the margin. Studies stop where the mean happens to lie far
    from the margin, so that it lies too far on average.

    Source: Whitehead (1986), the bias-adjusted estimate after a sequential test.
    """
    reached = _mean_reached(tuple(looks), alphas)
    if not reached[0] < dz < reached[-1]:
        # So far away every study stops at the first look, where nothing was chosen.
        return dz
    return float(np.interp(dz, reached, _TRUE))


@cache
def _mean_reached(looks: tuple[Look, ...], alphas: tuple[float, float]) -> np.ndarray:
    """Return the mean at which studies stop on average, for each true mean of `_TRUE`."""
    drawn = _normal(looks)
    reached = [stop(drawn, alphas=alphas, shift=true).mean.mean() for true in _TRUE]
    # The average over drawn studies wobbles a little; what it estimates ascends.
    return np.maximum.accumulate(reached)


@cache
def _normal(looks: tuple[Look, ...]) -> DrawnStudies:
    pairs = looks[-1].seeds
    studies = int(np.clip(_VALUES // pairs, _FEWEST, _MOST))
    return DrawnStudies.of(np.random.default_rng(pairs).normal(size=(pairs, studies)), looks)
