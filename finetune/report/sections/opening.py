"""The first screen: the verdict in one sentence, the figure that shows it, a table of variants."""

from collections.abc import Mapping
from typing import Any

from finetune.analysis.analysis import Analysis
from finetune.analysis.runs import finished
from finetune.claims.verdict import Verdict
from finetune.claims.words import holm_sentence, objections, sentence
from finetune.report.constant_words import no_better_sentence, units_sentence
from finetune.report.markdown import number, paragraphs, plain, plus_minus, table
from finetune.report.sections.base import ReportContext
from finetune.report.words import metric_label
from finetune.spec.study import StudySpec


def opening(context: ReportContext) -> str:
    """Show each verdict and what speaks against it; without a claim, the variants alone."""
    analysis = context.analysis
    return paragraphs(
        *map(_verdict, analysis.verdicts),
        plain(holm_sentence(analysis.verdicts)),
        context.embed("opening"),
        _failures(analysis),
        _no_better(analysis),
        _variants(analysis),
        " ".join(filter(None, (_means(analysis.spec), units_sentence(context.manifest)))),
    )


def _verdict(verdict: Verdict) -> str:
    """Render the verdict and what speaks against it; every word comes from the verdict object."""
    warnings = [f"**But:** {plain(text)}" for text in objections(verdict)]
    return paragraphs(f"**{plain(sentence(verdict))}**", *warnings)


def _failures(analysis: Analysis) -> str:
    failed = len(analysis.runs) - len(finished(analysis.runs))
    if not failed:
        return ""
    count = len(analysis.runs)
    return f"**{failed} of {count} runs failed.** They are in no mean and are listed below."


def _no_better(analysis: Analysis) -> str:
    found = analysis.no_better
    return f"**But:** {plain(no_better_sentence(found))}" if found else ""


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


def _means(spec: StudySpec) -> str:
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
