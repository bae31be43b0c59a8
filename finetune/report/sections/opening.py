"""The first screen: the verdict in one sentence, the figure that shows it, a table of variants."""

from collections.abc import Mapping
from typing import Any

from finetune.analysis.analysis import Analysis
from finetune.analysis.looks import FurtherLooks
from finetune.analysis.runs import finished
from finetune.claims.verdict import Verdict
from finetune.claims.words import holm_sentence, objections, sentence
from finetune.report.constant_words import no_better_sentence, units_sentence
from finetune.report.markdown import (
    number,
    paragraphs,
    percent,
    plain,
    plus_minus,
    quoted,
    table,
)
from finetune.report.sections.base import ReportContext
from finetune.report.words import metric_label


def opening(context: ReportContext) -> str:
    """Show each verdict and what speaks against it; without a claim, the variants alone."""
    analysis = context.analysis
    return paragraphs(
        *map(_verdict, analysis.verdicts),
        plain(holm_sentence(analysis.verdicts)),
        context.embed("opening"),
        _further_looks(analysis),
        _failures(analysis),
        _no_better(analysis),
        _variants(analysis),
        " ".join(filter(None, (_means(analysis), units_sentence(context.manifest)))),
    )


def _verdict(verdict: Verdict) -> str:
    """Render the verdict and what speaks against it; every word comes from the verdict object."""
    warnings = [f"**But:** {plain(text)}" for text in objections(verdict)]
    return paragraphs(f"**{plain(sentence(verdict))}**", *warnings)


def _further_looks(analysis: Analysis) -> str:
    """Say of which claims the same seeds were judged before, and what so many looks do."""
    return paragraphs(*(f"**But:** {_further_look(one)}" for one in analysis.further_looks))


def _further_look(found: FurtherLooks) -> str:
    before = ", ".join(f"{one.seeds} ({one.verdict})" for one in found.earlier)
    return (
        f"This is look {found.count} at the seeds of the claim {quoted(found.claim)}: it was "
        f"judged before at {before}. So many looks together decide wrongly in about "
        f"{percent(found.error_rate)} of studies whose mean lies at its margin"
        f"{_beyond(found)}."
    )


def _beyond(found: FurtherLooks) -> str:
    if found.error_rate <= found.alpha:
        return f", which is within the {percent(found.alpha)} of the claim"
    return f", not in {percent(found.alpha)}; `finetune run --until-decided` keeps to that"


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
