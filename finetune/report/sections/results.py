"""What runs ended with and how they got there: the figures, and all metrics, folded."""

from collections.abc import Mapping, Sequence

from finetune.analysis.tables import ReportTables
from finetune.report.figures.captions import numbered
from finetune.report.markdown import Section, estimate, folded, number, paragraphs, plain, table

LABELS: Mapping[str, str] = {
    **{"train_loss": "Training loss", "val_loss": "Validation loss", "test_loss": "Test loss"},
    "train_accuracy": "Training accuracy",
    "val_accuracy": "Validation accuracy",
    "test_accuracy": "Test accuracy",
    **{"epochs_run": "Epochs run", "epochs_saved": "Epochs saved"},
}
RUN_FIGURES = (
    *("test_metrics", "loss_scatter"),
    *("learning_curves", "accuracy_curves", "learning_rates"),
)


def results_section(tables: ReportTables, *, figures: Sequence[str]) -> Section:
    """Show the figures of the runs; the long table is folded."""
    body = paragraphs(
        *numbered(tables, figures, RUN_FIGURES),
        folded("All metrics of every variant", _all_metrics(tables)),
    )
    return Section("The runs in figures", body)


def _all_metrics(tables: ReportTables) -> str:
    rows = [
        (
            *(plain(row["variant"]), LABELS[row["metric"]]),
            f"{row['n_ok']} of {row['n_ok'] + row['n_failed']}",
            estimate(row["mean"], row["low"], row["high"]),
            *(number(row[name]) for name in ("median", "q25", "q75")),
        )
        for row in tables.summary.to_dict("records")
    ]
    columns = ["Variant", "Metric", "Runs ok", "Mean [95 % interval]", "Median"]
    return table(rows, columns=[*columns, "Lower quartile", "Upper quartile"])
