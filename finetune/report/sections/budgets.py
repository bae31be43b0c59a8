"""Quality beside compute: what a smaller budget of epochs would have given, and what it saves."""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from finetune.analysis.runs import finished
from finetune.analysis.tables import ReportTables
from finetune.report.figures.captions import numbered
from finetune.report.markdown import (
    NONE,
    Section,
    number,
    paragraphs,
    percent,
    plain,
    plus_minus,
    quoted,
    table,
)
from finetune.spec.study import StudySpec

TITLE = "What it costs: quality against epochs"


def budget_section(tables: ReportTables, spec: StudySpec, *, figures: Sequence[str]) -> Section:
    """Show test loss within budgets of epochs, and the epochs that each variant takes."""
    if finished(tables.runs).empty:
        return Section(TITLE, "")
    body = paragraphs(
        _within(tables),
        "Test loss, mean ± half the width of its 95 % t interval, had every run been ended after "
        "so many epochs. Nothing is estimated here: no policy looks at the budget, so up to an "
        "epoch a run is the same under every budget that reaches it. Early stopping counts with "
        "the weights that it would have restored then. Bold is the lowest mean of a column, which "
        "by itself shows nothing. `tables/budgets.csv` has accuracy and epochs too.",
        _unknown(spec),
        *numbered(tables, figures, ("budget",)),
        _cost(tables),
        _target_note(tables.time_to_target),
    )
    return Section(TITLE, body)


def _unknown(spec: StudySpec) -> str:
    names = [quoted(variant.name) for variant in spec.variants if variant.callbacks]
    if not names:
        return ""
    return (
        f"**Mind the user's own callbacks** in {', '.join(names)}: if they look at the budget, or "
        "change weights when training ends, a smaller budget would have given something else than "
        "shown here; what stands under the whole budget is measured."
    )


def _within(tables: ReportTables) -> str:
    losses = tables.budgets.loc[tables.budgets["metric"] == "test_loss"]
    lowest = losses.groupby("budget")["mean"].min()
    rows = [
        [plain(name), *(_loss(row, lowest[row["budget"]]) for row in own.to_dict("records"))]
        for name, own in losses.groupby("variant", observed=False)
    ]
    columns = [f"{budget} epoch{'s' if budget > 1 else ''}" for budget in lowest.index]
    return table(rows, columns=["Test loss after at most", *columns])


def _loss(row: dict, lowest: float) -> str:
    if not row["n"]:
        return NONE
    shown = plus_minus(row["mean"], row["low"], row["high"])
    return f"**{shown}**" if row["mean"] == lowest else shown


def _cost(tables: ReportTables) -> str:
    budgets: Any = tables.budgets["budget"]
    budget = int(budgets.max())
    whole = tables.budgets.loc[budgets == budget]
    mean = whole.set_index(["metric", "variant"])["mean"]
    rows = [
        (
            plain(row["variant"]),
            number(mean["epochs_run", row["variant"]]),
            _share(mean["epochs_saved", row["variant"]] / budget),
            _time(row),
            f"{row['misses']} of {row['n']}",
        )
        for row in tables.time_to_target.to_dict("records")
    ]
    columns = ["Variant", f"Epochs run (of {budget})", "Epochs saved"]
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


def _target_note(times: pd.DataFrame) -> str:
    target = times["target"].iloc[0]
    return (
        f"The target is a validation loss of {target:g}, which at least three of four runs of "
        "every variant reach: the upper quartile of its runs' lowest validation losses, of the "
        "variant where that is highest, rounded up. Counted are the epochs until a run is first "
        "at or below it: the median (lower to upper quartile) over all runs, in which a run that "
        "never got there counts as later than all others."
    )
