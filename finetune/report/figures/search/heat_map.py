"""Heat map of a search: the mean objective over the two numbers that matter most."""

import math
from typing import Any

import seaborn
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from finetune.analysis.tuned import OBJECTIVES, Tuned
from finetune.analysis.tuned_tables import BinnedTrials, bin_trials
from finetune.report.figures.base import ReportFigure
from finetune.report.figures.search.panels import TITLE_WIDTH, SearchData
from finetune.report.figures.style import WIDTH, shown
from finetune.report.markdown import plain
from finetune.spec.dimensions import RangeSpec

# Characters of a label that fit below a column.
_LONGEST_LEVEL = 8
_WINNER_COLOUR = "#d55e00"


def heat_map(data: SearchData) -> Figure:
    """Draw the mean objective over two paths, a panel an arm, on one colour scale."""
    tuned = data.tuned
    figure = Figure(figsize=(WIDTH, 4.4), layout="constrained")
    up, across = _plane(tuned)
    binned = bin_trials(data.tables.trials, _ranges(tuned))
    panels = figure.subplots(1, len(tuned.arms), sharey=True)
    for axes, arm in zip(panels, tuned.arms, strict=True):
        _panel(axes, binned, arm=arm.name)
        _frame_winner(axes, binned, arm=arm.name)
        axes.set(title=shown(arm.name, width=TITLE_WIDTH), xlabel=across, ylabel="")
    panels[0].set_ylabel(up)
    colours = ScalarMappable(Normalize(*binned.limits), "crest")
    beyond = "max" if binned.goes_beyond else "neither"
    label = f"mean {OBJECTIVES[tuned.objective]}"
    figure.colorbar(colours, ax=list(panels), label=label, extend=beyond, pad=0.02)
    return figure


def _plane(tuned: Tuned) -> tuple[str, str]:
    plane = tuned.plane
    assert plane is not None
    return plane


def _ranges(tuned: Tuned) -> dict[str, RangeSpec]:
    dimensions = {path: tuned.space[path] for path in _plane(tuned)}
    return {path: one for path, one in dimensions.items() if isinstance(one, RangeSpec)}


def _panel(axes: Axes, binned: BinnedTrials, *, arm: str) -> None:
    means, bins = binned.means.loc[binned.means["arm"] == arm], binned.bins
    up, across = bins
    rows, columns = (range(len(one.labels)) for one in bins.values())
    shape: dict[str, Any] = {"index": up, "columns": across}
    decimals = _decimals(*binned.limits)
    texts = [f"{row['mean']:.{decimals}f}\n({row['size']})" for row in means.to_dict("records")]
    colours = means.pivot(**shape, values="mean").reindex(index=rows, columns=columns)
    labels = means.assign(text=texts).pivot(**shape, values="text")
    labels = labels.reindex(index=rows, columns=columns).astype(object).fillna("")
    seaborn.heatmap(
        colours,
        ax=axes,
        annot=labels,
        annot_kws={"fontsize": "small"},
        fmt="",
        cmap="crest",
        norm=Normalize(*binned.limits),
        cbar=False,
        linewidths=1,
        xticklabels=bins[across].labels,
        yticklabels=bins[up].labels,
    )
    axes.grid(visible=False)
    # Row 0 holds the lowest values, and belongs at the foot.
    axes.set_ylim(0, len(rows))
    axes.tick_params(axis="y", rotation=0)
    # Labels of fractions are longer than a column is wide.
    long = max(map(len, bins[across].labels)) > _LONGEST_LEVEL
    axes.tick_params(axis="x", rotation=30 if long else 0)


def _decimals(lowest: float, highest: float) -> int:
    """Return the decimals that show three digits of the colour scale's span."""
    span = highest - lowest
    return max(0, 2 - math.floor(math.log10(span))) if span > 0 else 3


def _frame_winner(axes: Axes, binned: BinnedTrials, *, arm: str) -> None:
    (winner,) = binned.winners.loc[binned.winners["arm"] == arm].to_dict("records")
    up, across = binned.bins
    corner = winner[across], winner[up]
    look: dict[str, Any] = {"fill": False, "edgecolor": _WINNER_COLOUR, "linewidth": 3}
    axes.add_patch(Rectangle(corner, 1, 1, **look, zorder=5, clip_on=False))


def _caption(tuned: Tuned) -> str:
    up, across = map(plain, _plane(tuned))
    return (
        f"**{up} and {across}.** Mean {OBJECTIVES[tuned.objective]} of the trials in a bin, with "
        "their number in brackets; darker is worse, and the darkest colour also stands for all "
        "that is worse still. Bins without a trial are blank; the frame holds the winning trial, "
        "whose bin need not have the best mean. Whatever else was searched is taken together."
    )


HEAT_MAP = ReportFigure(
    name="search_heat_map",
    draw=heat_map,
    alt="Objective over the two parameters that matter most, a panel for each arm",
    caption=_caption,
    applies=lambda tuned: tuned.plane is not None,
)
