"""The claim over a grid of settings: a verdict for every setting, false discoveries controlled."""

from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from finetune.claims.fit_outcome import judge_fit
from finetune.claims.underfits import CUT_SHARE, cut_before, share_of
from finetune.spec.claims import ClaimSpec
from finetune.stats.multiple_testing import benjamini_yekutieli
from finetune.stats.pairs import LOSSES, PairedRuns, RunsError, pair_runs


def claim_map(
    runs: pd.DataFrame, claim: ClaimSpec, *, delays: Mapping[Hashable, int | None]
) -> pd.DataFrame:
    """Judge the claim `underfits` at every setting of a grid.

    Being supported or refuted is a discovery: among all discoveries on the map the false ones are
    expected to be at most a share of alpha.

    Args:
        runs: Runs with a further column `setting`, at each of which the claim's two variants were
            trained on the same seeds.
        claim: The claim.
        delays: By setting, the first epoch, counted from 0, at which the control may cut (None:
            never).

    Returns:
        A row a setting, in the order of `delays`: `setting, n, excluded, cut_share`; for train and
        test loss `difference, low, high` with the metric before it (t intervals at 1 - alpha, each
        for itself) and `call`; `p_supported, p_refuted` and both adjusted; `label` (the outcome in
        the fit table, as the intervals have it) and `verdict`.

    Raises:
        RunsError: a setting has no delay or no runs, or a run is missing or there twice.

    Source: Benjamini and Yekutieli (2001): settings share seeds, trajectories and often a control,
    so their p-values depend on each other in ways nobody knows.
    """
    _check_settings(runs, delays)
    seeds = sorted(runs["seed"].unique())
    by_setting = {setting: rows for setting, rows in runs.groupby("setting", sort=False)}  # noqa: C416
    table = pd.DataFrame(
        [
            _row(
                setting,
                _paired(by_setting[setting], claim, setting=setting, seeds=seeds),
                claim,
                delay_ends=delay_ends,
            )
            for setting, delay_ends in delays.items()
        ]
    )
    tested = (table["cut_share"] >= CUT_SHARE).to_numpy()
    adjusted = adjust_tested(table[["p_supported", "p_refuted"]].to_numpy(), tested=tested)
    table["p_supported_adjusted"], table["p_refuted_adjusted"] = adjusted.T
    table["verdict"] = np.select(
        [~tested, adjusted[:, 0] <= claim.alpha, adjusted[:, 1] <= claim.alpha],
        ["not tested", "supported", "refuted"],
        default="inconclusive",
    )
    return table


def adjust_tested(p_values: np.ndarray, *, tested: np.ndarray) -> np.ndarray:
    """Adjust the p-values (setting, way to decide) of the tested settings as one family.

    Those of other settings become 1 and stand outside the family: their equal runs have p-values
    of 0, which would make every other setting's discovery cheaper.
    """
    adjusted = np.ones_like(p_values, dtype=np.float64)
    family = p_values[tested]
    adjusted[tested] = benjamini_yekutieli(family.ravel()).reshape(family.shape)
    return adjusted


def _paired(
    rows: pd.DataFrame, claim: ClaimSpec, *, setting: Hashable, seeds: list[int]
) -> PairedRuns:
    try:
        return pair_runs(rows, (claim.treatment, claim.control), seeds=seeds)
    except RunsError as error:
        raise RunsError(f"setting {setting!r}: {error}") from error


def _row(
    setting: Hashable, pairs: PairedRuns, claim: ClaimSpec, *, delay_ends: int | None
) -> dict[str, Any]:
    fit = judge_fit(pairs, LOSSES, margins=claim.margins, alpha=claim.alpha)
    row: dict[str, Any] = {
        "setting": setting,
        "n": len(pairs.seeds),
        "excluded": len({run.seed for run in pairs.excluded}),
        "cut_share": share_of(cut_before(pairs, delay_ends)),
    }
    for compared in (fit.train, fit.test):
        row[f"{compared.metric}_difference"] = compared.difference.mean
        row[f"{compared.metric}_low"] = compared.difference.low
        row[f"{compared.metric}_high"] = compared.difference.high
        row[f"{compared.metric}_call"] = compared.call
    return row | {
        "label": fit.label,
        "p_supported": fit.p_supported,
        "p_refuted": fit.p_refuted,
    }


def _check_settings(runs: pd.DataFrame, delays: Mapping[Hashable, int | None]) -> None:
    present = list(runs["setting"].unique())
    for setting in present:
        if setting not in delays:
            raise RunsError(f"delays: setting {setting!r} has runs but no delay; add its delay")
    for setting in delays:
        if setting not in present:
            raise RunsError(
                f"runs: setting {setting!r} has no runs; train it, or remove it from delays"
            )
