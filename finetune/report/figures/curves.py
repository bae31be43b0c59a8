"""Figures of what happened during training: metrics and learning rate over the epochs."""

from typing import Any, Literal

import pandas as pd
import seaborn
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from finetune.analysis.analysis import Analysis
from finetune.claims.words import metric_name
from finetune.report.figures.base import ReportFigure
from finetune.report.figures.style import WIDTH, VariantStyles, set_scale
from finetune.report.words import MEAN_WITH_INTERVAL, metric_label
from finetune.spec.metrics import further_columns, higher_is_better

_LOSSES = {"train_loss": "Training loss", "val_loss": "Validation loss"}
_ACCURACIES = {"train_accuracy": "Training accuracy", "val_accuracy": "Validation accuracy"}


def learning_curves(analysis: Analysis) -> Figure:
    """Draw training and validation loss over the epochs, mean with t interval."""
    return _mean_curves(analysis, _LOSSES)


def accuracy_curves(analysis: Analysis) -> Figure:
    """Draw training and validation accuracy over the epochs, mean with t interval."""
    return _mean_curves(analysis, _ACCURACIES)


def metric_curves(analysis: Analysis) -> Figure:
    """Draw every further metric of the validation rows over the epochs, mean with t interval."""
    metrics = _validated(analysis)
    return _mean_curves(analysis, {metric: metric_label(metric) for metric in metrics})


def learning_rates(analysis: Analysis) -> Figure:
    """Draw the learning rate in use over the epochs, median with quartiles."""
    return rate_curves(analysis.curves, analysis.variants)


def rate_curves(curves: pd.DataFrame, variants: list[str]) -> Figure:
    """Draw learning rates out of a curve table, a line a variant, drawn in the order given."""
    figure = Figure(figsize=(WIDTH, 3.8), layout="constrained")
    axes, styles = figure.subplots(), VariantStyles(variants)
    rates = curves.loc[curves["metric"] == "learning_rate"]
    _draw(axes, rates, styles, line="median", band=("q25", "q75"), step="mid")
    axes.set(title="Learning rate in use")
    styles.add_legend(figure)
    return figure


def _mean_curves(analysis: Analysis, titles: dict[str, str]) -> Figure:
    rows = -(-len(titles) // 2)
    figure = Figure(figsize=(WIDTH, 1 + 3 * rows), layout="constrained")
    styles = VariantStyles(analysis.variants)
    panels = figure.subplots(rows, 2, squeeze=False).flat
    for axes, (metric, title) in zip(panels, titles.items(), strict=False):
        curves = analysis.curves.loc[analysis.curves["metric"] == metric]
        _draw(axes, curves, styles, line="mean", band=("low", "high"))
        axes.set(title=title)
    for unused in figure.axes[len(titles) :]:
        unused.remove()
    styles.add_legend(figure)
    return figure


def _validated(analysis: Analysis) -> list[str]:
    return [name for name in further_columns(analysis.metrics) if name.startswith("val_")]


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


def _losses_caption(analysis: Analysis) -> str:
    """Explain the curves; what does not apply to these runs is left out."""
    losses = analysis.curves.loc[analysis.curves["metric"].isin(list(_LOSSES))]
    sentences = [f"Losses during training: {MEAN_WITH_INTERVAL}."]
    if any(analysis.callbacks["n_stopped"]):
        sentences.append(
            "A run that has stopped goes on counting with the value of its last epoch, so that "
            "every point is a mean over the same runs; a line ends, at its mark, where fewer than "
            "half of them still train. What early stopping restores afterwards is in the tables, "
            "not here."
        )
    sentences.append(
        "Where lines fall together, the earlier variant shows as a rim around the later one."
    )
    if any(losses["low"] <= 0):
        sentences.append("A band that reaches the foot of a logarithmic axis includes zero.")
    return " ".join(sentences)


def _accuracies_caption(_: Analysis) -> str:
    return f"Accuracies during training, drawn as the losses are: {MEAN_WITH_INTERVAL}."


def _metrics_caption(analysis: Analysis) -> str:
    directions = {
        metric_name(metric): "higher" if higher_is_better(metric) else "lower"
        for metric in _validated(analysis)
    }
    better = "; ".join(f"{name}: {better} is better" for name, better in directions.items())
    return (
        "Further metrics of the validation rows during training, drawn as the losses are: "
        f"{MEAN_WITH_INTERVAL} ({better}). Those of the training and test rows are in "
        "`tables/curves.csv`."
    )


def _rates_caption(_: Analysis) -> str:
    return (
        "The learning rate in use: median over seeds, with the band from the lower to the upper "
        "quartile; lines end as those of the losses do."
    )


LEARNING_CURVES = ReportFigure(
    name="learning_curves",
    draw=learning_curves,
    alt="Training and validation loss over the epochs, a line for each variant",
    caption=_losses_caption,
    applies=lambda analysis: analysis.any_finished,
)
ACCURACY_CURVES = ReportFigure(
    name="accuracy_curves",
    draw=accuracy_curves,
    alt="Training and validation accuracy over the epochs, a line for each variant",
    caption=_accuracies_caption,
    applies=lambda analysis: analysis.any_finished and set(_ACCURACIES) <= set(analysis.metrics),
)
METRIC_CURVES = ReportFigure(
    name="metric_curves",
    draw=metric_curves,
    alt="Further metrics of the validation rows over the epochs, a line for each variant",
    caption=_metrics_caption,
    applies=lambda analysis: analysis.any_finished and bool(_validated(analysis)),
)
LEARNING_RATES = ReportFigure(
    name="learning_rates",
    draw=learning_rates,
    alt="Learning rate over the epochs, a line for each variant",
    caption=_rates_caption,
    applies=lambda analysis: analysis.any_finished,
)
