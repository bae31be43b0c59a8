"""All figures of a report as files. They draw the tables and compute nothing."""

import io
import warnings
from collections.abc import Callable, Iterable, Mapping

import matplotlib
from matplotlib.figure import Figure

from finetune.analysis.claim_plane import has_pairs
from finetune.analysis.runs import finished
from finetune.analysis.tables import ReportTables
from finetune.report.figures.budgets import budget_lines
from finetune.report.figures.claim import claim_dots
from finetune.report.figures.curves import accuracy_curves, learning_curves, learning_rates
from finetune.report.figures.ranks import rank_diagram
from finetune.report.figures.runs import loss_scatter, metric_dots
from finetune.report.figures.style import RC

_DRAW: Mapping[str, Callable[[ReportTables], Figure]] = {
    "claim": claim_dots,
    "critical_difference": rank_diagram,
    "test_metrics": metric_dots,
    "loss_scatter": loss_scatter,
    "learning_curves": learning_curves,
    "accuracy_curves": accuracy_curves,
    "learning_rates": learning_rates,
    "budget": budget_lines,
}


def figure_names(tables: ReportTables) -> list[str]:
    """Give the figures that the tables allow: without a finished run there is nothing to draw."""
    if finished(tables.runs).empty:
        return []
    left_out = set()
    if not {"train_accuracy", "val_accuracy"} <= set(tables.metrics):
        left_out.add("accuracy_curves")
    if tables.verdict is None or not has_pairs(tables.pairs):
        left_out.add("claim")
    if not any(ranking.friedman is not None for ranking in tables.rankings):
        left_out.add("critical_difference")
    return [name for name in _DRAW if name not in left_out]


def figure_files(tables: ReportTables, *, names: Iterable[str]) -> dict[str, bytes]:
    """Draw the named figures as SVG and as PNG, by file name; equal tables give equal files."""
    files = {}
    with matplotlib.rc_context(RC), warnings.catch_warnings():
        # A name in a script that the font lacks shows as boxes; the tables still say it.
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        for name in names:
            files |= saved_twice(name, _DRAW[name](tables))
    return files


def saved_twice(name: str, figure: Figure) -> dict[str, bytes]:
    """Give a figure as SVG and as PNG, by file name; call it within the figure's style."""
    svg = _saved(figure, format="svg", metadata={"Date": None})
    # The layout found for the first file serves the second; finding it is slow.
    figure.set_layout_engine("none")
    return {f"{name}.svg": svg, f"{name}.png": _saved(figure, format="png", dpi=130)}


def _saved(figure: Figure, **options) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, facecolor="white", **options)
    return buffer.getvalue()
