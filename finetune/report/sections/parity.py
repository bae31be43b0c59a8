"""The parity certificate: runs that the reference engine trained again."""

import math

from finetune.report.markdown import Section, bullets, number, paragraphs, plain, quoted, table
from finetune.stats.parity import Parity, RunParity


def parity_section(parity: Parity) -> Section:
    """Say how far the engine's numbers are from those of `keras.Model.fit`."""
    cut = sum(run.lr_reductions > 0 for run in parity.runs)
    same = sum(run.same_learning_rates for run in parity.runs)
    text = (
        f"{len(parity.runs)} of these runs, {cut} of them with LR cuts, were trained again by "
        "`keras.Model.fit` with Keras's own callbacks, from the same initial weights and in the "
        f"same batch order. Learning rates agree in {same} of {len(parity.runs)}; in the first "
        f"10 epochs no loss is further apart than {number(parity.early_difference, digits=2)}. "
        "In float32 training amplifies rounding, so later epochs drift apart; in float64 the "
        "engines agree to the end."
    )
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
    columns = [
        "variant", "seed", "epochs", "LR cuts", "same LRs", "apart, epochs 1-10", "apart, all",
    ]  # fmt: skip
    body = paragraphs(text, _disagreements(parity), table(rows, columns=columns))
    return Section("Parity with Keras", body)


def _disagreements(parity: Parity) -> str:
    """Say which runs the engines trained for different times, or lost in one of them alone."""
    told = bullets(*map(_length, parity.runs), *map(_lost, parity.runs))
    return paragraphs("**The engines disagree:**", told) if told else ""


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
