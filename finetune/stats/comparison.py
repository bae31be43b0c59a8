"""All variants compared: one row for every contrast and metric."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd
from statsmodels.stats.multitest import multipletests

from finetune.spec.claims import Margins
from finetune.spec.study import StudySpec
from finetune.stats import t_test
from finetune.stats.paired import FEW_SEEDS, describe
from finetune.stats.pairs import ACCURACIES, LOSSES, PairedRuns, pair_runs
from finetune.stats.sensitivity import sign_flip, signed_rank, win_rate

Contrast = tuple[str, str]


def contrasts(spec: StudySpec) -> tuple[Contrast, ...]:
    """Give the family of contrasts, (treatment, control) each, that the spec fixes beforehand.

    What the claim lists, else the default family.
    """
    listed = spec.claim.contrasts if spec.claim else None
    return default_contrasts(spec) if listed is None else listed


def default_contrasts(spec: StudySpec) -> tuple[Contrast, ...]:
    """Give the claim's contrast, and every other variant against the first without policies.

    Where all variants have policies the first variant takes that place.
    """
    bare = [variant.name for variant in spec.variants if variant.bare]
    baseline = bare[0] if bare else spec.variants[0].name
    claim = [(spec.claim.treatment, spec.claim.control)] if spec.claim else []
    others = [(variant.name, baseline) for variant in spec.variants if variant.name != baseline]
    # A pair of variants is one contrast, whichever comes first; the claim says which way round.
    return (*claim, *(pair for pair in others if set(pair) not in map(set, claim)))


def compare(
    runs: pd.DataFrame,
    family: Sequence[Contrast],
    *,
    margins: Margins,
    alpha: float,
    seed: int,
    seeds: Iterable[int] | None = None,
) -> pd.DataFrame:
    """Compare the variants of every contrast in every metric that was measured.

    A row a contrast and metric: `metric, treatment, control, n, excluded` (seeds left out);
    `difference, low, high` (treatment minus control, with its two-sided t interval at 1 - alpha),
    `sd, dz`; `p` (paired t) and `p_holm` (over the contrasts, metric by metric); for sensitivity
    `p_wilcoxon, wilcoxon_method, p_sign_flip` (none corrected; `seed` draws the flips); `wins,
    losses, ties, win_rate, win_low, win_high`; `margin, p_equal, equal` (within the margin, two
    one-sided t tests at alpha); and `exploratory`, below 8 pairs.

    Raises:
        RunsError: a cell is missing or there twice, or a value is missing.
    """
    wanted = None if seeds is None else list(seeds)
    paired = [pair_runs(runs, contrast, seeds=wanted) for contrast in family]
    measured = [name for name in ACCURACIES if any(one.measures([name]) for one in paired)]
    table: list[dict[str, Any]] = []
    for metric in (*LOSSES, *measured):
        margin = getattr(margins, metric)
        rows = [_row(one, metric, margin=margin, alpha=alpha, seed=seed) for one in paired]
        corrected = holm([row["p"] for row in rows])
        table += [row | {"p_holm": p} for row, p in zip(rows, corrected, strict=True)]
    return pd.DataFrame(table)


def holm(p_values: Sequence[float]) -> list[float]:
    """Correct the p-values of a family of tests, so that any false finding is at most alpha.

    Source: Holm (1979); statsmodels 0.15, `multipletests`.
    """
    if not p_values:
        return []
    return np.asarray(multipletests(p_values, method="holm")[1]).tolist()


def _row(
    paired: PairedRuns, metric: str, *, margin: float, alpha: float, seed: int
) -> dict[str, Any]:
    differences, worsening = paired.difference(metric), paired.worsening(metric)
    found = describe(differences, metric, alpha=alpha)
    ranked, won = signed_rank(differences), win_rate(worsening, alpha=alpha)
    p_equal = float(t_test.p_equivalent(differences, margin=margin))
    return {
        "metric": metric,
        "treatment": paired.variants[0],
        "control": paired.variants[1],
        "n": found.n,
        "excluded": len({run.seed for run in paired.excluded}),
        "difference": found.mean,
        "low": found.low,
        "high": found.high,
        "sd": found.sd,
        "dz": found.dz,
        "p": found.p,
        "p_holm": 1.0,  # its place; the family is corrected together
        "p_wilcoxon": ranked.p,
        "wilcoxon_method": ranked.method,
        "p_sign_flip": sign_flip(differences, seed=seed),
        **_won(asdict(won)),
        "margin": margin,
        "p_equal": p_equal,
        "equal": p_equal < alpha,
        "exploratory": found.n < FEW_SEEDS,
    }


def _won(counts: dict[str, Any]) -> dict[str, Any]:
    rates = {"rate", "low", "high"}
    return {f"win_{key}" if key in rates else key: value for key, value in counts.items()}
