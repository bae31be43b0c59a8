"""The first screen: the verdict in one sentence, the figure that shows it, a table of variants."""

from collections.abc import Mapping, Sequence
from typing import Any

from finetune.analysis.runs import finished
from finetune.analysis.tables import ReportTables
from finetune.claims.verdict import Verdict
from finetune.claims.words import objections, sentence
from finetune.report.figures.captions import numbered
from finetune.report.markdown import number, paragraphs, plain, plus_minus, table
from finetune.report.sections.results import LABELS
from finetune.spec.study import StudySpec


def opening(tables: ReportTables, spec: StudySpec, *, figures: Sequence[str]) -> str:
    """Answer the study's question; without a claim, show the variants alone."""
    return paragraphs(
        _answer(tables.verdict) if tables.verdict else "",
        *numbered(tables, figures, ["claim"]),
        _failures(tables),
        _variants(tables, spec),
        _means(tables, spec),
    )


def _answer(verdict: Verdict) -> str:
    """Render the verdict and what speaks against it; every word comes from the verdict object."""
    warnings = [f"**But:** {plain(text)}" for text in objections(verdict)]
    return paragraphs(f"**{plain(sentence(verdict))}**", *warnings)


def _failures(tables: ReportTables) -> str:
    failed = len(tables.runs) - len(finished(tables.runs))
    if not failed:
        return ""
    return (
        f"**{failed} of {len(tables.runs)} runs failed.** They are in no mean and are listed below."
    )


def _variants(tables: ReportTables, spec: StudySpec) -> str:
    wanted = ("train_loss", "test_loss", "test_accuracy")
    metrics = [name for name in wanted if name in tables.metrics]
    rows = []
    for variant in tables.variants:
        own = tables.summary.loc[tables.summary["variant"] == variant].set_index("metric")
        cells = [_mean(own.loc[name]) for name in metrics]
        rows.append((plain(variant), *cells, number(own.loc["epochs_run", "mean"])))
    columns = ["Variant", *(LABELS[name] for name in metrics)]
    return table(rows, columns=[*columns, f"Epochs run (of {spec.training.epochs})"])


def _means(tables: ReportTables, spec: StudySpec) -> str:
    restored = any(
        variant.early_stopping and variant.early_stopping.restore_best_weights
        for variant in spec.variants
    )
    weights = ", which are the restored best ones where early stopping restores" if restored else ""
    if spec.seeds == 1:
        return (
            f"Measured with the weights that a run ends with{weights}. With one seed there is no "
            "interval, and no evidence of a difference."
        )
    return (
        f"Mean over {spec.seeds} seeds ± half the width of its 95 % t interval, measured with the "
        f"weights that a run ends with{weights}."
    )


def _mean(row: Mapping[str, Any]) -> str:
    return plus_minus(row["mean"], row["low"], row["high"])
