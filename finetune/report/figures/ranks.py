"""The critical-difference diagram: average ranks, and which variants they do not separate."""

from matplotlib.figure import Figure
from scikit_posthocs import critical_difference_diagram

from finetune.analysis.analysis import Analysis
from finetune.report.figures.base import ReportFigure
from finetune.report.figures.style import WIDTH, VariantStyles, shown


def rank_diagram(analysis: Analysis) -> Figure:
    """Draw the average ranks in test loss; a bar joins variants that tests do not separate.

    Source: Demsar (2006); scikit-posthocs 0.17, `critical_difference_diagram`.
    """
    ranking = next(one for one in analysis.rankings if one.metric == "test_loss")
    figure = Figure(figsize=(WIDTH, 1.0 + 0.25 * len(ranking.average)), layout="constrained")
    axes = figure.subplots()
    axes.grid(visible=False)
    axes.set(xlim=(1, len(ranking.average)))
    drawn = critical_difference_diagram(
        ranking.average,
        ranking.p_values,
        alpha=analysis.level,
        ax=axes,
        color_palette=VariantStyles(analysis.variants).colours,
        label_fmt_left="{label}",
        label_fmt_right="{label}",
        elbow_props={"linewidth": 1.5},
        marker_props={"s": 36},
        # The markers show a bar between equal ranks, which has no length.
        crossbar_props={"linewidth": 4, "color": "#333333", "marker": "o", "markersize": 7},
        text_h_margin=0.01 * len(ranking.average),
    )
    for (bar,) in drawn["crossbars"]:
        # It joins the members of a set, whose order differs from process to process.
        bar.set_data(sorted(bar.get_xdata()), bar.get_ydata())
    for text in drawn["labels"]:
        name = text.get_text()
        text.set(color="black", text=f"{shown(name)} ({ranking.average[name]:.2f})")
    axes.set_title("Average rank in test loss (1 is best)", pad=14)
    return figure


def _caption(_: Analysis) -> str:
    return (
        "A picture, not the verdict: ranks within each seed, averaged; a bar joins variants that "
        "pairwise Wilcoxon tests, with Holm's correction, do not separate. The ranks are over "
        "seeds, so they say nothing about other data sets."
    )


CRITICAL_DIFFERENCE = ReportFigure(
    name="critical_difference",
    draw=rank_diagram,
    alt="Average ranks of the variants in test loss, on a line",
    caption=_caption,
    applies=lambda analysis: any(one.friedman is not None for one in analysis.rankings),
    section="comparisons",
)
