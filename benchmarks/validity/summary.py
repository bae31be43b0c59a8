"""From counted rates to the rows that a report shows; pure functions on DataFrames."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.validity.cases import ALPHA

DECISIONS = ("supported", "refuted")

Row = dict[str, Any]


def decisions(table: pd.DataFrame) -> pd.DataFrame:
    """Return a row for each false decision of each row: `decision`, its `rate` and `error`.

    `error` is the simulation's: one standard error of a share of so many studies.
    """
    keys = [name for name in table if name not in DECISIONS]
    rows = table.melt(keys, list(DECISIONS), var_name="decision", value_name="rate")
    rate = rows["rate"]
    return rows.assign(error=np.sqrt(rate * (1 - rate) / rows["studies"]))


def grouped(table: pd.DataFrame, by: Sequence[str]) -> dict[tuple, list[Row]]:
    """Return the rows of each group, by its values, in the order in which groups come."""
    groups: dict[tuple, list[Row]] = {}
    for record in table.to_dict("records"):
        row = {str(name): value for name, value in record.items()}
        groups.setdefault(tuple(row[name] for name in by), []).append(row)
    return groups


def worst(rows: pd.DataFrame, by: Sequence[str]) -> dict[tuple, Row]:
    """Return the row with the largest rate of each group, in the order in which groups come."""
    return {key: worst_of(some) for key, some in grouped(rows, by).items()}


def worst_of(rows: Sequence[Row]) -> Row:
    """Return the row with the largest rate."""
    return max(rows, key=lambda row: row["rate"])


def without_rare_outliers(table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of differences none of which lies far from all others."""
    return table.loc[~table["rare_outliers"].astype(bool)]


def with_rare_outliers(table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of differences of which some few lie far from all others."""
    return table.loc[table["rare_outliers"].astype(bool)]


def simulation_error(studies: int) -> float:
    """Return the standard error of a rate of alpha in so many studies."""
    return math.sqrt(ALPHA * (1 - ALPHA) / studies)
