"""Boundaries of a group sequential test, exact for normal means: Lan and DeMets's spending.

A statistic Z, standard normal at every look, is held against a boundary at each. Looks are told by
their share of the information of the last, and Z times the root of that share is a sum of
independent steps, whose density among the studies that go on is carried from look to look.

Source: Armitage, McPherson and Rowe (1969); Lan and DeMets (1983); Jennison and Turnbull (2000),
chapter 19.
"""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq
from scipy.stats import norm

# Beyond so many standard deviations nothing is left; between, so many nodes of a quadrature.
_FARTHEST, _NODES = 9.0, 256
_PLACES, _WEIGHTS = np.polynomial.legendre.leggauss(_NODES)


@dataclass(frozen=True)
class _GoingOn:
    """The studies that go on after a look: where their sum may lie, and how likely (node,)."""

    information: float
    places: np.ndarray
    mass: np.ndarray

    def step(self, information: float) -> float:
        return math.sqrt(information - self.information)

    def crossing(self, boundary: float, information: float, *, both: bool) -> float:
        """Return the chance to go on until the next look, and to cross its boundary there."""
        at, step = boundary * math.sqrt(information), self.step(information)
        upper = norm.sf((at - self.places) / step)
        lower = norm.cdf((-at - self.places) / step) if both else 0.0
        return float(self.mass @ (upper + lower))

    def after(self, boundary: float, information: float, *, both: bool) -> "_GoingOn":
        """Return those that go on after the next look."""
        root, step = math.sqrt(information), self.step(information)
        high = boundary * root
        low = -high if both else -_FARTHEST * root
        places = low + (high - low) * (_PLACES + 1) / 2
        density = norm.pdf((places[:, None] - self.places) / step) / step @ self.mass
        return _GoingOn(information, places, density * _WEIGHTS * (high - low) / 2)


_BEGINNING = _GoingOn(0.0, np.zeros(1), np.ones(1))


def crossing_chances(
    boundaries: Iterable[float], information: Iterable[float], *, both: bool = False
) -> np.ndarray:
    """Return the chance (look,) that Z crosses its boundary first at each look.

    `both` has the boundary on either side of 0, else it is above.
    """
    going_on, chances = _BEGINNING, []
    for boundary, share in zip(boundaries, information, strict=True):
        chances.append(going_on.crossing(boundary, share, both=both))
        going_on = going_on.after(boundary, share, both=both)
    return np.array(chances)


def spending_boundaries(
    spend: Callable[[float], float], information: Iterable[float], *, both: bool = False
) -> np.ndarray:
    """Return the boundaries (look,) at which the chance spent by each look is as prescribed.

    Args:
        spend: From the share of the information to the chance to have crossed by then.
        information: Share of each look, ascending to 1.
        both: As in `crossing_chances`.
    """
    going_on, boundaries, before = _BEGINNING, [], 0.0
    for share in information:
        now, before = spend(share) - before, spend(share)
        boundary = _solved(going_on, share, chance=now, both=both)
        boundaries.append(boundary)
        going_on = going_on.after(boundary, share, both=both)
    return np.array(boundaries)


def _solved(going_on: _GoingOn, share: float, *, chance: float, both: bool) -> float:
    def missing(boundary: float) -> float:
        return going_on.crossing(boundary, share, both=both) - chance

    return float(brentq(missing, 0.0, _FARTHEST, xtol=1e-10))  # pyright: ignore[reportArgumentType]


def nominal_levels(boundaries: np.ndarray) -> np.ndarray:
    """Return the one-sided level of each look's test: the chance that Z alone crosses there."""
    return norm.sf(boundaries)
