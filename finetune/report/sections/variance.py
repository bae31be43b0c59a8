"""Where the spread comes from: one source of randomness varied at a time, and all together."""

from typing import Any

import pandas as pd

from finetune.report.markdown import (
    NONE,
    Section,
    estimate,
    number,
    paragraphs,
    percent,
    plain,
    quoted,
    table,
)
from finetune.stats.variance import TOGETHER

TITLE = "Where the spread comes from"

_METRIC = "test_loss"
_SOURCES = {
    "init": "initial weights",
    "order": "order of the training rows",
    "split": "split of the rows",
    "data": "data set",
    TOGETHER: TOGETHER,
}


def variance_section(variance: pd.DataFrame) -> Section:
    """Show `stats.variance.variance_table` for the test loss; no body where there is none."""
    if variance.empty:
        return Section(TITLE, "")
    rows = variance.loc[variance["metric"] == _METRIC].to_dict("records")
    by_source: dict[str, list[dict]] = {}
    for row in rows:
        by_source.setdefault(row["source"], []).append(row)
    first = [own[0] for own in by_source.values()]
    alone = [row for row in first if row["source"] != TOGETHER and pd.notna(row["sd"])]
    reading = _reading(alone, together=first[-1])
    return Section(TITLE, paragraphs(reading, _table(by_source), _caveats(alone)))


def _table(by_source: dict[str, list[dict]]) -> str:
    rows = [
        [_SOURCES[source], str(own[0]["n"]), *(cell for row in own for cell in _cells(row))]
        for source, own in by_source.items()
    ]
    heads = [head for row in by_source[TOGETHER] for head in _heads(row)]
    return table(rows, columns=["What varies", "Seeds", *heads])


def _heads(row: dict) -> list[str]:
    if pd.isna(row["minus"]):
        return [f"SD of {plain(row['variant'])}"]
    return ["SD of the difference", "Share of its variance"]


def _cells(row: dict) -> list[str]:
    spread = NONE if pd.isna(row["sd"]) else estimate(row["sd"], row["low"], row["high"])
    if pd.isna(row["minus"]):
        return [spread]
    return [spread, percent(row["share"]) if pd.notna(row["share"]) else NONE]


def _reading(alone: list[dict], *, together: dict) -> str:
    """Say which source contributes most, and whether that is settled."""
    what = _what(together)
    if not alone:
        return f"Too few seeds finished to tell what makes the spread of {what}."
    # Of equal ones the first in the order of the study.
    largest = max(alone, key=lambda row: row["sd"])
    if largest["sd"] == 0:
        return f"No source by itself makes any spread in {what}."
    beside = ""
    if pd.notna(together["sd"]):
        beside = f", beside {number(together['sd'])} where all vary together"
    return (
        f"The largest standard deviation of {what}, {number(largest['sd'])}, comes from varying "
        f"the {_SOURCES[largest['source']]} alone{beside}. {_settled(largest, alone)}"
    )


def _what(row: dict[str, Any]) -> str:
    if pd.isna(row["minus"]):
        return f"the test loss of {quoted(row['variant'])}"
    pair = f"{quoted(row['variant'])} minus {quoted(row['minus'])}"
    return f"the difference in test loss ({pair})"


def _settled(largest: dict, alone: list[dict]) -> str:
    near = [
        f"the {_SOURCES[row['source']]}"
        for row in alone
        if row is not largest and row["high"] >= largest["low"]
    ]
    if near:
        return (
            f"Its interval overlaps that of {' and that of '.join(near)}, so the seeds do not "
            "settle which contributes most."
        )
    return "Its interval lies above those of the other sources."


def _caveats(alone: list[dict]) -> str:
    return (
        "SD is the standard deviation over seeds of the test loss, with its 95 % interval "
        f"(chi-square, for normal values).{_precision(alone)} Shares are variances over that of "
        "all together; they need not add up to 100 %, and one may exceed it, since sources "
        "interact and all are estimates. What does not vary in a row stays at one value (the "
        "initial weights and the order of seed 0, the study's own split and data), so a row "
        "speaks about that value, not about the average over others. `tables/variance.csv` has "
        "the other metrics."
    )


def _precision(alone: list[dict]) -> str:
    spread = [row for row in alone if row["sd"] > 0]
    if not spread:
        return ""
    fewest = min(spread, key=lambda row: row["n"])
    below, above = (100 * (fewest[end] / fewest["sd"] - 1) for end in ("low", "high"))
    return f" From {fewest['n']} seeds it is known to about {below:.0f} to +{above:.0f} %."
