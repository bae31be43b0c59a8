"""The claim map as a picture: the differences as colours, the verdicts as marks."""

import matplotlib
import numpy as np
import pandas as pd
import seaborn
from matplotlib.colors import CenteredNorm
from matplotlib.figure import Figure

from finetune.report.figures.registry import saved_twice
from finetune.report.figures.style import RC, WIDTH

MARKS = {"supported": "S", "refuted": "R", "inconclusive": "?", "not tested": "-"}
_METRICS = {"train_loss": "training loss", "test_loss": "test loss"}


def map_files(table: pd.DataFrame) -> dict[str, bytes]:
    """Draw the map as SVG and as PNG, by file name.

    Args:
        table: As `claim_map` gives it: a row a cell, with its factor, patience and delay.
    """
    with matplotlib.rc_context(RC):
        return saved_twice("claim_map", _figure(table))


def _figure(table: pd.DataFrame) -> Figure:
    """A row of panels a metric, a column a delay; one colour scale a metric."""
    delays = sorted(table["delay"].unique())
    figure = Figure(figsize=(WIDTH, 6.6), layout="constrained")
    grid = np.atleast_2d(figure.subplots(len(_METRICS), len(delays), squeeze=False))
    for axes_row, (metric, words) in zip(grid, _METRICS.items(), strict=True):
        norm = CenteredNorm(halfrange=max(abs(table[f"{metric}_difference"])) or 1.0)
        for axes, delay in zip(axes_row, delays, strict=True):
            cells = table.loc[table["delay"] == delay, :]
            _panel(axes, cells, metric, norm=norm)
            axes.set_title(f"{words}, delay {delay} epochs", fontsize="medium")
        colours = axes_row[-1].collections[0]
        figure.colorbar(colours, ax=list(axes_row), label=f"difference in {words}", pad=0.02)
    return figure


def _panel(axes, cells: pd.DataFrame, metric: str, *, norm: CenteredNorm) -> None:
    shape = {"index": "factor", "columns": "patience"}
    differences = cells.pivot(**shape, values=f"{metric}_difference")
    marks = cells.pivot(**shape, values="verdict").replace(MARKS)
    texts = marks + "\n" + differences.map("{:+.3f}".format)
    seaborn.heatmap(
        differences,
        ax=axes,
        annot=texts,
        fmt="",
        cmap="vlag",
        norm=norm,
        cbar=False,
        linewidths=1,
        annot_kws={"fontsize": "small"},
    )
    axes.set(xlabel="patience (epochs)", ylabel="factor")
    axes.tick_params(rotation=0)
