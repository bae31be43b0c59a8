"""What tuning bought: on rows that it never saw, and against random search."""

from collections.abc import Mapping
from typing import Any

from finetune.analysis.tuned import OBJECTIVES, Tuned
from finetune.analysis.tuned_findings import (
    Gain,
    RandomSearch,
    Reached,
    contrast_in_test_loss,
    gains,
    random_searches,
)
from finetune.report.markdown import bullets, estimate, number, plain, quoted, table


def findings(tuned: Tuned) -> str:
    """State how the tuned arms differ in test loss, and each from the study's own setting."""
    first, second = (arm.name for arm in tuned.arms)
    return bullets(
        _against(contrast_in_test_loss(tuned, first, second)),
        *(_gain(gain, OBJECTIVES[tuned.objective]) for gain in gains(tuned)),
    )


def random_search(tuned: Tuned) -> list[str]:
    """Show what random search found at the same budget, and how little that can show."""
    found = random_searches(tuned)
    if not found:
        return []
    repeats = max(one.searches for one in found)
    return [
        "### Against random search",
        _searches(tuned, found),
        "Mean of each winner; of several searches the median of their winners (lowest to highest).",
        bullets(*map(_beaten, found)),
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


def _gain(gain: Gain, objective: str) -> str:
    """Set what the search could see beside what it could not."""
    text = (
        f"**What tuning bought {quoted(gain.untuned)}:** its {objective} went from "
        f"{number(gain.before)} to {number(gain.after)} at the fresh seeds, and on the test set it "
        f"{_difference(gain.test_loss)} than untuned."
    )
    if not gain.carries_over:
        text += " The gain is on the rows that it was chosen by, and does not carry over."
    return text


def _difference(row: Mapping[str, Any]) -> str:
    found = estimate(row["difference"], row["low"], row["high"])
    if row["low"] > 0:
        return f"ends with a higher (worse) test loss, difference {found},"
    if row["high"] < 0:
        return f"ends with a lower (better) test loss, difference {found},"
    return f"is not shown to end with another test loss ({found})"


def _searches(tuned: Tuned, found: list[RandomSearch]) -> str:
    rows = []
    for arm in tuned.arms:
        values = number(arm.searched, digits=4), number(arm.fresh.mean, digits=4)
        rows.append((plain(arm.name), "this one", "1", *values))
        rows += [
            (
                plain(arm.name),
                plain(one.sampler),
                str(one.searches),
                _reached(one.searched),
                _reached(one.fresh),
            )
            for one in found
            if one.arm == arm.name
        ]
    return table(rows, columns=["Arm", "Search", "Searches", "In the search", "Fresh seeds"])


def _reached(values: Reached) -> str:
    middle, low, high = (
        number(value, digits=4) for value in (values.median, values.low, values.high)
    )
    return middle if low == high else f"{middle} ({low} to {high})"


def _beaten(one: RandomSearch) -> str:
    return (
        f"{quoted(one.arm)}: its winner is better than those of {one.beaten_searched} of "
        f"{one.searches} {plain(one.sampler)} searches in the search, and of {one.beaten_fresh} of "
        f"{one.searches} on fresh seeds."
    )
