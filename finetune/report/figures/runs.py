"""Figures of what the runs ended with: test metrics as paired dots, training against test loss."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import seaborn
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure

from finetune.analysis.runs import finished
from finetune.analysis.tables import ReportTables
from finetune.report.figures.style import MOST_VECTOR_DOTS, WIDTH, VariantStyles, set_scale, shown

# More joining lines than this are a grey smear.
_MOST_LINES = 150
_FEW_SEEDS = 20

_INTERVAL: dict[str, Any] = {"ecolor": "black", "elinewidth": 3, "zorder": 4}


def metric_dots(tables: ReportTables) -> Figure:
    """Draw each run's test metrics, a row a variant, with a light line for each seed."""
    titles = {"test_loss": "Test loss", "test_accuracy": "Test accuracy"}
    titles = {name: title for name, title in titles.items() if name in tables.metrics}
    figure = Figure(figsize=(WIDTH, 1 + 0.62 * len(tables.variants)), layout="constrained")
    panels = figure.subplots(1, len(titles), sharey=True, squeeze=False)[0]
    for axes, (metric, title) in zip(panels, titles.items(), strict=True):
        _paired_dots(axes, tables, metric)
        axes.set(title=title, xlabel="", ylabel="", ylim=(len(tables.variants) - 0.5, -0.5))
    names = [shown(name, width=26) for name in tables.variants]
    panels[0].set_yticks(range(len(names)), names)
    return figure


def loss_scatter(tables: ReportTables) -> Figure:
    """Draw test loss against training loss, a dot a run, and each variant's mean."""
    figure = Figure(figsize=(WIDTH, 4.6), layout="constrained")
    axes, styles = figure.subplots(), VariantStyles(tables.variants)
    runs, means = finished(tables.runs), tables.summary.set_index(["variant", "metric"])
    _draw_dots(axes, runs, styles, x="train_loss", y="test_loss", areas=styles.areas)
    for name in tables.variants:
        across, up = means.loc[(name, "train_loss")], means.loc[(name, "test_loss")]
        look: dict[str, Any] = {"marker": styles.markers[name], "mfc": styles.colours[name]}
        look |= {"ms": 5 + 2 * styles.widths[name], "mec": "black", "mew": 1.2, "elinewidth": 1.5}
        axes.errorbar(
            across["mean"], up["mean"], xerr=_arms(across), yerr=_arms(up), **_INTERVAL | look
        )
    axes.set(xlabel="training loss of the final weights", ylabel="test loss of the final weights")
    set_scale(axes, runs.loc[:, "train_loss"], axis="x")
    set_scale(axes, runs.loc[:, "test_loss"], axis="y")
    styles.add_legend(figure)
    return figure


def _paired_dots(axes: Axes, tables: ReportTables, metric: str) -> None:
    runs, styles = finished(tables.runs), VariantStyles(tables.variants)
    lanes = _lanes(sorted(set(tables.runs["seed"])))
    runs = runs.assign(row=runs["variant"].cat.codes + [lanes[seed] for seed in runs["seed"]])
    few = len(lanes) <= _FEW_SEEDS
    if len(lanes) <= _MOST_LINES:
        paths = [own[[metric, "row"]].to_numpy() for _, own in runs.groupby("seed")]
        look = {"colors": "#999999", "linewidths": 0.8 if few else 0.4, "alpha": 0.4}
        axes.add_collection(LineCollection(paths, **look))
    areas = dict.fromkeys(tables.variants, 40 if few else 16)
    # A few dots stand before the interval, which would hide them; many dots would hide it.
    _draw_dots(axes, runs, styles, x=metric, y="row", areas=areas, zorder=5 if few else 2)
    means = tables.summary.loc[tables.summary["metric"] == metric]
    for place, mean in enumerate(means.to_dict("records")):
        look = _INTERVAL | {"marker": "|", "ms": 18, "mec": "black", "mew": 2}
        axes.errorbar(mean["mean"], place, xerr=_arms(mean), **look)
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
) -> None:
    # One call a variant: an SVG then holds each marker's shape once, and stays half as large.
    for name in styles.variants:
        own = runs.loc[runs["variant"] == name]
        look: dict[str, Any] = {"color": styles.colours[name], "marker": styles.markers[name]}
        look |= {"s": areas[name], "alpha": 0.6, "linewidth": 0, "zorder": zorder}
        look |= {"rasterized": len(runs) > MOST_VECTOR_DOTS}
        seaborn.scatterplot(own, x=x, y=y, ax=axes, **look)


def _lanes(seeds: Sequence[int]) -> dict[int, float]:
    """Give each seed its place across a row, within +-0.25, the same in all rows.

    Steps of the golden ratio spread any number of seeds evenly and put neighbours apart.
    """
    places = (np.arange(len(seeds)) * 0.6180339887498949 + 0.5) % 1 - 0.5
    return dict(zip(seeds, places / 2, strict=True))


def _arms(row: Mapping[str, Any]) -> list[list[float]] | None:
    """Give an error bar's two lengths, [[down], [up]]; one run alone has none."""
    if row["n"] < 2:
        return None
    return [[row["mean"] - row["low"]], [row["high"] - row["mean"]]]
