"""Quality beside compute: what a smaller budget of epochs would have given, and what it saves."""

from typing import Any

import pandas as pd

from finetune.report.markdown import (
    NONE,
    number,
    paragraphs,
    percent,
    plain,
    plus_minus,
    quoted,
    table,
)
from finetune.report.sections.base import ReportContext, ReportSection
from finetune.spec.study import StudySpec


def budgets(context: ReportContext) -> str:
    """Show test loss within budgets of epochs, and the epochs that each variant takes."""
    analysis = context.analysis
    if not analysis.any_finished:
        return ""
    return paragraphs(
        _losses(analysis.loss_by_budget),
        "Test loss, mean ± half the width of its 95 % t interval, had every run been ended after "
        "so many epochs. Nothing is estimated here: no policy looks at the budget, so up to an "
        "epoch a run is the same under every budget that reaches it. Early stopping counts with "
        "the weights that it would have restored then. Bold is the lowest mean of a column, which "
        "by itself shows nothing. `tables/budgets.csv` has accuracy and epochs too.",
        _user_callbacks(analysis.spec),
        context.embed("budgets"),
        _costs(analysis.costs),
        _target(analysis.costs["target"].iloc[0]),
    )


def _user_callbacks(spec: StudySpec) -> str:
    names = [quoted(variant.name) for variant in spec.variants if variant.callbacks]
    if not names:
        return ""
    return (
        f"**Mind the user's callbacks** in {', '.join(names)}: if they look at the budget, or "
        "change weights when training ends, a smaller budget would have given something else than "
        "shown here; what stands under the whole budget is measured."
    )


def _losses(losses: pd.DataFrame) -> str:
    rows = [
        [plain(name), *map(_loss, of_variant.to_dict("records"))]
        for name, of_variant in losses.groupby("variant", observed=False)
    ]
    ends = sorted(set(losses["budget"]))
    columns = [f"{budget} epoch{'s' if budget > 1 else ''}" for budget in ends]
    return table(rows, columns=["Test loss after at most", *columns])


def _loss(row: dict) -> str:
    if not row["n"]:
        return NONE
    shown = plus_minus(row["mean"], row["low"], row["high"])
    return f"**{shown}**" if row["lowest"] else shown


def _costs(costs: pd.DataFrame) -> str:
    rows = [
        (
            plain(row["variant"]),
            number(row["epochs_run"]),
            _share(row["share_saved"]),
            _time(row),
            f"{row['misses']} of {row['n']}",
        )
        for row in costs.to_dict("records")
    ]
    columns = ["Variant", f"Epochs run (of {costs['budget'].iloc[0]})", "Epochs saved"]
    return table(rows, columns=[*columns, "Epochs to the target", "Never there"])


def _share(share: float) -> str:
    return percent(share) if pd.notna(share) else NONE


def _time(row: dict) -> str:
    if not row["n"]:
        return NONE
    low, median, high = (_epochs(row[name]) for name in ("q25", "median", "q75"))
    return f"{median} ({low} to {high})"


def _epochs(value: Any) -> str:
    return "never" if pd.isna(value) else str(value)


def _target(target: float) -> str:
    return (
        f"The target is a validation loss of {target:g}, which at least three of four runs of "
        "every variant reach: the upper quartile of its runs' lowest validation losses, of the "
        "variant where that is highest, rounded up. Counted are the epochs until a run is first "
        "at or below it: the median (lower to upper quartile) over all runs, in which a run that "
        "never got there counts as later than all others."
    )


BUDGETS = ReportSection("What it costs: quality against epochs", budgets)
