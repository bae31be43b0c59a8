"""The figure of what a verdict rests on: the mean difference and its interval as seeds came in."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from finetune.analysis.analysis import Analysis
from finetune.claims.phrases import metric_name
from finetune.report.figures.base import ReportFigure
from finetune.report.figures.style import WIDTH, VariantStyles, shown

_MARGIN, _ACROSS = "#333333", 2


def accumulation(analysis: Analysis) -> Figure:
    """Draw a panel for each metric that decided a claim."""
    panels: list[Any] = list(analysis.accumulation.groupby(["claim", "metric"], sort=False))
    rows = -(-len(panels) // _ACROSS)
    figure = Figure(figsize=(WIDTH, 0.3 + 2.1 * rows), layout="constrained")
    grid = figure.subplots(rows, _ACROSS, squeeze=False).ravel()
    treatments = {one.name: one.treatment for one in analysis.verdicts}
    colours = VariantStyles(analysis.variants).colours
    for axes, ((claim, metric), table) in zip(grid, panels, strict=False):
        _draw_panel(axes, table, colour=colours[treatments[claim]], looks=bool(analysis.stopping))
        axes.set_title(shown(claim), fontsize="small", loc="left", fontweight="bold")
        axes.set_ylabel(f"difference in\n{metric_name(metric)}", fontsize="small")
    for axes in grid[len(panels) :]:
        axes.set_visible(False)
    for axes in grid[max(0, len(panels) - _ACROSS) : len(panels)]:
        axes.set_xlabel("paired seeds")
    return figure


def _draw_panel(axes: Axes, table: pd.DataFrame, *, colour: str, looks: bool) -> None:
    axes.plot(table["seeds"], table["mean"], color=colour, linewidth=1.8)
    judged = table.loc[table["look"]]
    if looks:
        errors = [judged["mean"] - judged["low"], judged["high"] - judged["mean"]]
        look = {"color": colour, "ls": "none", "capsize": 3, "elinewidth": 1.4}
        axes.errorbar(judged["seeds"], judged["mean"], yerr=errors, **look)
    else:
        axes.fill_between(
            table["seeds"], table["low"], table["high"], color=colour, alpha=0.18, linewidth=0
        )
    axes.axhline(table["margin"].iloc[-1], color=_MARGIN, linewidth=1.1, linestyle="--")
    axes.axhline(0, color=_MARGIN, linewidth=0.6, alpha=0.4)
    # The last look, with the mean that the verdict is of.
    ending = {"color": "black", "marker": "D", "ms": 6, "mec": "white", "zorder": 5}
    axes.plot(judged["seeds"].iloc[-1:], judged["mean"].iloc[-1:], **ending)
    axes.set_ylim(*_limits(table))
    axes.margins(x=0.03)


def _limits(table: pd.DataFrame) -> tuple[float, float]:
    """Return a range that shows means, margin and the later intervals, which the first dwarf."""
    later = table.loc[table["seeds"] >= table["seeds"].max() / 4]
    ends = np.concatenate([table[["mean", "margin"]].to_numpy(), later[["low", "high"]].to_numpy()])
    ends = ends[np.isfinite(ends)]
    low, high = min(0.0, float(ends.min())), max(0.0, float(ends.max()))
    room = 0.08 * (high - low) or 1.0
    return low - room, high + room


def _caption(analysis: Analysis) -> str:
    which = (
        "Bars are the intervals at the study's looks, each at its share of the level"
        if analysis.stopping
        else "The band is the interval that so many seeds would have had, judged once"
    )
    return (
        f"The mean of treatment minus control over the first seeds. {which}; the dashed line is "
        "the end of the margin that it is held to, and the claim is decided where the interval "
        "lies beyond it. The diamond is the mean that the verdict is of."
    )


def _drawable(analysis: Analysis) -> bool:
    return bool((analysis.accumulation["seeds"] > 1).any())


ACCUMULATION = ReportFigure(
    name="accumulation",
    draw=accumulation,
    alt="For each claim, the mean difference and its interval over the number of seeds",
    caption=_caption,
    applies=_drawable,
    section="verdict",
)
