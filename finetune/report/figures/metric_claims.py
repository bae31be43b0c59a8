"""The figure of claims about one metric: each seed's difference, their mean, and the margin."""

from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from finetune.analysis.analysis import Analysis
from finetune.analysis.comparisons import CLAIM
from finetune.claims.metric_claim import MetricVerdict
from finetune.claims.phrases import metric_name
from finetune.report.figures.base import ReportFigure
from finetune.report.figures.style import MOST_VECTOR_DOTS, WIDTH, VariantStyles
from finetune.report.markdown import percent, quoted

_BAND = "#000000"


def metric_claims(analysis: Analysis) -> Figure:
    """Draw a panel for each claim about a metric."""
    verdicts = metric_verdicts(analysis)
    figure = Figure(figsize=(WIDTH, 0.4 + 1.35 * len(verdicts)), layout="constrained")
    panels = figure.subplots(len(verdicts), squeeze=False)[:, 0]
    for axes, verdict in zip(panels, verdicts, strict=True):
        _draw_panel(axes, analysis, verdict)
    return figure


def metric_verdicts(analysis: Analysis) -> list[MetricVerdict]:
    """Return the verdicts on one metric whose pairs can be drawn."""
    found = [one for one in analysis.verdicts if isinstance(one, MetricVerdict)]
    return [one for one in found if one.n]


def _draw_panel(axes: Axes, analysis: Analysis, verdict: MetricVerdict) -> None:
    compared, pairs = verdict.comparison, analysis.pairs
    mine = (pairs["claim"] == verdict.name) & (pairs["comparison"] == CLAIM)
    values = pairs.loc[mine, compared.metric].to_numpy(float)
    # Spread evenly in the order of seeds, so that equal differences do not hide each other.
    heights = [(number * 7 % 11 - 5) / 16 for number in range(len(values))]
    colour = VariantStyles(analysis.variants).colours[verdict.treatment]
    look = {"color": colour, "s": 18, "alpha": 0.6, "linewidth": 0}
    axes.scatter(values, heights, rasterized=len(values) > MOST_VECTOR_DOTS, zorder=3, **look)
    axes.axvspan(-compared.margin, compared.margin, color=_BAND, alpha=0.07, linewidth=0)
    axes.axvline(0, color=_BAND, alpha=0.45, linewidth=0.8)
    _draw_mean(axes, verdict)
    axes.set(ylim=(-0.6, 0.6), yticks=[])
    axes.set_xlabel(_axis_label(compared.metric, worse_sign=verdict.worse_sign))
    axes.set_title(
        f"{verdict.name}: {verdict.verdict}", fontsize="medium", loc="left", fontweight="bold"
    )


def _axis_label(metric: str, *, worse_sign: float) -> str:
    left, right = ("better", "worse") if worse_sign > 0 else ("worse", "better")
    return (
        f"\N{LEFTWARDS ARROW} {left}     difference in {metric_name(metric)}     "
        f"{right} \N{RIGHTWARDS ARROW}"
    )


def _draw_mean(axes: Axes, verdict: MetricVerdict) -> None:
    found = verdict.comparison.difference
    look: dict[str, Any] = {"color": "black", "marker": "D", "ms": 8, "mec": "white", "zorder": 6}
    if found.n > 1:
        look["xerr"] = [[found.mean - found.lower], [found.upper - found.mean]]
    axes.errorbar(found.mean, 0, elinewidth=2.2, **look)


def _caption(analysis: Analysis) -> str:
    verdicts = metric_verdicts(analysis)
    each = "; ".join(
        f"{quoted(one.name)}: {quoted(one.treatment)} minus {quoted(one.control)}"
        for one in verdicts
    )
    levels = sorted({percent(1 - 2 * one.level) for one in verdicts})
    return (
        f"A dot is a seed; {each}. Black is their mean with its {' or '.join(levels)} interval, "
        "whose ends decide; grey is the margin, within which a difference counts as none."
    )


METRIC_CLAIMS = ReportFigure(
    name="metric_claims",
    draw=metric_claims,
    alt="For each claim about one metric, the difference of each seed, their mean and the margin",
    caption=_caption,
    applies=lambda analysis: bool(metric_verdicts(analysis)),
    section="opening",
)
