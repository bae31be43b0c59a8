"""A study's results as plain text: for a terminal, and for `print`."""

import pandas as pd

from finetune.analysis.analysis import Analysis
from finetune.claims.words import sentence
from finetune.report.markdown import number, plus_minus
from finetune.report.words import metric_label


def results_text(analysis: Analysis) -> str:
    """Return the verdicts, a sentence each, and below them a table of the variants."""
    verdicts = [sentence(verdict) for verdict in analysis.verdicts]
    return "\n".join([*verdicts, *([""] if verdicts else []), variants_text(analysis)])


def variants_text(analysis: Analysis) -> str:
    """Return a row a variant: means over seeds, each with half the width of its 95 % interval."""
    tests = [name for name in analysis.metrics if name.startswith("test_")]
    shown = ["train_loss", *tests, "epochs_run"]
    summary = analysis.summary.loc[analysis.summary["metric"].isin(shown)]
    ends = (summary[name] for name in ("mean", "low", "high"))
    texts = [_estimate(*values) for values in zip(*ends, strict=True)]
    table = summary.assign(text=texts).pivot(index="variant", columns="metric", values="text")
    table = table.loc[analysis.variants, shown].rename(columns=metric_label).reset_index()
    align = ["left", *["right"] * len(shown)]
    # Without disable_numparse tabulate would round the texts that look like numbers.
    return table.rename(columns={"variant": "Variant"}).to_markdown(
        index=False, tablefmt="simple", disable_numparse=True, colalign=align
    )


def _estimate(mean: float, low: float, high: float) -> str:
    return number(mean) if pd.isna(low) else plus_minus(mean, low, high)
