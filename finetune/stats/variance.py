"""Where the spread comes from: one source of randomness varied at a time, and all together."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from scipy import stats

from finetune.stats.pairs import PairedRuns, pair_runs
from finetune.stats.t_test import Sample

TOGETHER = "all together"
CONFIDENCE = 0.95
METRICS = ("test_loss", "train_loss", "test_accuracy", "train_accuracy")
COLUMNS = ("source", "variant", "minus", "metric", "n", "sd", "low", "high", "share")

_KEY = ["variant", "minus", "metric"]


def variance_table(
    sources: Mapping[str, pd.DataFrame], together: pd.DataFrame, *, variants: Sequence[str]
) -> pd.DataFrame:
    """Estimate the spread over seeds of each variant, and of the difference between two of them.

    Args:
        sources: Runs in which one source alone varied, by its name.
        together: Runs in which all of these varied.
        variants: One or two names; the difference is the first minus the second, by seed.

    Returns:
        The columns `COLUMNS`. `minus` is missing where a row is of a variant itself; `source` is
        `TOGETHER` in the last rows. `n` counts the seeds at which every one of the variants
        finished. `low` to `high` is the 95 % interval of the standard deviation `sd`; they are
        missing below two seeds. `share` is the variance over that of all together: sources
        interact, so shares need not add up to 1.

    Raises:
        RunsError: the run of a variant and seed is missing or there twice.
    """
    every = {**sources, TOGETHER: together}
    paired = {source: pair_runs(runs, variants) for source, runs in every.items()}
    metrics = [metric for metric in METRICS if paired[TOGETHER].measures([metric])]
    rows = [
        {"source": source, "metric": metric, **series, **spread(values)}
        for source, runs in paired.items()
        for metric in metrics
        for series, values in _series(runs, metric)
    ]
    return _with_shares(pd.DataFrame(rows, columns=list(COLUMNS)))


def spread(values: np.ndarray) -> dict[str, float]:
    """Compute n, the standard deviation of (seed,) and its interval, which supposes normal values.

    Source: the pivot (n - 1) s^2 / sigma^2, chi-square with n - 1 degrees of freedom.
    """
    n = len(values)
    if n < 2:
        return {"n": n, **dict.fromkeys(("sd", "low", "high"), np.nan)}
    sd = float(Sample.of(values).sd)
    # The larger quantile makes the lower end, so it comes first.
    tails = stats.chi2.ppf([(1 + CONFIDENCE) / 2, (1 - CONFIDENCE) / 2], n - 1)
    low, high = (float(end) for end in sd * np.sqrt((n - 1) / tails))
    return {"n": n, "sd": sd, "low": low, "high": high}


def _series(runs: PairedRuns, metric: str) -> list[tuple[dict[str, str | None], np.ndarray]]:
    """Return what varies over seeds, (seed,) each: the difference first, then every variant."""
    values = runs.values(metric)
    single = [
        ({"variant": name, "minus": None}, values[:, place])
        for place, name in enumerate(runs.variants)
    ]
    if len(runs.variants) < 2:
        return single
    first, second = runs.variants
    return [({"variant": first, "minus": second}, runs.difference(metric)), *single]


def _with_shares(table: pd.DataFrame) -> pd.DataFrame:
    """Divide every variance by that of the same series where all sources vary."""
    whole = table.loc[table["source"] == TOGETHER, [*_KEY, "sd"]]
    sd = table.merge(whole, on=_KEY, how="left", suffixes=("", "_together"))["sd_together"]
    # Of no spread at all nothing can have a share.
    reference = sd.where(sd > 0).to_numpy(float)
    return table.assign(share=(table["sd"].to_numpy(float) / reference) ** 2)
