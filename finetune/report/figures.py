"""All figures of a report as files. They draw the tables and compute nothing."""

import io
import warnings
from collections.abc import Callable, Iterable, Mapping

import matplotlib
from matplotlib.figure import Figure

from finetune.report.cells import finished
from finetune.report.curve_figures import accuracy_curves, learning_curves, learning_rates
from finetune.report.run_figures import loss_scatter, metric_dots
from finetune.report.style import RC
from finetune.report.tables import ReportTables

_DRAW: Mapping[str, Callable[[ReportTables], Figure]] = {
    "test_metrics": metric_dots,
    "loss_scatter": loss_scatter,
    "learning_curves": learning_curves,
    "accuracy_curves": accuracy_curves,
    "learning_rates": learning_rates,
}


def figure_names(tables: ReportTables) -> list[str]:
    """Give the figures that the tables allow: without a finished run there is nothing to draw."""
    if finished(tables.runs).empty:
        return []
    has_accuracy = {"train_accuracy", "val_accuracy"} <= set(tables.metrics)
    return [name for name in _DRAW if has_accuracy or name != "accuracy_curves"]


def figure_files(tables: ReportTables, *, names: Iterable[str]) -> dict[str, bytes]:
    """Draw the named figures as SVG and as PNG, by file name; equal tables give equal files."""
    files = {}
    with matplotlib.rc_context(RC), warnings.catch_warnings():
        # A name in a script that the font lacks shows as boxes; the tables still say it.
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        for name in names:
            figure = _DRAW[name](tables)
            files[f"{name}.svg"] = _saved(figure, format="svg", metadata={"Date": None})
            files[f"{name}.png"] = _saved(figure, format="png", dpi=130)
    return files


def _saved(figure: Figure, **options) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, facecolor="white", **options)
    return buffer.getvalue()
