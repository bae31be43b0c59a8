"""Which source of randomness makes most of the spread of the test loss."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from finetune.stats.variance import TOGETHER

METRIC = "test_loss"


@dataclass(frozen=True)
class SpreadBySource:
    """The spread of the difference in test loss, or of the one variant's, read off its table.

    Attributes:
        rows: Rows of the table by source, all sources together last; the first row of a source is
            the one that is read.
        alone: First rows of the sources that varied alone and have a standard deviation.
        largest: That of the largest standard deviation; None without any.
        overlapping: Those of other sources whose interval reaches into that of the largest.
        precision: From how many seeds, and within which shares (low, high) of itself, the standard
            deviation of the fewest seeds is known; None where nothing varied.
    """

    rows: Mapping[str, list[dict[str, Any]]]
    alone: tuple[dict[str, Any], ...]
    largest: dict[str, Any] | None
    overlapping: tuple[dict[str, Any], ...]
    precision: tuple[int, float, float] | None

    @property
    def together(self) -> dict[str, Any]:
        """The first row of all sources together."""
        return self.rows[TOGETHER][0]


def read_spread(variance: pd.DataFrame) -> SpreadBySource | None:
    """Find the source of the largest spread in a `variance_table`; None if it has no rows."""
    if variance.empty:
        return None
    rows: dict[str, list[dict[str, Any]]] = {}
    for row in variance.loc[variance["metric"] == METRIC].to_dict("records"):
        rows.setdefault(row["source"], []).append({str(key): row[key] for key in row})
    firsts = [of_source[0] for source, of_source in rows.items() if source != TOGETHER]
    alone = tuple(row for row in firsts if pd.notna(row["sd"]))
    # Of equal ones the first in the order of the study.
    largest = max(alone, key=lambda row: row["sd"], default=None)
    return SpreadBySource(rows, alone, largest, _overlapping(alone, largest), _precision(alone))


def _overlapping(
    alone: tuple[dict[str, Any], ...], largest: dict[str, Any] | None
) -> tuple[dict[str, Any], ...]:
    if largest is None:
        return ()
    others = (row for row in alone if row is not largest)
    return tuple(row for row in others if row["high"] >= largest["low"])


def _precision(alone: tuple[dict[str, Any], ...]) -> tuple[int, float, float] | None:
    varied = [row for row in alone if row["sd"] > 0]
    if not varied:
        return None
    fewest = min(varied, key=lambda row: row["n"])
    low, high = (fewest[end] / fewest["sd"] - 1 for end in ("low", "high"))
    return fewest["n"], low, high
