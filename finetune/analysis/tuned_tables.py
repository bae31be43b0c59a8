"""What the figures of a search draw, as data: its trials, binned, and where axes end."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from finetune.spec.dimensions import RangeSpec

# Of the axis up and of that across.
_BINS = (6, 5)


@dataclass(frozen=True, eq=False)
class TunedTables:
    """What the figures of a search draw.

    Attributes:
        trials: arm, number, a column for each path that was searched (missing in an arm in which
            it was not; of choices, their labels), value (the objective; NaN when failed), status
            ("ok" or "failed"), best (lowest value of the arm up to this number).
        importances: arm, parameter, importance; may be empty.
        curves: As `curves.mostly_trained` returns them, of the variants compared.
        baseline: arm, repeat, number, value, best of every trial of random search; may be empty.
    """

    trials: pd.DataFrame
    importances: pd.DataFrame
    curves: pd.DataFrame
    baseline: pd.DataFrame

    @property
    def frames(self) -> dict[str, pd.DataFrame]:
        """The tables by name, without the curves, which are part of the study's own."""
        return {
            "trials": self.trials,
            "importances": self.importances,
            "search_baseline": self.baseline,
        }


@dataclass(frozen=True)
class Bins:
    """A range cut into bins; a bin holds its lower edge, and the last its upper edge too."""

    edges: list[float]
    labels: list[str]

    def places(self, values: pd.Series) -> np.ndarray:
        """Return each value's bin, from 0; what is outside goes to the outermost."""
        found = np.searchsorted(self.edges, values, side="right") - 1
        return np.clip(found, 0, len(self.labels) - 1)


@dataclass(frozen=True, eq=False)
class BinnedTrials:
    """The mean objective over two paths, one up and one across.

    Attributes:
        bins: How each of the two is cut, by its path.
        means: arm, the bins of the two (from 0), mean and size of the finished trials there.
        winners: arm and the bins of the trial of lowest value, a row an arm.
        limits: Ends of the colour scale, which a few terrible trials do not move.
    """

    bins: dict[str, Bins]
    means: pd.DataFrame
    winners: pd.DataFrame
    limits: tuple[float, float]

    @property
    def goes_beyond(self) -> bool:
        """Whether a mean lies above the colour scale."""
        return max(self.means["mean"]) > self.limits[1]


def bin_trials(trials: pd.DataFrame, plane: Mapping[str, RangeSpec]) -> BinnedTrials:
    """Cut the ranges of two paths, up and across, into bins, and average the trials in each."""
    bins = {
        path: _bins(searched, count)
        for (path, searched), count in zip(plane.items(), _BINS, strict=True)
    }
    scored = trials.loc[trials["value"].notna()]
    places: dict[str, Any] = {name: bins[name].places(scored[name]) for name in bins}
    placed = scored.assign(**places)
    groups = placed.groupby(["arm", *bins], observed=True)["value"]
    means = groups.agg(["mean", "size"]).reset_index()
    first = placed.sort_values("value", kind="stable").drop_duplicates("arm")
    winners = first.loc[:, ["arm", *bins]]
    return BinnedTrials(bins, means, winners, _colour_limits(means, scored))


def history_limits(tables: TunedTables) -> tuple[float, float]:
    """Return the ends of the history's axis, which a few terrible trials do not move."""
    values = tables.trials["value"].dropna().to_numpy(dtype=float)
    others = [] if tables.baseline.empty else tables.baseline["best"].dropna().to_list()
    return float(min([*values, *others])), robust_limit(values)


def robust_limit(values: np.ndarray) -> float:
    """Return an axis's upper end that a few terrible values do not move.

    It is the highest value within three interquartile ranges above the upper quartile.

    Source: Tukey (1977), the outer fence.
    """
    low, high = np.quantile(values, [0.25, 0.75])
    return float(values[values <= high + 3 * (high - low)].max())


def _bins(searched: RangeSpec, count: int) -> Bins:
    """Cut a range into bins, evenly on its scale; one of whole numbers at whole numbers."""
    low, high = searched.ends
    if low == high:
        return Bins([low], [f"{low:g}"])
    space = np.geomspace if searched.log else np.linspace
    if not searched.whole:
        edges = [float(edge) for edge in space(low, high, count + 1)]
        return Bins(edges, [f"{a:.2g} to {b:.2g}" for a, b in pairwise(edges)])
    edges = sorted({round(edge) for edge in space(low, high + 1, count + 1)})
    labels = [f"{a}" if b == a + 1 else f"{a} to {b - 1}" for a, b in pairwise(edges)]
    return Bins(edges, labels)


def _colour_limits(means: pd.DataFrame, scored: pd.DataFrame) -> tuple[float, float]:
    # By trials: a few terrible ones can fill many of the bins, since most trials share a few.
    limit = robust_limit(scored["value"].to_numpy(dtype=float))
    lowest, highest = float(min(means["mean"])), float(max(means["mean"]))
    return lowest, max(lowest, min(highest, limit))
