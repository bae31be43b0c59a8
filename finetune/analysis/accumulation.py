"""How the mean difference behind each verdict settled as seeds came in, with its interval."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from finetune.analysis.comparisons import CLAIM
from finetune.claims.kind import End
from finetune.claims.metric_comparison import MetricComparison
from finetune.claims.registry import KINDS
from finetune.claims.verdict import Verdict
from finetune.spec.looks import Look
from finetune.spec.study import StudySpec
from finetune.stats.t_test import Sample, confidence_bounds

COLUMNS = ("claim", "metric", "seeds", "mean", "low", "high", "margin", "look")

# An interval of fewer says nothing, and more points than these are not seen.
_LEAST_SEEDS, _MOST_POINTS = 5, 60


def accumulation_table(
    pairs: pd.DataFrame, verdicts: Sequence[Verdict], spec: StudySpec
) -> pd.DataFrame:
    """Return the mean and its interval over the first seeds, for each metric that decided a claim.

    Args:
        pairs: As `pair_table` has them, those that each verdict rests on.
        verdicts: On the study's claims.
        spec: The study.

    Returns:
        The columns `COLUMNS`, a row a claim, metric and number of pairs: treatment minus control in
        the metric's own units. An end of the interval beyond the `margin` decides; `look` is
        whether the study is judged there. Where it has looks, other rows have no interval.
    """
    rows = [
        row
        for verdict in verdicts
        for compared, end in zip(
            verdict.comparisons, KINDS[verdict.kind].ends(verdict), strict=True
        )
        for row in _rows(pairs, verdict, compared, end, looks=spec.looks)
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _rows(
    pairs: pd.DataFrame,
    verdict: Verdict,
    compared: MetricComparison,
    end: End,
    *,
    looks: Sequence[Look],
) -> list[dict[str, Any]]:
    if pairs.empty:
        return []
    mine = (pairs["claim"] == verdict.name) & (pairs["comparison"] == CLAIM)
    chosen = pairs.loc[mine].sort_values("seed")
    # Looks count all seeds, also those of which a run failed.
    shares = {int((chosen["seed"] < look.seeds).sum()): look.share for look in looks}
    sign = compared.sign
    worsening = sign * chosen[compared.metric].to_numpy(float)
    rows = []
    for n in _numbers(len(worsening), shares):
        sample = Sample.of(worsening[:n])
        share = shares.get(n) if looks else 1.0
        low, high = _interval(sample, end, alpha=share and verdict.alpha * share)
        low, high = sorted((sign * low, sign * high))
        rows.append(
            {
                "claim": verdict.name,
                "metric": compared.metric,
                "seeds": n,
                "mean": sign * sample.mean,
                "low": low,
                "high": high,
                "margin": sign * end.value,
                "look": share is not None if looks else n == verdict.n,
            }
        )
    return rows


def _interval(sample: Sample, end: End, *, alpha: float | None) -> tuple[float, float]:
    """Return the bounds of the mean worsening that decide at a level; NaN without one."""
    if alpha is None:
        return np.nan, np.nan
    low, _ = confidence_bounds(sample, alpha=alpha * end.above)
    _, high = confidence_bounds(sample, alpha=alpha * end.below)
    return float(low), float(high)


def _numbers(pairs: int, looks: dict[int, float]) -> list[int]:
    """Return the numbers of pairs to show: evenly spaced, with every look and the last."""
    spaced = np.linspace(min(_LEAST_SEEDS, pairs), pairs, _MOST_POINTS).round().astype(int)
    return sorted({*map(int, spaced), *(n for n in looks if _LEAST_SEEDS <= n <= pairs)})
