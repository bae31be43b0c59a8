"""The results: what runs ended with, how variants differ at the same seed, and the figures."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from finetune.report.captions import ALTERNATIVES, captions
from finetune.report.cells import finished
from finetune.report.markdown import (
    NONE,
    Section,
    estimate,
    folded,
    number,
    paragraphs,
    plain,
    plus_minus,
    quoted,
    table,
)
from finetune.report.tables import ReportTables
from finetune.spec import StudySpec

_LABELS = {
    **{"train_loss": "Training loss", "val_loss": "Validation loss", "test_loss": "Test loss"},
    "train_accuracy": "Training accuracy",
    "val_accuracy": "Validation accuracy",
    "test_accuracy": "Test accuracy",
    **{"epochs_run": "Epochs run", "epochs_saved": "Epochs saved"},
}


def results_section(tables: ReportTables, spec: StudySpec, *, figures: Sequence[str]) -> Section:
    """Show the compact tables and all figures; the long tables are folded."""
    body = paragraphs(
        _introduction(tables, spec),
        _compact_summary(tables, spec),
        _compact_differences(tables),
        *_embedded(tables, figures),
        folded("All metrics of every variant", _full_summary(tables)),
        "" if tables.differences.empty else folded("All differences", _full_differences(tables)),
    )
    return Section("Results", body)


def _introduction(tables: ReportTables, spec: StudySpec) -> str:
    restored = any(
        variant.early_stopping and variant.early_stopping.restore_best_weights
        for variant in spec.variants
    )
    weights = ", which are the restored best ones where early stopping restores" if restored else ""
    failed = len(tables.runs) - len(finished(tables.runs))
    return paragraphs(
        f"Losses and accuracies are of the weights that a run ends with{weights}. Each cell is a "
        "mean over seeds ± the half-width of its 95 % t interval.",
        "With one seed there is no interval, and no evidence of a difference."
        if spec.seeds == 1
        else "",
        f"**{failed} of {len(tables.runs)} runs failed.** They are in no mean and are listed below."
        if failed
        else "",
    )


def _compact_summary(tables: ReportTables, spec: StudySpec) -> str:
    metrics = _among(tables, ["train_loss", "test_loss", "test_accuracy"])
    rows = []
    for variant in tables.variants:
        own = tables.summary.loc[tables.summary["variant"] == variant].set_index("metric")
        saved = own.loc["epochs_saved"]
        share = NONE if pd.isna(saved["mean"]) else f"{saved['mean'] / spec.training.epochs:.0%}"
        ended = f"{saved['n_ok']} of {saved['n_ok'] + saved['n_failed']}"
        cells = [_compact(own.loc[name]) for name in metrics]
        rows.append((plain(variant), ended, *cells, number(own.loc["epochs_run", "mean"]), share))
    labels = [_LABELS[name] for name in metrics]
    return table(rows, columns=["Variant", "Runs ok", *labels, "Epochs run", "Epochs saved"])


def _compact_differences(tables: ReportTables) -> str:
    differences = tables.differences
    if differences.empty:
        return ""
    metrics = _among(tables, ["train_loss", "test_loss", "train_accuracy", "test_accuracy"])
    baseline = str(differences["baseline"].iloc[0])
    rows = []
    for variant in tables.variants:
        if variant != baseline:
            own = differences.loc[differences["variant"] == variant].set_index("metric")
            rows.append((plain(variant), *(_compact(own.loc[name]) for name in metrics)))
    name = quoted(baseline)
    return paragraphs(
        f"The same as differences from {name} at the same seed (negative is lower than {name}):",
        table(rows, columns=["Variant", *(_LABELS[metric] for metric in metrics)]),
    )


def _embedded(tables: ReportTables, figures: Sequence[str]) -> list[str]:
    said = captions(tables)
    return [
        f"![{ALTERNATIVES[name]}](figures/{name}.svg)\n\n**Figure {place}.** {said[name]}"
        for place, name in enumerate(figures, start=1)
    ]


def _full_summary(tables: ReportTables) -> str:
    rows = [
        (
            *(plain(row["variant"]), _LABELS[row["metric"]], str(row["n"]), _full(row)),
            *(number(row[name]) for name in ("median", "q25", "q75")),
        )
        for row in tables.summary.to_dict("records")
    ]
    columns = ["Variant", "Metric", "Runs", "Mean [95 % interval]", "Median"]
    return table(rows, columns=[*columns, "Lower quartile", "Upper quartile"])


def _full_differences(tables: ReportTables) -> str:
    rows = [
        (
            *(plain(row["variant"]), _LABELS[row["metric"]], str(row["n"])),
            *(str(row["n_equal"]), _full(row), number(row["median"])),
        )
        for row in tables.differences.to_dict("records")
    ]
    columns = ["Variant", "Metric", "Pairs", "Pairs exactly equal"]
    return table(rows, columns=[*columns, "Mean difference [95 % interval]", "Median"])


def _among(tables: ReportTables, wanted: Sequence[str]) -> list[str]:
    return [name for name in wanted if name in tables.metrics]


def _full(row: Mapping[str, Any]) -> str:
    return estimate(row["mean"], row["low"], row["high"])


def _compact(row: Mapping[str, Any]) -> str:
    """Give a cell of a compact table; says so where a difference is zero in every pair."""
    if "n_equal" in row and row["n"] and row["n_equal"] == row["n"]:
        return f"0 (all {row['n']} pairs equal)"
    return plus_minus(row["mean"], row["low"], row["high"])
