"""The first screen: each verdict in a sentence, the figures that show them, a table, what next."""

from collections.abc import Mapping
from typing import Any

from finetune.analysis.analysis import Analysis
from finetune.claims.words import sentence
from finetune.report.constant_words import units_sentence
from finetune.report.markdown import number, paragraphs, plain, plus_minus, table
from finetune.report.sections.base import ReportContext
from finetune.report.sections.next_steps import next_steps
from finetune.report.sections.objections import gravest_objections
from finetune.report.words import metric_label


def opening(context: ReportContext) -> str:
    """Show each verdict and what speaks against it; without a claim, the variants alone."""
    analysis = context.analysis
    return paragraphs(
        *(f"**{plain(sentence(verdict))}**" for verdict in analysis.verdicts),
        gravest_objections(analysis),
        context.embed("opening"),
        _variants(analysis),
        " ".join(filter(None, (_means(analysis), units_sentence(context.manifest)))),
        next_steps(context),
    )


def _variants(analysis: Analysis) -> str:
    tests = [name for name in analysis.metrics if name.startswith("test_")]
    metrics = ["train_loss", *tests]
    rows = []
    for variant in analysis.variants:
        summary = analysis.summary.loc[analysis.summary["variant"] == variant].set_index("metric")
        means = [_mean(summary.loc[name]) for name in metrics]
        rows.append((plain(variant), *means, number(summary.loc["epochs_run", "mean"])))
    columns = ["Variant", *map(metric_label, metrics)]
    budgets = sorted(map(analysis.spec.epochs_of, analysis.variants))
    most = f"{budgets[0]}" if budgets[0] == budgets[-1] else f"at most {budgets[-1]}"
    return table(rows, columns=[*columns, f"Epochs run (of {most})"])


def _means(analysis: Analysis) -> str:
    spec = analysis.spec
    restored = any(
        variant.early_stopping and variant.early_stopping.restore_best_weights
        for variant in spec.variants
    )
    weights = ", which are the restored best ones where early stopping restores" if restored else ""
    if analysis.n_seeds == 1:
        return (
            f"Measured with the weights that a run ends with{weights}. With one seed there is no "
            "interval, and no evidence of a difference."
        )
    return (
        f"Mean over {analysis.n_seeds} seeds ± half the width of its 95 % t interval, measured "
        f"with the weights that a run ends with{weights}."
    )


def _mean(row: Mapping[str, Any]) -> str:
    return plus_minus(row["mean"], row["low"], row["high"])
