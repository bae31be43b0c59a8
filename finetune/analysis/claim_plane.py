"""Where the claim's figure puts what: the range and scale of its axes, and the named regions."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from finetune.analysis.comparisons import CLAIM
from finetune.claims.fit_table import FIT_TABLE
from finetune.claims.fit_verdict import FitVerdict
from finetune.claims.metric_comparison import LEVELS, Level, MetricComparison
from finetune.claims.verdict import Verdict

# At least this many margins are shown each way, so that all nine regions are seen and named.
_LEAST, _LEAST_LOG = 2.3, 10
# Names of regions need room between the margins: across for a word, up for a line. An axis that
# spans more margins than this is logarithmic outside of them.
_MOST_ACROSS, _MOST_UP = 22, 60


@dataclass(frozen=True)
class PlaneAxis:
    """One axis: the metric's difference, its margin, what is shown, and whether it is symlog."""

    side: MetricComparison
    low: float
    high: float
    symlog: bool

    @property
    def clipped(self) -> bool:
        """Whether the interval of the mean reaches beyond what is shown."""
        found = self.side.difference
        return found.n > 1 and (found.low < self.low or found.high > self.high)

    @property
    def ticks(self) -> list[float]:
        """Where a symlog axis has its ticks: nothing, the margins, and powers of ten beyond."""
        margin = self.side.margin
        first = math.floor(math.log10(margin)) + 1
        last = math.floor(math.log10(max(-self.low, self.high)))
        tens = [10.0**power for power in range(first, last + 1) if 10.0**power > 1.5 * margin]
        ticks = [*(-ten for ten in reversed(tens)), -margin, 0.0, margin, *tens]
        return [tick for tick in ticks if self.low <= tick <= self.high]

    @property
    def regions(self) -> Mapping[Level, tuple[float, float]]:
        """The range of each level; a loss is worse where it is larger."""
        margin = self.side.margin
        return {
            "worse": (margin, self.high),
            "equal": (-margin, margin),
            "better": (self.low, -margin),
        }


@dataclass(frozen=True)
class Region:
    """An outcome of the fit table as a rectangle, and whether the data leave it possible."""

    name: str
    train: Level
    test: Level
    possible: bool


@dataclass(frozen=True)
class ClaimPlane:
    """The plane of the two differences: training loss across, test loss up."""

    across: PlaneAxis
    up: PlaneAxis
    regions: tuple[Region, ...]


def claim_plane(pairs: pd.DataFrame, verdict: FitVerdict) -> ClaimPlane:
    """Lay out the plane for the differences of a verdict's losses."""
    pairs = pairs.loc[pairs["claim"] == verdict.name]
    train, test = verdict.primary.train, verdict.primary.test
    return ClaimPlane(
        across=_axis(pairs, train, most=_MOST_ACROSS),
        up=_axis(pairs, test, most=_MOST_UP),
        regions=tuple(
            Region(
                FIT_TABLE[first, second],
                first,
                second,
                FIT_TABLE[first, second] in verdict.primary.cells,
            )
            for first in LEVELS
            for second in LEVELS
        ),
    )


def has_pairs(pairs: pd.DataFrame, verdict: Verdict) -> bool:
    """Return whether there is a pair of the claim's arms to draw."""
    if pairs.empty:
        return False
    return bool(((pairs["claim"] == verdict.name) & (pairs["comparison"] == CLAIM)).any())


def _axis(pairs: pd.DataFrame, side: MetricComparison, *, most: float) -> PlaneAxis:
    values, margin = pairs[side.metric].to_numpy(float), side.margin
    low, high = (
        float(min(values.min(), -_LEAST * margin)),
        float(max(values.max(), _LEAST * margin)),
    )
    if high - low > most * margin:
        least = _LEAST_LOG * margin
        return PlaneAxis(side, low=min(1.6 * low, -least), high=max(1.6 * high, least), symlog=True)
    room = 0.06 * (high - low)
    return PlaneAxis(side, low=low - room, high=high + room, symlog=False)
