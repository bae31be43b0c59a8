"""Where the spread comes from: one source of randomness varied at a time, and all together."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from finetune.analysis.spread import SpreadBySource
from finetune.report.markdown import (
    NONE,
    estimate,
    number,
    paragraphs,
    percent,
    plain,
    quoted,
    table,
)
from finetune.report.sections.base import ReportContext, ReportSection
from finetune.spec.seeds import SOURCE_WORDS
from finetune.stats.variance import TOGETHER

_NAMES: Mapping[str, str] = {**SOURCE_WORDS, TOGETHER: TOGETHER}


def variance(context: ReportContext) -> str:
    """Show the spread of the test loss by source; empty where no source was varied by itself."""
    spread = context.analysis.spread
    return paragraphs(_reading(spread), _table(spread), _caveats(spread)) if spread else ""


def _table(spread: SpreadBySource) -> str:
    rows = [
        [_NAMES[source], str(rows[0]["n"]), *(text for row in rows for text in _texts(row))]
        for source, rows in spread.rows.items()
    ]
    heads = [head for row in spread.rows[TOGETHER] for head in _heads(row)]
    return table(rows, columns=["What varies", "Seeds", *heads])


def _heads(row: dict[str, Any]) -> list[str]:
    if pd.isna(row["minus"]):
        return [f"SD of {plain(row['variant'])}"]
    return ["SD of the difference", "Share of its variance"]


def _texts(row: dict[str, Any]) -> list[str]:
    deviation = NONE if pd.isna(row["sd"]) else estimate(row["sd"], row["low"], row["high"])
    if pd.isna(row["minus"]):
        return [deviation]
    return [deviation, percent(row["share"]) if pd.notna(row["share"]) else NONE]


def _reading(spread: SpreadBySource) -> str:
    """Name the source that contributes most, and whether that is settled."""
    what, largest, together = _what(spread.together), spread.largest, spread.together
    if largest is None:
        return f"Too few seeds finished to find what makes the spread of {what}."
    if largest["sd"] == 0:
        return f"No source by itself makes any spread in {what}."
    beside = ""
    if pd.notna(together["sd"]):
        beside = f", beside {number(together['sd'])} where all vary together"
    return (
        f"The largest standard deviation of {what}, {number(largest['sd'])}, comes from varying "
        f"the {_NAMES[largest['source']]} alone{beside}. {_settled(spread)}"
    )


def _what(row: dict[str, Any]) -> str:
    if pd.isna(row["minus"]):
        return f"the test loss of {quoted(row['variant'])}"
    pair = f"{quoted(row['variant'])} minus {quoted(row['minus'])}"
    return f"the difference in test loss ({pair})"


def _settled(spread: SpreadBySource) -> str:
    near = [f"the {_NAMES[row['source']]}" for row in spread.overlapping]
    if near:
        return (
            f"Its interval overlaps that of {' and that of '.join(near)}, so the seeds do not "
            "settle which contributes most."
        )
    return "Its interval lies above those of the other sources."


def _caveats(spread: SpreadBySource) -> str:
    return (
        "SD is the standard deviation over seeds of the test loss, with its 95 % interval "
        f"(chi-square, for normal values).{_precision(spread)} Shares are variances over that of "
        "all together; they need not add up to 100 %, and one may exceed it, since sources "
        "interact and all are estimates. What does not vary in a row stays at one value (the "
        "initial weights and the order of seed 0, the study's own split and data), so a row "
        "speaks about that value, not about the average over others. `tables/variance.csv` has "
        "the other metrics."
    )


def _precision(spread: SpreadBySource) -> str:
    if spread.precision is None:
        return ""
    seeds, low, high = spread.precision
    return f" From {seeds} seeds it is known to about {100 * low:.0f} to +{100 * high:.0f} %."


VARIANCE = ReportSection("Where the spread comes from", variance)
