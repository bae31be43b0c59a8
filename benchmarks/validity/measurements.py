"""All that is counted, source by source, as tables with a row a rate."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.log import Log
from benchmarks.validity import many_looks, one_look, plans
from benchmarks.validity.drawn import Drawn
from benchmarks.validity.measured import measured_sources
from benchmarks.validity.sources import LOGNORMAL_BELOW, MADE_UP, NORMAL, Source

_SEED = 17


@dataclass(frozen=True)
class Extent:
    """How much is counted.

    Attributes:
        studies: Drawn from each source.
        reports: Folder of the studies whose differences are drawn from.
    """

    studies: int = 20_000
    reports: Path = Path("reports")


@dataclass(frozen=True)
class Measurements:
    """The tables: what their rows are, the functions that yield them say.

    Attributes:
        one_look, looks: False decisions, by `one_look.false_rates` and `many_looks.false_rates`.
        power: At one look.
        stopping, bias: Until decided.
        by_hand: Of seeds that are raised after a look, beside shares of alpha.
        spendings: What each way to spend alpha costs.
    """

    one_look: pd.DataFrame
    looks: pd.DataFrame
    power: pd.DataFrame
    stopping: pd.DataFrame
    bias: pd.DataFrame
    by_hand: pd.DataFrame
    spendings: pd.DataFrame


def measure(extent: Extent, log: Log) -> Measurements:
    """Draw studies from every source and count."""
    sources = (*MADE_UP, *measured_sources(extent.reports))
    rows: dict[str, list[dict[str, Any]]] = {name: [] for name in ("one_look", "looks", "stopping")}
    for place, source in enumerate(sources, start=1):
        drawn = _draw(source, {*one_look.SIZES, *plans.SIZES}, extent)
        rows["one_look"] += one_look.false_rates(drawn)
        rows["looks"] += many_looks.false_rates(drawn)
        rows["stopping"] += many_looks.stopping_rows(drawn, _effects(source))
        log(f"{place} of {len(sources)}: {source.name}")
    tables = {name: pd.DataFrame(found) for name, found in rows.items()}
    return Measurements(**tables, **_of_normal_differences(extent), by_hand=_by_hand(extent, log))


def _of_normal_differences(extent: Extent) -> dict[str, pd.DataFrame]:
    drawn = _draw(NORMAL, {*one_look.SIZES, *plans.SIZES}, extent)
    return {
        "power": pd.DataFrame(one_look.power_rows(drawn)),
        "bias": pd.DataFrame(many_looks.bias_rows(drawn, many_looks.NORMAL_EFFECTS)),
        "spendings": pd.DataFrame(many_looks.spending_rows(drawn)),
    }


def _by_hand(extent: Extent, log: Log) -> pd.DataFrame:
    rows: list[dict[str, Any]] = []
    # A long tail below is what makes a mean look larger than it is.
    for source in (NORMAL, LOGNORMAL_BELOW):
        drawn = _draw(source, {n for sizes in plans.BY_HAND for n in sizes}, extent)
        for sizes in plans.BY_HAND:
            rows += many_looks.by_hand_rows(drawn, sizes)
        rows += many_looks.with_shares_rows(drawn)
        log(f"seeds raised by hand: {source.name}")
    return pd.DataFrame(rows)


def _draw(source: Source, sizes: Iterable[int], extent: Extent) -> Drawn:
    # By its name each source has its own stream, whatever is drawn beside it.
    rng = np.random.default_rng([_SEED, *source.name.encode()])
    return Drawn.of(source, sizes, studies=extent.studies, rng=rng)


def _effects(source: Source) -> Sequence[float]:
    return many_looks.NORMAL_EFFECTS if source is NORMAL else many_looks.EFFECTS
