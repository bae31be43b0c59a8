"""Learning rates of a search's winners, beside those of the study's own settings."""

from matplotlib.figure import Figure

from finetune.analysis.tuned import Tuned
from finetune.report.figures.base import ReportFigure
from finetune.report.figures.curves import rate_curves
from finetune.report.figures.search.panels import SearchData


def winners_rates(data: SearchData) -> Figure:
    """Draw the learning rates of the winners and of the study's own settings."""
    return rate_curves(data.tables.curves, data.drawn_variants)


def _caption(_: Tuned) -> str:
    return (
        "**What the winners do.** The learning rate in use at the fresh seeds: median over seeds, "
        "with the band from the lower to the upper quartile."
    )


WINNERS_RATES = ReportFigure(
    name="search_learning_rates",
    draw=winners_rates,
    alt="Learning rate over the epochs, a line for each variant",
    caption=_caption,
)
