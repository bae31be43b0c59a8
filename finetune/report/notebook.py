"""A report as a notebook shows it: the verdict, a table and the figures, in one piece of HTML."""

import base64
import html
import sys
from collections.abc import Iterable
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from finetune.report.csv import read_csv_text
from finetune.spec.metrics import further_columns

# Few of a report's figures, so that the notebook's output stays short.
_FIGURES = ("claim", "metric_claims", "test_metrics", "learning_curves", "learning_rates")
_METRICS = ("train_loss", "val_loss", "test_loss", "test_accuracy")


def notebook_html(folder: Path, *, title: str, verdicts: Iterable[str]) -> str:
    """Return the report in `folder` as HTML that needs no other file: figures are embedded."""
    return "\n".join(
        [
            f"<h3>{html.escape(title)}</h3>",
            *(f"<p><b>{html.escape(verdict)}</b></p>" for verdict in verdicts),
            _summary(read_csv_text(folder / "tables" / "summary.csv")),
            *(_figure(folder / "figures" / f"{name}.png", name) for name in _FIGURES),
            f"<p>Report: <code>{html.escape(str(folder / 'report.md'))}</code></p>",
        ]
    )


def show_figures() -> None:
    """Let the notebook that this runs in, if any, show figures that pyplot has not made."""
    # Whoever runs in one has loaded it.
    shell = "IPython" in sys.modules and sys.modules["IPython"].get_ipython()
    if shell and Figure not in shell.display_formatter.formatters["image/png"].type_printers:
        from IPython.core.pylabtools import select_figure_formats

        select_figure_formats(shell, {"png"})


def _summary(summary: pd.DataFrame) -> str:
    """Return a row a variant, a column a metric: the mean over seeds with its 95 % interval."""
    further = [n for n in further_columns(summary["metric"].unique()) if n.startswith("test_")]
    metrics = [*_METRICS, *further, "epochs_run"]
    shown = summary.loc[summary["metric"].isin(metrics)]
    columns = (shown[name] for name in ("mean", "low", "high"))
    texts = [_estimate(*values) for values in zip(*columns, strict=True)]
    table = shown.assign(text=texts).pivot(index="variant", columns="metric", values="text")
    order = list(dict.fromkeys(summary["variant"]))
    table = table.loc[order, [name for name in metrics if name in table]]
    table.index.name = table.columns.name = None
    return table.to_html(na_rep="")


def _estimate(mean: float, low: float, high: float) -> str:
    """Return a mean and its interval, which one seed does not have."""
    if pd.isna(mean):
        return ""
    return f"{mean:.4g}" if pd.isna(low) else f"{mean:.4g} [{low:.4g}, {high:.4g}]"


def _figure(path: Path, name: str) -> str:
    if not path.exists():
        return ""
    image = base64.b64encode(path.read_bytes()).decode()
    return f'<img alt="{name}" style="max-width: 100%" src="data:image/png;base64,{image}">'
