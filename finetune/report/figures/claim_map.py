"""The claim map as a picture: the differences as colours, the verdicts as marks."""

import numpy as np
import pandas as pd
import seaborn
from matplotlib.axes import Axes
from matplotlib.colors import CenteredNorm
from matplotlib.figure import Figure

from finetune.report.figures.base import ReportFigure
from finetune.report.figures.style import WIDTH

MARKS = {"supported": "S", "refuted": "R", "inconclusive": "?", "not tested": "-"}
_METRICS = {"train_loss": "training loss", "test_loss": "test loss"}


def map_panels(table: pd.DataFrame) -> Figure:
    """Draw a row of panels a metric, a column a delay, with one colour scale a metric.

    Args:
        table: A row a setting, with its factor, patience and delay, differences and verdict.
    """
    delays = sorted(table["delay"].unique())
    figure = Figure(figsize=(WIDTH, 6.6), layout="constrained")
    grid = np.atleast_2d(figure.subplots(len(_METRICS), len(delays), squeeze=False))
    for axes_row, (metric, words) in zip(grid, _METRICS.items(), strict=True):
        norm = CenteredNorm(halfrange=max(abs(table[f"{metric}_difference"])) or 1.0)
        for axes, delay in zip(axes_row, delays, strict=True):
            _panel(axes, table.loc[table["delay"] == delay, :], metric, norm=norm)
            axes.set_title(f"{words}, delay {delay} epochs", fontsize="medium")
        colours = axes_row[-1].collections[0]
        figure.colorbar(colours, ax=list(axes_row), label=f"difference in {words}", pad=0.02)
    return figure


def _panel(axes: Axes, settings: pd.DataFrame, metric: str, *, norm: CenteredNorm) -> None:
    shape = {"index": "factor", "columns": "patience"}
    differences = settings.pivot(**shape, values=f"{metric}_difference")
    marks = settings.pivot(**shape, values="verdict").replace(MARKS)
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


def _caption(_: pd.DataFrame) -> str:
    marks = ", ".join(f"{mark} {verdict}" for verdict, mark in MARKS.items())
    return (
        "Reduction from epoch 0 minus delayed reduction with the same factor and patience, mean "
        "over seeds; red is worse for the reduction from epoch 0. The mark is the verdict of the "
        f"setting, on both losses: {marks}."
    )


CLAIM_MAP = ReportFigure(
    name="claim_map",
    draw=map_panels,
    alt="Differences over factor and patience, a panel for each delay",
    caption=_caption,
)
