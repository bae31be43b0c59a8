"""A study's results as plain text: for a terminal, and for `print`."""

from collections.abc import Sequence

import pandas as pd

from finetune.claims.verdict import Verdict
from finetune.claims.words import sentence
from finetune.report.markdown import number, plus_minus
from finetune.report.words import metric_label


def results_text(verdicts: Sequence[Verdict], summary: pd.DataFrame) -> str:
    """Return the verdicts, a sentence each, and below them a table of the variants.

    Args:
        verdicts: On the study's claims.
        summary: A row a variant and metric, as `analysis.summary.summary_table` has it.
    """
    sentences = [sentence(verdict) for verdict in verdicts]
    return "\n".join([*sentences, *([""] if sentences else []), _variants(summary)])


def _variants(summary: pd.DataFrame) -> str:
    """Return a row a variant: means over seeds, each with half the width of its 95 % interval."""
    tests = [name for name in summary["metric"].unique() if name.startswith("test_")]
    shown = ["train_loss", *tests, "epochs_run"]
    chosen = summary.loc[summary["metric"].isin(shown)]
    ends = (chosen[name] for name in ("mean", "low", "high"))
    texts = [_estimate(*values) for values in zip(*ends, strict=True)]
    table = chosen.assign(text=texts).pivot(index="variant", columns="metric", values="text")
    variants = list(summary["variant"].unique())
    table = table.loc[variants, shown].rename(columns=metric_label).reset_index()
    align = ["left", *["right"] * len(shown)]
    # Without disable_numparse tabulate would round the texts that look like numbers.
    return table.rename(columns={"variant": "Variant"}).to_markdown(
        index=False, tablefmt="simple", disable_numparse=True, colalign=align
    )


def _estimate(mean: float, low: float, high: float) -> str:
    return number(mean) if pd.isna(low) else plus_minus(mean, low, high)
