"""The plot of cost over the number of runs."""

import pandas as pd
import seaborn
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from benchmarks.speed.methods import FORKING, JAX, LOCKSTEP, LOOP, TUNED
from benchmarks.speed.summary import with_rates
from finetune.report.figures.base import saved_twice
from finetune.report.figures.style import WIDTH, figure_style

_COLOURS = {FORKING: "#0072b2", LOCKSTEP: "#56b4e9", JAX: "#e69f00"}
_MARKERS = {FORKING: "o", LOCKSTEP: "s", JAX: "D"}
_LEVELS = {LOOP: ("#666666", "-"), TUNED: ["#666666", "--"]}


def figure_files(sweep: pd.DataFrame, summary: pd.DataFrame) -> dict[str, bytes]:
    """Draw the plot as SVG and as PNG, by file name."""
    with figure_style():
        return saved_twice("runs", draw(sweep, summary))


def draw(sweep: pd.DataFrame, summary: pd.DataFrame) -> Figure:
    """Draw milliseconds a delivered run-epoch over the number of runs, both axes logarithmic."""
    figure = Figure(figsize=(WIDTH, 4.6), layout="constrained")
    axes = figure.subplots()
    keys = [key for key in _COLOURS if key in set(sweep["method"])]
    colour = {"hue": "method", "hue_order": keys, "palette": _COLOURS}
    shape = {"style": "method", "style_order": keys, "markers": _MARKERS, "dashes": False}
    seaborn.lineplot(
        with_rates(sweep), x="runs", y="ms", ax=axes, **colour, **shape,
        estimator="median", errorbar=("pi", 100), legend=False, linewidth=2, markersize=7,
    )  # fmt: skip
    _draw_levels(axes, summary)
    _label(axes, summary, keys)
    runs = sorted(set(sweep["runs"]))
    axes.set(xscale="log", yscale="log", xlabel="Runs trained (five variants of each seed; 1: one)")
    axes.set_ylabel("Milliseconds a delivered run-epoch")
    axes.set_title("Cost of an epoch of one run, all cores; lower is better")
    axes.set_xticks(runs, [f"{count:,}" for count in runs])
    axes.minorticks_off()
    return figure


def _draw_levels(axes: Axes, summary: pd.DataFrame) -> None:
    for key, (colour, dashes) in _LEVELS.items():
        axes.axhline(summary.loc[key, "ms"], color=colour, linestyle=dashes, linewidth=1.5)


def _label(axes: Axes, summary: pd.DataFrame, keys: list[str]) -> None:
    handles = [Line2D([], [], color=_COLOURS[k], marker=_MARKERS[k], linewidth=2) for k in keys]
    handles += [
        Line2D([], [], color=colour, linestyle=dashes) for colour, dashes in _LEVELS.values()
    ]
    labels = [summary.loc[key, "label"].replace("`", "") for key in [*keys, *_LEVELS]]
    axes.legend(handles, labels, loc="upper left", bbox_to_anchor=(1.0, 1.0))
