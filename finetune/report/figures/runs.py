"""Figures of what the runs ended with: test metrics as paired dots, training against test loss."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import seaborn
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure

from finetune.analysis.analysis import Analysis
from finetune.analysis.runs import finished
from finetune.report.figures.base import ReportFigure
from finetune.report.figures.style import MOST_VECTOR_DOTS, WIDTH, VariantStyles, set_scale, shown
from finetune.report.words import metric_label

# More joining lines than this are a grey smear.
_MOST_LINES = 150
_FEW_SEEDS = 20
# Panels in a row, beside which the names of the variants have their place.
_MOST_BESIDE = 3

_INTERVAL: dict[str, Any] = {"ecolor": "black", "elinewidth": 3, "zorder": 4}


def metric_dots(analysis: Analysis) -> Figure:
    """Draw each run's test metrics, a row a variant, with a light line for each seed."""
    metrics = [name for name in analysis.metrics if name.startswith("test_")]
    columns = min(len(metrics), _MOST_BESIDE)
    rows, height = -(-len(metrics) // columns), 1 + 0.62 * len(analysis.variants)
    figure = Figure(figsize=(WIDTH, height * rows), layout="constrained")
    panels = figure.subplots(rows, columns, sharey=True, squeeze=False)
    for axes, metric in zip(panels.flat, metrics, strict=False):
        # More panels than those of loss and accuracy make the file heavier.
        most = MOST_VECTOR_DOTS / max(1, len(metrics) - 1)
        _paired_dots(axes, analysis, metric, most_vector_dots=most)
        title, limits = metric_label(metric), (len(analysis.variants) - 0.5, -0.5)
        axes.set(title=title, xlabel="", ylabel="", ylim=limits)
    for unused in figure.axes[len(metrics) :]:
        unused.remove()
    names = [shown(name, width=26) for name in analysis.variants]
    panels[0, 0].set_yticks(range(len(names)), names)
    return figure


def loss_scatter(analysis: Analysis) -> Figure:
    """Draw test loss against training loss, a dot a run, and each variant's mean."""
    figure = Figure(figsize=(WIDTH, 4.6), layout="constrained")
    axes, styles = figure.subplots(), VariantStyles(analysis.variants)
    runs, means = finished(analysis.runs), analysis.summary.set_index(["variant", "metric"])
    look = {"areas": styles.areas, "rasterized": len(runs) > MOST_VECTOR_DOTS}
    _draw_dots(axes, runs, styles, x="train_loss", y="test_loss", **look)
    for name in analysis.variants:
        across, up = means.loc[(name, "train_loss")], means.loc[(name, "test_loss")]
        look: dict[str, Any] = {
            "marker": styles.markers[name],
            "mfc": styles.colours[name],
            "ms": 5 + 2 * styles.widths[name],
            "mec": "black",
            "mew": 1.2,
            "elinewidth": 1.5,
        }
        bars = {"xerr": _error_bar(across), "yerr": _error_bar(up)}
        axes.errorbar(across["mean"], up["mean"], **bars, **_INTERVAL | look)
    axes.set(xlabel="training loss of the final weights", ylabel="test loss of the final weights")
    set_scale(axes, runs.loc[:, "train_loss"], axis="x")
    set_scale(axes, runs.loc[:, "test_loss"], axis="y")
    styles.add_legend(figure)
    return figure


def _paired_dots(axes: Axes, analysis: Analysis, metric: str, *, most_vector_dots: float) -> None:
    runs, styles = finished(analysis.runs), VariantStyles(analysis.variants)
    heights = _heights(sorted(set(analysis.runs["seed"])))
    runs = runs.assign(row=runs["variant"].cat.codes + [heights[seed] for seed in runs["seed"]])
    few = len(heights) <= _FEW_SEEDS
    if len(heights) <= _MOST_LINES:
        paths = [ends[[metric, "row"]].to_numpy() for _, ends in runs.groupby("seed")]
        look = {"colors": "#999999", "linewidths": 0.8 if few else 0.4, "alpha": 0.4}
        axes.add_collection(LineCollection(paths, **look))
    areas = dict.fromkeys(analysis.variants, 40 if few else 16)
    # A few dots stand before the interval, which would hide them; many dots would hide it.
    look = {"zorder": 5 if few else 2, "rasterized": len(runs) > most_vector_dots}
    _draw_dots(axes, runs, styles, x=metric, y="row", areas=areas, **look)
    means = analysis.summary.loc[analysis.summary["metric"] == metric]
    for place, mean in enumerate(means.to_dict("records")):
        look = _INTERVAL | {"marker": "|", "ms": 18, "mec": "black", "mew": 2}
        axes.errorbar(mean["mean"], place, xerr=_error_bar(mean), **look)
    set_scale(axes, runs.loc[:, metric], axis="x")


def _draw_dots(
    axes: Axes,
    runs: pd.DataFrame,
    styles: VariantStyles,
    *,
    x: str,
    y: str,
    areas: Mapping[str, float],
    zorder: float = 2,
    rasterized: bool,
) -> None:
    # One call a variant: an SVG then holds each marker's shape once, and stays half as large.
    for name in styles.variants:
        look: dict[str, Any] = {
            "color": styles.colours[name],
            "marker": styles.markers[name],
            "s": areas[name],
            "alpha": 0.6,
            "linewidth": 0,
            "zorder": zorder,
            "rasterized": rasterized,
        }
        seaborn.scatterplot(runs.loc[runs["variant"] == name], x=x, y=y, ax=axes, **look)


def _heights(seeds: Sequence[int]) -> dict[int, float]:
    """Return each seed's place across a row, within +-0.25, the same in all rows.

    Steps of the golden ratio spread any number of seeds evenly and put neighbours apart.
    """
    places = (np.arange(len(seeds)) * 0.6180339887498949 + 0.5) % 1 - 0.5
    return dict(zip(seeds, places / 2, strict=True))


def _error_bar(row: Mapping[str, Any]) -> list[list[float]] | None:
    """Return an error bar's two lengths, [[down], [up]]; one run alone has none."""
    if row["n"] < 2:
        return None
    return [[row["mean"] - row["low"]], [row["high"] - row["mean"]]]


def _metrics_caption(_: Analysis) -> str:
    return (
        "Test metrics of the final weights. A dot is a run, a thin grey line joins the runs of one "
        "seed (up to 150 seeds), black is the mean with its 95 % interval."
    )


def _losses_caption(_: Analysis) -> str:
    return (
        "Training against test loss of the final weights. A dot is a run, a large mark the mean "
        "with its 95 % intervals. Underfitting moves a variant to the right and up, overfitting to "
        "the left and up."
    )


TEST_METRICS = ReportFigure(
    name="test_metrics",
    draw=metric_dots,
    alt="Test metrics of every run, a row for each variant",
    caption=_metrics_caption,
    applies=lambda analysis: analysis.any_finished,
)
LOSS_SCATTER = ReportFigure(
    name="loss_scatter",
    draw=loss_scatter,
    alt="Test loss against training loss, a dot for each run",
    caption=_losses_caption,
    applies=lambda analysis: analysis.any_finished,
)
