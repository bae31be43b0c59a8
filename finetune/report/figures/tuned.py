"""The figures of a search: where it looked, how it went, what mattered, what its winners do."""

import math
import warnings
from collections.abc import Sequence
from typing import Any, cast

import matplotlib
import numpy as np
import pandas as pd
import seaborn
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.container import BarContainer
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle

from finetune.analysis.tuned import OBJECTIVES, Tuned
from finetune.analysis.tuned_tables import HeatCells, TunedTables, heat_cells, history_limits
from finetune.report.figures.curves import rate_curves
from finetune.report.figures.registry import saved_twice
from finetune.report.figures.style import RC, WIDTH, VariantStyles, shown

_TITLE = 38  # characters that fit above a panel
_WINNER = "#d55e00"
_RANDOM = {"color": "#a0a0a0", "linewidth": 0.9}
_BEST = {"color": "black", "linewidth": 1.8}


def tuned_files(tables: TunedTables, *, tuned: Tuned) -> dict[str, bytes]:
    """Draw the figures of a search as SVG and as PNG, by file name; equal data give equal files.

    Importances are drawn only where there are any.
    """
    draw = {"heat_map": heat_map, "history": history, "learning_rates": winners_rates}
    draw |= {} if tables.importances.empty else {"importances": importance_bars}
    files = {}
    with matplotlib.rc_context(RC), warnings.catch_warnings():
        # A name in a script that the font lacks shows as boxes; the tables still say it.
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        for name, figure in draw.items():
            files |= saved_twice(f"search_{name}", figure(tables, tuned))
    return files


def heat_map(tables: TunedTables, tuned: Tuned) -> Figure:
    """Draw the mean objective over factor and patience, a panel an arm, on one colour scale."""
    figure = Figure(figsize=(WIDTH, 4.4), layout="constrained")
    cells = heat_cells(tables.trials, tuned.ranges)
    panels = figure.subplots(1, len(tuned.arms), sharey=True)
    for axes, arm in zip(panels, tuned.arms, strict=True):
        _heat_panel(axes, cells, arm=arm.name)
        _frame_winner(axes, cells, arm=arm.name)
        axes.set(title=shown(arm.name, width=_TITLE), xlabel="patience (epochs)", ylabel="")
    panels[0].set_ylabel("factor")
    colours = ScalarMappable(Normalize(*cells.limits), "crest")
    beyond = "max" if cells.goes_beyond else "neither"
    label = f"mean {OBJECTIVES[tuned.objective]}"
    figure.colorbar(colours, ax=list(panels), label=label, extend=beyond, pad=0.02)
    return figure


def history(tables: TunedTables, tuned: Tuned) -> Figure:
    """Draw the objective of every trial and the best so far, a panel an arm, on one axis.

    Trials above the axis are triangles at its top, failed ones crosses at its foot.
    """
    figure = Figure(figsize=(WIDTH, 4.2), layout="constrained")
    limits = history_limits(tables)
    colours = VariantStyles(_drawn_order(tables, tuned)).colours
    panels = figure.subplots(1, len(tuned.arms), sharey=True)
    for axes, arm in zip(panels, tuned.arms, strict=True):
        own = tables.trials.loc[tables.trials["arm"] == arm.name]
        _random_lines(axes, tables.baseline, arm=arm.name)
        _trial_dots(axes, own, colour=colours[arm.name], limits=limits)
        seaborn.lineplot(own, x="number", y="best", ax=axes, drawstyle="steps-post", **_BEST)
        axes.set(title=shown(arm.name, width=_TITLE), ylim=_padded(limits), ylabel="")
    panels[0].set_ylabel(OBJECTIVES[tuned.objective])
    _history_legend(figure, tables)
    return figure


def importance_bars(tables: TunedTables, tuned: Tuned) -> Figure:
    """Draw the importance of each parameter, a bar an arm."""
    parameters = len(set(tables.importances["parameter"]))
    figure = Figure(figsize=(WIDTH, 1.0 + 0.55 * parameters), layout="constrained")
    axes = figure.subplots()
    arms = [arm.name for arm in tuned.arms]
    colours = VariantStyles(_drawn_order(tables, tuned)).colours
    look = {"hue": "arm", "hue_order": arms, "palette": {name: colours[name] for name in arms}}
    bars = {"x": "importance", "y": "parameter", "errorbar": None, "legend": False}
    seaborn.barplot(tables.importances, ax=axes, saturation=1, **bars, **look)
    for bars_of_arm in axes.containers:
        axes.bar_label(cast(BarContainer, bars_of_arm), fmt="%.2g", padding=3)
    axes.set(xlabel="importance (PED-ANOVA)", ylabel="")
    axes.grid(visible=False, axis="y")
    axes.margins(x=0.08)
    handles = [Rectangle((0, 0), 1, 1, color=colours[name]) for name in arms]
    _legend(figure, handles, [shown(name, width=_TITLE) for name in arms])
    return figure


