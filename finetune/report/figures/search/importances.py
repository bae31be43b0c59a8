"""Importances of a search's parameters, as bars."""

from typing import Any, cast

import seaborn
from matplotlib.container import BarContainer
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from finetune.analysis.tuned import Tuned
from finetune.report.figures.base import ReportFigure
from finetune.report.figures.search.panels import TITLE_WIDTH, SearchData, add_legend
from finetune.report.figures.style import WIDTH, VariantStyles, shown
from finetune.report.markdown import bullets, number, paragraphs, plain, quoted


def importance_bars(data: SearchData) -> Figure:
    """Draw the importance of each parameter, a bar an arm."""
    importances = data.tables.importances
    parameters = len(set(importances["parameter"]))
    figure = Figure(figsize=(WIDTH, 1.0 + 0.55 * parameters), layout="constrained")
    axes = figure.subplots()
    arms = [arm.name for arm in data.tuned.arms]
    colours = VariantStyles(data.drawn_variants).colours
    seaborn.barplot(
        importances,
        x="importance",
        y="parameter",
        hue="arm",
        hue_order=arms,
        palette={name: colours[name] for name in arms},
        ax=axes,
        saturation=1,
        errorbar=None,
        legend=False,
    )
    for bars in axes.containers:
        axes.bar_label(cast(BarContainer, bars), fmt="%.2g", padding=3)
    axes.set(xlabel="importance (PED-ANOVA)", ylabel="")
    axes.grid(visible=False, axis="y")
    axes.margins(x=0.08)
    handles = [Rectangle((0, 0), 1, 1, color=colours[name]) for name in arms]
    add_legend(figure, handles, [shown(name, width=TITLE_WIDTH) for name in arms])
    return figure


def _caption(tuned: Tuned) -> str:
    ranked = sorted(tuned.importances, key=lambda row: -row["importance"])
    return paragraphs(
        "**Importances** (PED-ANOVA): how far each parameter by itself separates the best trials "
        "from the others; it does not say in which direction.",
        bullets(*(_ranking(arm.name, ranked) for arm in tuned.arms)),
    )


def _ranking(arm: str, ranked: list[dict[str, Any]]) -> str:
    shares = ", ".join(
        f"{plain(row['parameter'])} {number(row['importance'], digits=2)}"
        for row in ranked
        if row["arm"] == arm
    )
    return f"{quoted(arm)}: {shares}." if shares else ""


IMPORTANCES = ReportFigure(
    name="search_importances",
    draw=importance_bars,
    alt="Importance of each parameter, a bar for each arm",
    caption=_caption,
    applies=lambda tuned: bool(tuned.importances),
)
