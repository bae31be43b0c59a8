"""The parity certificate: runs that the reference engine trained again."""

import math

from finetune.report.markdown import bullets, number, paragraphs, plain, quoted, table
from finetune.report.sections.base import ReportContext, ReportSection
from finetune.stats.parity import Parity, RunParity


def parity(context: ReportContext) -> str:
    """Show how far the engine is from `keras.Model.fit`; empty where that was not checked."""
    found = context.analysis.parity
    return paragraphs(_summary(found), _disagreements(found), _table(found)) if found else ""


def _summary(parity: Parity) -> str:
    cut = sum(run.lr_reductions > 0 for run in parity.runs)
    same = sum(run.same_learning_rates for run in parity.runs)
    return (
        f"{len(parity.runs)} of these runs, {cut} of them with LR cuts, were trained again by "
        "`keras.Model.fit` with Keras's own callbacks, from the same initial weights and in the "
        f"same batch order. Learning rates agree in {same} of {len(parity.runs)}; in the first "
        f"10 epochs no loss is further apart than {number(parity.early_difference, digits=2)}. "
        "In float32 training amplifies rounding, so later epochs drift apart; in float64 the "
        "engines agree to the end."
    )


def _table(parity: Parity) -> str:
    rows = [
        [
            plain(run.variant),
            str(run.seed),
            str(run.epochs),
            str(run.lr_reductions),
            "yes" if run.same_learning_rates else "no",
            number(run.early_difference, digits=2),
            number(run.difference, digits=2),
        ]
        for run in parity.runs
    ]
    columns = ["variant", "seed", "epochs", "LR cuts", "same LRs"]
    return table(rows, columns=[*columns, "apart, epochs 1-10", "apart, all"])


def _disagreements(parity: Parity) -> str:
    """List the runs that the engines trained for different times, or lost in one of them alone."""
    found = bullets(*map(_length, parity.runs), *map(_lost, parity.runs))
    return paragraphs("**The engines disagree:**", found) if found else ""


def _length(run: RunParity) -> str:
    if run.same_length:
        return ""
    return (
        f"{quoted(run.variant)}, seed {run.seed}, lasts {run.epochs} epochs by `keras.Model.fit` "
        f"and {run.other_epochs} here."
    )


def _lost(run: RunParity) -> str:
    if math.isfinite(run.difference):
        return ""
    return (
        f"{quoted(run.variant)}, seed {run.seed}, has a loss that is finite in one of them alone."
    )


PARITY = ReportSection("Parity with Keras", parity)
