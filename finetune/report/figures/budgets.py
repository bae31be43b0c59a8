"""Figure of quality against compute: test loss within each budget of epochs."""

from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter, StrMethodFormatter

from finetune.analysis.tables import ReportTables
from finetune.report.figures.style import WIDTH, VariantStyles, set_scale


def budget_lines(tables: ReportTables) -> Figure:
    """Draw test loss against the epochs run within each budget, a line a variant."""
    figure = Figure(figsize=(WIDTH, 4), layout="constrained")
    axes, styles = figure.subplots(), VariantStyles(tables.variants)
    points = _points(tables.budgets)
    for place, name in enumerate(styles.variants):
        _draw(axes, points.loc[points["variant"] == name], styles, place=place)
    axes.set(xlabel="mean epochs run within the budget", ylabel="", xscale="log")
    axes.set(title="Test loss within a budget of epochs")
    set_scale(axes, points.loc[:, "mean"], axis="y")
    # Budgets are few: their numbers serve as ticks, not powers of ten.
    axes.set_xticks(sorted(set(tables.budgets["budget"])))
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())
    styles.add_legend(figure)
    return figure


def _points(budgets: pd.DataFrame) -> pd.DataFrame:
    """Give test loss beside the epochs it took: a row a (variant, budget) with any run."""
    keys = ["variant", "budget"]
    spent = budgets.loc[budgets["metric"] == "epochs_run", [*keys, "mean"]]
    loss = budgets.loc[(budgets["metric"] == "test_loss") & (budgets["n"] > 0)]
    return loss.merge(spent.rename(columns={"mean": "spent"}), on=keys)


def _draw(axes: Axes, line: pd.DataFrame, styles: VariantStyles, *, place: int) -> None:
    name = styles.variants[place]
    look: dict[str, Any] = {"color": styles.colours[name], "linewidth": styles.widths[name]}
    look |= {"marker": styles.markers[name], "markersize": 4 + 1.5 * styles.widths[name]}
    look |= {"markeredgecolor": "white", "zorder": 3 + place / 100}
    if styles.dashes[name]:
        look["dashes"] = styles.dashes[name]
    edges = line["spent"], line["low"], line["high"]
    axes.fill_between(*edges, color=styles.colours[name], alpha=0.15, linewidth=0)
    axes.plot(line["spent"], line["mean"], **look)
