"""Heat map of a search: the mean objective over factor and patience."""

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

_WINNER_COLOUR = "#d55e00"


def heat_map(data: SearchData) -> Figure:
    """Draw the mean objective over factor and patience, a panel an arm, on one colour scale."""
    tuned = data.tuned
    figure = Figure(figsize=(WIDTH, 4.4), layout="constrained")
    binned = bin_trials(data.tables.trials, tuned.ranges)
    panels = figure.subplots(1, len(tuned.arms), sharey=True)
    for axes, arm in zip(panels, tuned.arms, strict=True):
        _panel(axes, binned, arm=arm.name)
        _frame_winner(axes, binned, arm=arm.name)
        axes.set(title=shown(arm.name, width=TITLE_WIDTH), xlabel="patience (epochs)", ylabel="")
    panels[0].set_ylabel("factor")
    colours = ScalarMappable(Normalize(*binned.limits), "crest")
    beyond = "max" if binned.goes_beyond else "neither"
    label = f"mean {OBJECTIVES[tuned.objective]}"
    figure.colorbar(colours, ax=list(panels), label=label, extend=beyond, pad=0.02)
    return figure


def _panel(axes: Axes, binned: BinnedTrials, *, arm: str) -> None:
    means, bins = binned.means.loc[binned.means["arm"] == arm], binned.bins
    rows, columns = (range(len(bins[name].labels)) for name in ("factor", "patience"))
    shape: dict[str, Any] = {"index": "factor", "columns": "patience"}
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
        xticklabels=bins["patience"].labels,
        yticklabels=bins["factor"].labels,
    )
    axes.grid(visible=False)
    # Row 0 is the lowest factor, and belongs at the foot.
    axes.set_ylim(0, len(rows))
    axes.tick_params(rotation=0)


def _decimals(lowest: float, highest: float) -> int:
    """Return the decimals that show three digits of the colour scale's span."""
    span = highest - lowest
    return max(0, 2 - math.floor(math.log10(span))) if span > 0 else 3


def _frame_winner(axes: Axes, binned: BinnedTrials, *, arm: str) -> None:
    (winner,) = binned.winners.loc[binned.winners["arm"] == arm].to_dict("records")
    corner = winner["patience"], winner["factor"]
    look: dict[str, Any] = {"fill": False, "edgecolor": _WINNER_COLOUR, "linewidth": 3}
    axes.add_patch(Rectangle(corner, 1, 1, **look, zorder=5, clip_on=False))


def _caption(tuned: Tuned) -> str:
    return (
        f"**Factor and patience.** Mean {OBJECTIVES[tuned.objective]} of the trials in a bin, with "
        "their number in brackets; darker is worse, and the darkest colour also stands for all "
        "that is worse still. Bins without a trial are blank; the frame holds the winning trial, "
        "whose bin need not have the best mean. All delays are taken together."
    )


HEAT_MAP = ReportFigure(
    name="search_heat_map",
    draw=heat_map,
    alt="Objective over factor and patience, a panel for each arm",
    caption=_caption,
)
