"""Figure of quality against compute: test loss within each budget of epochs."""

from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter, StrMethodFormatter

from finetune.analysis.analysis import Analysis
from finetune.report.figures.base import ReportFigure
from finetune.report.figures.style import WIDTH, VariantStyles, set_scale
from finetune.report.words import MEAN_WITH_INTERVAL


def budget_lines(analysis: Analysis) -> Figure:
    """Draw test loss against the epochs run within each budget, a line a variant."""
    figure = Figure(figsize=(WIDTH, 4), layout="constrained")
    axes, styles = figure.subplots(), VariantStyles(analysis.variants)
    points = analysis.loss_by_budget.loc[analysis.loss_by_budget["n"] > 0]
    for place, name in enumerate(styles.variants):
        _draw(axes, points.loc[points["variant"] == name], styles, place=place)
    axes.set(xlabel="mean epochs run within the budget", ylabel="", xscale="log")
    axes.set(title="Test loss within a budget of epochs")
    set_scale(axes, points.loc[:, "mean"], axis="y")
    # Budgets are few: their numbers serve as ticks, not powers of ten.
    axes.set_xticks(sorted(set(analysis.budgets["budget"])))
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())
    styles.add_legend(figure)
    return figure


def _draw(axes: Axes, line: pd.DataFrame, styles: VariantStyles, *, place: int) -> None:
    name = styles.variants[place]
    look: dict[str, Any] = {
        "color": styles.colours[name],
        "linewidth": styles.widths[name],
        "marker": styles.markers[name],
        "markersize": 4 + 1.5 * styles.widths[name],
        "markeredgecolor": "white",
        "zorder": 3 + place / 100,
    }
    if styles.dashes[name]:
        look["dashes"] = styles.dashes[name]
    edges = line["epochs_run"], line["low"], line["high"]
    axes.fill_between(*edges, color=styles.colours[name], alpha=0.15, linewidth=0)
    axes.plot(line["epochs_run"], line["mean"], **look)


def _caption(_: Analysis) -> str:
    return (
        f"What a budget of epochs buys: test loss ({MEAN_WITH_INTERVAL}) had every run been ended "
        "after each budget in the table above, a mark each, against the mean number of epochs "
        "that were then run. A run is the same under every budget up to the epoch that it ends "
        "in, so these are results, not estimates. Lower and further to the left is better; a line "
        "that ends early is of runs that stop by themselves."
    )


BUDGET = ReportFigure(
    name="budget",
    draw=budget_lines,
    alt="Test loss against the epochs run within each budget, a line for each variant",
    caption=_caption,
    applies=lambda analysis: analysis.any_finished,
    section="budgets",
)
