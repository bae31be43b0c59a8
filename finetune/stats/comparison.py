"""All variants compared: one row for every contrast and metric."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd

from finetune.stats.multiple_testing import holm
from finetune.stats.paired import FEW_SEEDS, describe
from finetune.stats.pairs import ACCURACIES, LOSSES, PairedRuns, pair_runs
from finetune.stats.sensitivity import sign_flip, signed_rank, win_rate
from finetune.stats.t_test import Sample, tost_p_value

# Two variants, (treatment, control).
Contrast = tuple[str, str]


def compare(
    runs: pd.DataFrame,
    family: Sequence[Contrast],
    *,
    margins: Mapping[str, float],
    alpha: float,
    seed: int,
    seeds: Iterable[int] | None = None,
) -> pd.DataFrame:
    """Compare the variants of every contrast in every metric that was measured.

    Args:
        runs: A row a run: `variant, seed, status` and a column a metric.
        family: The contrasts that are corrected together.
        margins: By metric, the absolute difference that is too small to matter.
        alpha: Level of the intervals and of equivalence.
        seed: Draws the random sign flips.
        seeds: The seeds that must be there; by default every seed of `runs`.

    Returns:
        A row a contrast and metric: `metric, treatment, control, n, excluded` (number of seeds);
        `difference, low, high` (treatment minus control, with its two-sided interval at
        1 - alpha), `sd, dz`; `p` (of `t_test`) and `p_holm` (over the contrasts, metric by metric);
        for sensitivity `p_wilcoxon, wilcoxon_method, p_sign_flip` (none corrected); `wins, losses,
        ties, win_rate, win_low, win_high`; `margin, p_equal, equal` (within the margin, two
        one-sided tests at alpha); and `exploratory`, where there is too little to rely on.

    Raises:
        RunsError: a run is missing or there twice, or a value is missing.
    """
    required = None if seeds is None else list(seeds)
    contrasts = [pair_runs(runs, contrast, seeds=required) for contrast in family]
    measured = [name for name in ACCURACIES if any(pairs.measures([name]) for pairs in contrasts)]
    table: list[dict[str, Any]] = []
    for metric in (*LOSSES, *measured):
        rows = [
            _row(pairs, metric, margin=margins[metric], alpha=alpha, seed=seed)
            for pairs in contrasts
        ]
        # Each metric is a family of its own: metrics answer different questions.
        corrected = holm([row["p"] for row in rows])
        table += [row | {"p_holm": p} for row, p in zip(rows, corrected, strict=True)]
    return pd.DataFrame(table)


def _row(
    pairs: PairedRuns, metric: str, *, margin: float, alpha: float, seed: int
) -> dict[str, Any]:
    differences = pairs.difference(metric)
    summary = describe(differences, metric, alpha=alpha)
    ranked = signed_rank(differences)
    p_equal = float(tost_p_value(Sample.of(differences), margin=margin))
    return {
        "metric": metric,
        "treatment": pairs.variants[0],
        "control": pairs.variants[1],
        "n": summary.n,
        "excluded": len({run.seed for run in pairs.excluded}),
        "difference": summary.mean,
        "low": summary.low,
        "high": summary.high,
        "sd": summary.sd,
        "dz": summary.dz,
        "p": summary.p,
        "p_holm": 1.0,  # its place among the columns; the family is corrected together
        "p_wilcoxon": ranked.p,
        "wilcoxon_method": ranked.method,
        "p_sign_flip": sign_flip(differences, seed=seed),
        **_win_columns(pairs.worsening(metric), alpha=alpha),
        "margin": margin,
        "p_equal": p_equal,
        "equal": p_equal < alpha,
        # Of differences that are all equal the table says so.
        "exploratory": summary.exploratory and (summary.n < FEW_SEEDS or summary.distinct > 0),
    }


def _win_columns(worsening: np.ndarray, *, alpha: float) -> dict[str, Any]:
    # `low` and `high` are those of the difference in the table, so the win rate's are prefixed.
    prefixed = {"rate", "low", "high"}
    counts = asdict(win_rate(worsening, alpha=alpha))
    return {f"win_{key}" if key in prefixed else key: value for key, value in counts.items()}
