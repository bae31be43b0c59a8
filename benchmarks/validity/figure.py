"""The plot of false decisions over the number of looks."""

import pandas as pd
import seaborn
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from benchmarks.validity.cases import ALPHA
from benchmarks.validity.mean_tests import OURS, STUDENT
from benchmarks.validity.plans import SIZES
from finetune.report.figures.base import saved_twice
from finetune.report.figures.style import WIDTH, figure_style

# How the looks are judged and by which test: the label, colour and marker of the line.
_LINES = {
    f"by hand, {STUDENT}": ("seeds raised by hand,\nStudent's t", "#d55e00", "s"),
    f"by hand, {OURS}": ("seeds raised by hand,\nthe test of reports", "#e69f00", "D"),
    f"shares of alpha, {OURS}": ("shares of alpha,\nthe test of reports", "#0072b2", "o"),
}


def figure_files(by_hand: pd.DataFrame) -> dict[str, bytes]:
    """Draw the plot as SVG and as PNG, by file name."""
    with figure_style():
        return saved_twice("looks", draw(by_hand))


def draw(by_hand: pd.DataFrame) -> Figure:
    """Draw the share of studies falsely supported by each look, a panel a kind of differences."""
    rows = by_hand.loc[by_hand["sizes"] == " ".join(map(str, SIZES))]
    rows = rows.assign(line=rows["how"] + ", " + rows["test"])
    rows = rows.assign(percent=100 * rows["supported"])
    figure = Figure(figsize=(WIDTH, 4.4), layout="constrained")
    names = list(dict.fromkeys(rows["differences"]))
    panels = figure.subplots(1, len(names), sharey=True)
    for axes, name in zip(panels, names, strict=True):
        _panel(axes, rows.loc[rows["differences"] == name])
        axes.set(title=f"Differences: {name}", ylabel="Falsely supported by then, %")
    panels[0].set_ylim(0, 1.05 * max(list(rows["percent"])))
    _legend(figure)
    return figure


def _panel(axes: Axes, rows: pd.DataFrame) -> None:
    axes.axhline(100 * ALPHA, color="#444444", linewidth=1.5, linestyle="--")
    axes.text(len(SIZES), 100 * ALPHA, "alpha", ha="right", va="bottom")
    colours = {key: colour for key, (_, colour, _) in _LINES.items()}
    markers = {key: marker for key, (_, _, marker) in _LINES.items()}
    seaborn.lineplot(
        rows, x="look", y="percent", ax=axes, hue="line", palette=colours, style="line",
        markers=markers, dashes=False, legend=False, estimator=None, linewidth=2, markersize=7,
    )  # fmt: skip
    axes.set_xticks(range(1, len(SIZES) + 1), [f"{k}\n{n}" for k, n in enumerate(SIZES, 1)])
    axes.set_xlabel("Look, and seeds by then")


def _legend(figure: Figure) -> None:
    handles = [
        Line2D([], [], color=colour, marker=marker, linewidth=2)
        for _, colour, marker in _LINES.values()
    ]
    labels = [label for label, *_ in _LINES.values()]
    figure.legend(handles, labels, loc="outside lower center", ncols=len(labels))