def winners_rates(tables: TunedTables, tuned: Tuned) -> Figure:
    """Draw the learning rates of the winners and of the study's own settings."""
    return rate_curves(tables.curves, _drawn_order(tables, tuned))


def _drawn_order(tables: TunedTables, tuned: Tuned) -> list[str]:
    """Put the winners last, on top of all other lines, and so in a colour that is not grey."""
    arms = [arm.name for arm in tuned.arms]
    return [*(name for name in tables.curves["variant"].unique() if name not in arms), *arms]


def _heat_panel(axes: Axes, cells: HeatCells, *, arm: str) -> None:
    own, bins = cells.means.loc[cells.means["arm"] == arm], cells.bins
    rows, columns = (range(len(bins[name].labels)) for name in ("factor", "patience"))
    shape: dict[str, Any] = {"index": "factor", "columns": "patience"}
    decimals = _decimals(*cells.limits)
    texts = [f"{row['mean']:.{decimals}f}\n({row['size']})" for row in own.to_dict("records")]
    means = own.pivot(**shape, values="mean").reindex(index=rows, columns=columns)
    said = own.assign(text=texts).pivot(**shape, values="text")
    said = said.reindex(index=rows, columns=columns).astype(object).fillna("")
    look = {
        "fmt": "",
        "cmap": "crest",
        "norm": Normalize(*cells.limits),
        "cbar": False,
        "linewidths": 1,
    }
    look |= {"xticklabels": bins["patience"].labels, "yticklabels": bins["factor"].labels}
    seaborn.heatmap(means, ax=axes, annot=said, annot_kws={"fontsize": "small"}, **look)
    axes.grid(visible=False)
    # Row 0 is the lowest factor, and belongs at the foot.
    axes.set_ylim(0, len(rows))
    axes.tick_params(rotation=0)


def _decimals(lowest: float, highest: float) -> int:
    """Give the decimals that show three digits of the colour scale's span."""
    span = highest - lowest
    return max(0, 2 - math.floor(math.log10(span))) if span > 0 else 3


def _frame_winner(axes: Axes, cells: HeatCells, *, arm: str) -> None:
    (winner,) = cells.winners.loc[cells.winners["arm"] == arm].to_dict("records")
    row, column = winner["factor"], winner["patience"]
    look = {"fill": False, "edgecolor": _WINNER, "linewidth": 3, "zorder": 5, "clip_on": False}
    axes.add_patch(Rectangle((column, row), 1, 1, **look))


def _padded(limits: tuple[float, float]) -> tuple[float, float]:
    low, high = limits
    pad = 0.07 * (high - low) or 0.05 * abs(high) or 1.0
    return low - pad, high + pad


def _random_lines(axes: Axes, baseline: pd.DataFrame, *, arm: str) -> None:
    if baseline.empty:
        return
    own = baseline.loc[baseline["arm"] == arm]
    look: dict[str, Any] = {"units": "repeat", "estimator": None, "drawstyle": "steps-post"}
    seaborn.lineplot(own, x="number", y="best", ax=axes, **look, **_RANDOM)


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
    told = ", ".join(f"{count} {words}" for words, count in counts.items() if count)
    axes.set_xlabel("trial number" + (f" ({told})" if told else ""))


def _history_legend(figure: Figure, tables: TunedTables) -> None:
    dot = Line2D([], [], color="#555555", marker="o", linewidth=0)
    entries = {"trial": dot, "best so far": Line2D([], [], **_BEST)}
    if not tables.baseline.empty:
        entries["best so far of each random search"] = Line2D([], [], **_RANDOM)
    _legend(figure, list(entries.values()), list(entries))


def _legend(figure: Figure, handles: Sequence[Any], labels: list[str]) -> None:
    """Put a legend below all axes, where it covers no data."""
    figure.legend(handles, labels, loc="outside lower center", ncols=len(labels))
