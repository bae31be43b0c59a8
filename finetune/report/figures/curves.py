"""Figures of what happened during training: metrics and learning rate over the epochs."""

from typing import Any, Literal

import pandas as pd
import seaborn
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from finetune.analysis.tables import ReportTables
from finetune.report.figures.style import WIDTH, VariantStyles, set_scale


def learning_curves(tables: ReportTables) -> Figure:
    """Draw training and validation loss over the epochs, mean with t interval."""
    return _mean_curves(tables, {"train_loss": "Training loss", "val_loss": "Validation loss"})


def accuracy_curves(tables: ReportTables) -> Figure:
    """Draw training and validation accuracy over the epochs, mean with t interval."""
    titles = {"train_accuracy": "Training accuracy", "val_accuracy": "Validation accuracy"}
    return _mean_curves(tables, titles)


def learning_rates(tables: ReportTables) -> Figure:
    """Draw the learning rate in use over the epochs, median with quartiles."""
    return rate_curves(tables.curves, tables.variants)


def rate_curves(curves: pd.DataFrame, variants: list[str]) -> Figure:
    """Draw learning rates out of a curve table, a line a variant, drawn in the order given."""
    figure = Figure(figsize=(WIDTH, 3.8), layout="constrained")
    axes, styles = figure.subplots(), VariantStyles(variants)
    rates = curves.loc[curves["metric"] == "learning_rate"]
    _draw(axes, rates, styles, line="median", band=("q25", "q75"), step="mid")
    axes.set(title="Learning rate in use")
    styles.add_legend(figure)
    return figure


def _mean_curves(tables: ReportTables, titles: dict[str, str]) -> Figure:
    figure = Figure(figsize=(WIDTH, 4), layout="constrained")
    styles = VariantStyles(tables.variants)
    for axes, (metric, title) in zip(figure.subplots(1, 2), titles.items(), strict=True):
        curves = tables.curves.loc[tables.curves["metric"] == metric]
        _draw(axes, curves, styles, line="mean", band=("low", "high"))
        axes.set(title=title)
    styles.add_legend(figure)
    return figure


def _draw(
    axes: Axes,
    curves: pd.DataFrame,
    styles: VariantStyles,
    *,
    line: str,
    band: tuple[str, str],
    step: Literal["mid"] | None = None,
) -> None:
    """Draw every variant's line and band, and mark where the line ends."""
    curves = curves.assign(shown_epoch=curves["epoch"] + 1)
    low, high = band
    for name in styles.variants:
        curve = curves.loc[curves["variant"] == name]
        edges = curve["shown_epoch"], curve[low], curve[high]
        axes.fill_between(*edges, step=step, color=styles.colours[name], alpha=0.2, linewidth=0)
    look: dict[str, Any] = styles.line_mapping() | {
        "drawstyle": f"steps-{step}" if step else "default"
    }
    seaborn.lineplot(curves, x="shown_epoch", y=line, ax=axes, **look)
    ends = curves.groupby("variant", observed=True).tail(1)
    look = styles.dot_mapping() | {"sizes": (40, 110), "edgecolor": "white", "zorder": 3}
    seaborn.scatterplot(ends, x="shown_epoch", y=line, ax=axes, **look)
    axes.set(xlabel="epoch (counted from 1)", ylabel="")
    # Callbacks multiply the learning rate, so its steps are even on a logarithmic axis.
    set_scale(axes, curves.loc[:, line], axis="y", factor=1 if step else 20)
