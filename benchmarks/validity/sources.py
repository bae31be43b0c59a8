"""Where differences are drawn from: distributions with a mean of 0 and a standard deviation of 1.

Their sign matters: where one tail is long, tests from one side err more often than from the other.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from benchmarks.validity.cases import CASES, Case

# Draws differences (pair, study) of one metric, or of two metrics of the same studies.
Draw = Callable[[np.random.Generator, tuple[int, int]], tuple[np.ndarray, ...]]


# Outliers lie further from the mean than so many standard deviations; rare ones fewer have.
FAR, _FEW = 3.5, 0.05


@dataclass(frozen=True)
class Outliers:
    """How far the farthest difference lies from the mean, in standard deviations, and how many do.

    Attributes:
        farthest: Of all; 0 where that is not known.
        share: Of the differences, further than `FAR`.
    """

    farthest: float = 0.0
    share: float = 0.0

    @classmethod
    def of(cls, values: np.ndarray) -> "Outliers":
        """Find them in differences (pair,)."""
        away = abs(values - values.mean()) / values.std()
        return cls(float(away.max()), float(np.mean(away > FAR)))

    @property
    def rare(self) -> bool:
        """Whether there are some, and few."""
        return 0 < self.share < _FEW


@dataclass(frozen=True)
class Source:
    """A distribution of paired differences.

    Attributes:
        name, family: Of the distribution, and of the group it is reported with.
        draw: Draws the worsenings of the metrics.
        cases: The claims that are judged on them.
        outliers: Of differences that were measured.
    """

    name: str
    family: str
    draw: Draw
    cases: tuple[Case, ...] = CASES
    outliers: Outliers = Outliers()


def _normal(rng: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    return rng.normal(size=shape)


def _exponential(rng: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    return rng.exponential(size=shape) - 1


def _lognormal(rng: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    sd = math.sqrt((math.e - 1) * math.e)
    return (rng.lognormal(sigma=1.0, size=shape) - math.exp(0.5)) / sd


def _five_values(rng: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    return rng.binomial(4, 0.5, size=shape) - 2.0


def _counts(rng: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    return (rng.binomial(10, 0.1, size=shape) - 1.0) / math.sqrt(0.9)


def _mostly_equal(rng: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    return (rng.poisson(0.3, size=shape) - 0.3) / math.sqrt(0.3)


def _mirrored(
    name: str, family: str, draw: Callable[[np.random.Generator, tuple[int, int]], np.ndarray]
) -> tuple[Source, Source]:
    return (
        _source(f"{name}, long tail above", family, draw),
        _source(f"{name}, long tail below", family, lambda rng, shape: -draw(rng, shape)),
    )


def _source(
    name: str, family: str, draw: Callable[[np.random.Generator, tuple[int, int]], np.ndarray]
) -> Source:
    def two(rng: np.random.Generator, shape: tuple[int, int]) -> tuple[np.ndarray, ...]:
        drawn = draw(rng, shape)
        # The second metric is the first of the study before it: independent of its own.
        return drawn, np.roll(drawn, 1, axis=1)

    return Source(name, family, two)


NORMAL = _source("normal", "normal", _normal)
_LOGNORMAL_ABOVE, LOGNORMAL_BELOW = _mirrored("lognormal, sigma 1", "lognormal", _lognormal)
MADE_UP = (
    NORMAL,
    *_mirrored("exponential", "exponential", _exponential),
    _LOGNORMAL_ABOVE,
    LOGNORMAL_BELOW,
    _source("five values, most in the middle", "tied", _five_values),
    *_mirrored("counts around 1", "tied", _counts),
    *_mirrored("three of four the same", "mostly equal", _mostly_equal),
)
