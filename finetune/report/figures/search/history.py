"""History of a search: every trial in turn, and the best so far."""

from typing import Any

import numpy as np
import pandas as pd
import seaborn
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from finetune.analysis.tuned import OBJECTIVES, Tuned
from finetune.analysis.tuned_tables import TunedTables, history_limits
from finetune.report.figures.base import ReportFigure
from finetune.report.figures.search.panels import (
    BEST_LOOK,
    RANDOM_LOOK,
    TITLE_WIDTH,
    SearchData,
    add_legend,
)
from finetune.report.figures.style import WIDTH, VariantStyles, shown


def history(data: SearchData) -> Figure:
    """Draw the objective of every trial and the best so far, a panel an arm, on one axis.

    Trials above the axis are triangles at its top, failed ones crosses at its foot.
    """
    tuned, tables = data.tuned, data.tables
    figure = Figure(figsize=(WIDTH, 4.2), layout="constrained")
    limits = history_limits(tables)
    colours = VariantStyles(data.drawn_variants).colours
    panels = figure.subplots(1, len(tuned.arms), sharey=True)
    for axes, arm in zip(panels, tuned.arms, strict=True):
        trials = tables.trials.loc[tables.trials["arm"] == arm.name]
        _random_lines(axes, tables.baseline, arm=arm.name)
        _trial_dots(axes, trials, colour=colours[arm.name], limits=limits)
        seaborn.lineplot(trials, x="number", y="best", ax=axes, drawstyle="steps-post", **BEST_LOOK)
        axes.set(title=shown(arm.name, width=TITLE_WIDTH), ylim=_padded(limits), ylabel="")
    panels[0].set_ylabel(OBJECTIVES[tuned.objective])
    _add_legend(figure, tables)
    return figure


def _padded(limits: tuple[float, float]) -> tuple[float, float]:
    low, high = limits
    pad = 0.07 * (high - low) or 0.05 * abs(high) or 1.0
    return low - pad, high + pad


def _random_lines(axes: Axes, baseline: pd.DataFrame, *, arm: str) -> None:
    if baseline.empty:
        return
    repeats = baseline.loc[baseline["arm"] == arm]
    look: dict[str, Any] = {"units": "repeat", "estimator": None, "drawstyle": "steps-post"}
    seaborn.lineplot(repeats, x="number", y="best", ax=axes, **look, **RANDOM_LOOK)


def _trial_dots(
    axes: Axes, trials: pd.DataFrame, *, colour: str, limits: tuple[float, float]
) -> None:
    foot, top = _padded(limits)
    values = trials["value"].to_numpy(dtype=float)
    above, failed = values > limits[1], np.isnan(values)
    look: dict[str, Any] = {"ax": axes, "x": "number", "y": "value", "color": colour}
    seaborn.scatterplot(trials.loc[~above & ~failed], s=28, alpha=0.7, **look)
    edge: dict[str, Any] = {"clip_on": False, "zorder": 4, "s": 42}
    seaborn.scatterplot(trials.loc[above].assign(value=top), marker="^", **look, **edge)
    look |= {"color": "black", "linewidth": 1.5}
    seaborn.scatterplot(trials.loc[failed].assign(value=foot), marker="x", **look, **edge)
    counts = {"above the axis": int(above.sum()), "failed": int(failed.sum())}
    found = ", ".join(f"{count} {words}" for words, count in counts.items() if count)
    axes.set_xlabel("trial number" + (f" ({found})" if found else ""))


def _add_legend(figure: Figure, tables: TunedTables) -> None:
    dot = Line2D([], [], color="#555555", marker="o", linewidth=0)
    entries = {"trial": dot, "best so far": Line2D([], [], **BEST_LOOK)}
    if not tables.baseline.empty:
        entries["best so far of each random search"] = Line2D([], [], **RANDOM_LOOK)
    add_legend(figure, list(entries.values()), list(entries))


def _caption(tuned: Tuned) -> str:
    random = " Thin grey lines: the best so far of each random search." if tuned.baseline else ""
    return (
        f"**History.** A dot is a trial, the black line the best {OBJECTIVES[tuned.objective]} so "
        "far. Triangles at the top are trials above the axis; below each panel stands how many."
        f"{random}"
    )


HISTORY = ReportFigure(
    name="search_history",
    draw=history,
    alt="Objective of every trial in the order of the search",
    caption=_caption,
)
