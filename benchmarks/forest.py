"""The forest plot: every study's differences on one scale, that of its own margins."""

import pandas as pd
import seaborn
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from benchmarks.verdicts import SIDES
from finetune.report.figures.base import saved_twice
from finetune.report.figures.style import WIDTH, figure_style

# Okabe and Ito's colours, as in the reports, and a shape each.
STYLES = {
    "supported": ("#d55e00", "s"),
    "refuted": ("#0072b2", "o"),
    "inconclusive": ("#8a8a8a", "D"),
    "not tested": ("#000000", "X"),
}
_STEPS = (1, 3, 10, 30, 100)


def forest_files(verdicts: pd.DataFrame) -> dict[str, bytes]:
    """Draw the forest plot of `read_verdicts` as SVG and as PNG, by file name."""
    with figure_style():
        return saved_twice("forest", _figure(verdicts))


def in_margins(verdicts: pd.DataFrame, side: str) -> pd.DataFrame:
    """Return difference, low and high of a side (train or test) in units of the study's margin."""
    margin = verdicts[f"{side}_margin"]
    columns = ("difference", "low", "high")
    return pd.DataFrame({name: verdicts[f"{side}_{name}"] / margin for name in columns})


def _figure(verdicts: pd.DataFrame) -> Figure:
    """Draw a panel a side and a row a study, the largest difference in training on top."""
    order = in_margins(verdicts, "train").sort_values("difference", ascending=False).index
    verdicts = verdicts.loc[order].reset_index(drop=True)
    figure = Figure(figsize=(WIDTH, 1.5 + 0.36 * len(verdicts)), layout="constrained")
    panels = figure.subplots(1, len(SIDES), sharey=True)
    for axes, side in zip(panels, SIDES, strict=True):
        _panel(axes, verdicts, side)
    panels[0].set_yticks(range(len(verdicts)), list(verdicts["study"]))
    panels[0].set_ylim(len(verdicts) - 0.5, -0.5)
    shown = [name for name in STYLES if name in set(verdicts["verdict"])]
    styles = [STYLES[name] for name in shown]
    handles = [Line2D([], [], linestyle="", marker=m, color=c) for c, m in styles]
    figure.legend(handles, shown, loc="outside lower center", ncols=len(shown))
    return figure


def _panel(axes: Axes, verdicts: pd.DataFrame, side: str) -> None:
    scaled = in_margins(verdicts, side)
    axes.axvspan(-1, 1, color="#e8e8e8", zorder=0)
    axes.axvline(0, color="#888888", linewidth=1, zorder=1)
    rows = scaled.assign(row=range(len(scaled)), verdict=verdicts["verdict"])
    for name, (colour, _) in STYLES.items():
        some = rows[rows["verdict"] == name]
        axes.hlines(some["row"], some["low"], some["high"], color=colour, linewidth=2)
    seaborn.scatterplot(
        rows,
        x="difference",
        y="row",
        hue="verdict",
        style="verdict",
        palette={name: colour for name, (colour, _) in STYLES.items()},
        markers={name: marker for name, (_, marker) in STYLES.items()},
        s=60,
        legend=False,
        ax=axes,
        zorder=3,
    )
    _scale_axis(axes, max(abs(scaled[["low", "high"]]).max()))
    axes.set(title=SIDES[side].capitalize(), ylabel="")


def _scale_axis(axes: Axes, widest: float) -> None:
    """Label an axis of margins, linear within one margin and logarithmic beyond."""
    steps = [step for step in _STEPS if step <= max(1.2 * widest, 3)]
    # Where the axis is long, its labels would run into each other.
    steps = steps if len(steps) < 4 else steps[::2]
    ticks = [*(-step for step in reversed(steps)), 0, *steps]
    axes.set_xscale("symlog", linthresh=1, linscale=1)
    axes.set_xticks(ticks, [f"{tick:+d}" if tick else "0" for tick in ticks])
    axes.set(xlabel="difference in margins (higher is worse)")
    axes.set(xlim=(-1.3 * max(widest, 2), 1.3 * max(widest, 2)))
