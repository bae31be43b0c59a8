"""What tuning bought: on rows that it never saw, and against random search."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

import pandas as pd

from finetune.analysis.tuned import OBJECTIVES, Tuned, TunedArm
from finetune.report.markdown import bullets, estimate, number, plain, quoted, table


def findings(tuned: Tuned) -> str:
    """Say how the tuned arms differ in test loss, and each from the study's own setting."""
    rows = {
        (row["treatment"], row["control"]): row
        for row in tuned.contrasts
        if row["metric"] == "test_loss"
    }
    first, second = (arm.name for arm in tuned.arms)
    return bullets(
        _against(rows.get((first, second))),
        *(_bought(arm, rows.get((arm.name, arm.untuned)), tuned) for arm in tuned.arms),
    )


def random_search(tuned: Tuned) -> list[str]:
    """Show what random search found at the same budget, and how little that can say."""
    if not tuned.baseline:
        return []
    found = pd.DataFrame(list(tuned.baseline))
    repeats = max(Counter(zip(found["arm"], found["sampler"], strict=True)).values())
    return [
        "### Against random search",
        _samplers(tuned, found),
        "Mean of each winner; of several searches the median of their winners (lowest to highest).",
        bullets(*(_beaten(arm, found) for arm in tuned.arms)),
        f"This is one search against {repeats}: if both samplers were equally good, one search "
        f"would still beat all {repeats} in one case of {repeats + 1}. It shows what the budget "
        "reaches by chance, not which sampler is better.",
    ]


def _against(row: Mapping[str, Any] | None) -> str:
    if row is None:
        return ""
    return (
        f"**Tuned against tuned:** {quoted(row['treatment'])} {_difference(row)} than "
        f"{quoted(row['control'])}."
    )


def _bought(arm: TunedArm, row: Mapping[str, Any] | None, tuned: Tuned) -> str:
    """Set what the search could see beside what it could not."""
    if row is None or arm.untuned is None or arm.untuned_fresh is None:
        return ""
    before, after = arm.untuned_fresh.mean, arm.fresh.mean
    moved = "from {} to {}".format(*(number(value) for value in (before, after)))
    text = (
        f"**What tuning bought {quoted(arm.untuned)}:** its {OBJECTIVES[tuned.objective]} went "
        f"{moved} at the fresh seeds, and on the test set it {_difference(row)} than untuned."
    )
    if after < before and row["high"] >= 0:
        text += " The gain is on the rows that it was chosen by, and does not carry over."
    return text


def _difference(row: Mapping[str, Any]) -> str:
    found = estimate(*(row[part] for part in ("difference", "low", "high")))
    if row["low"] > 0:
        return f"ends with a higher (worse) test loss, difference {found},"
    if row["high"] < 0:
        return f"ends with a lower (better) test loss, difference {found},"
    return f"is not shown to end with another test loss ({found})"


def _samplers(tuned: Tuned, found: pd.DataFrame) -> str:
    rows = []
    for arm in tuned.arms:
        tuned_values = number(arm.searched, digits=4), number(arm.fresh.mean, digits=4)
        rows.append((plain(arm.name), "this one", "1", *tuned_values))
        for sampler, group in found.loc[found["arm"] == arm.name].groupby("sampler", sort=True):
            spreads = (_spread(group[name]) for name in ("searched", "fresh"))
            rows.append((plain(arm.name), plain(sampler), str(len(group)), *spreads))
    return table(rows, columns=["Arm", "Search", "Searches", "In the search", "Fresh seeds"])


def _spread(values: pd.Series) -> str:
    middle, low, high = (
        number(value, digits=4) for value in (values.median(), values.min(), values.max())
    )
    return middle if low == high else f"{middle} ({low} to {high})"


def _beaten(arm: TunedArm, found: pd.DataFrame) -> str:
    others = found.loc[found["arm"] == arm.name]
    if others.empty:
        return ""
    searched = int((others["searched"] > arm.searched).sum())
    fresh = int((others["fresh"] > arm.fresh.mean).sum())
    return (
        f"{quoted(arm.name)}: its winner is better than those of {searched} of {len(others)} "
        f"random searches in the search, and of {fresh} of {len(others)} on fresh seeds."
    )
