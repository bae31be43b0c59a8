"""The claim over a grid of settings: a verdict for every setting, false discoveries controlled."""

from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from finetune.claims.fit_outcome import judge_fit
from finetune.claims.tested import LEAST_SHARE, share_of
from finetune.claims.underfits import seeds_that_test
from finetune.spec.claims import UnderfitsSpec
from finetune.spec.study import StudySpec
from finetune.stats.multiple_testing import benjamini_yekutieli
from finetune.stats.pairs import LOSSES, PairedRuns, RunsError, pair_runs


def claim_map(
    runs: pd.DataFrame, claim: UnderfitsSpec, *, spec: StudySpec, settings: Sequence[Hashable]
) -> pd.DataFrame:
    """Judge the claim `underfits` at every setting of a grid.

    Being supported or refuted is a discovery: among all discoveries on the map the false ones are
    expected to be at most a share of alpha.

    Args:
        runs: Runs with a further column `setting`, at each of which the claim's two variants were
            trained on the same seeds.
        claim: The claim.
        spec: The study that makes it.
        settings: All of the grid.

    Returns:
        A row a setting, in their order: `setting, n, excluded, tested_share`; for train and
        test loss `difference, low, high` with the metric before it (intervals at 1 - alpha, each
        for itself) and `call`; `p_supported, p_refuted` and both adjusted; `label` (the outcome in
        the fit table, as the intervals have it) and `verdict`.

    Raises:
        RunsError: a setting is not in the grid or has no runs, or a run is missing or there twice.

    Source: Benjamini and Yekutieli (2001): settings share seeds, trajectories and often a control,
    so their p-values depend on each other in ways nobody knows.
    """
    _check_settings(runs, settings)
    seeds = sorted(runs["seed"].unique())
    by_setting = {setting: rows for setting, rows in runs.groupby("setting", sort=False)}  # noqa: C416
    table = pd.DataFrame(
        [
            _row(
                setting,
                _paired(by_setting[setting], claim, setting=setting, seeds=seeds),
                claim,
                spec=spec,
            )
            for setting in settings
        ]
    )
    tested = (table["tested_share"] >= LEAST_SHARE).to_numpy()
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
    rows: pd.DataFrame, claim: UnderfitsSpec, *, setting: Hashable, seeds: list[int]
) -> PairedRuns:
    try:
        return pair_runs(rows, (claim.treatment, claim.control), seeds=seeds)
    except RunsError as error:
        raise RunsError(f"setting {setting!r}: {error}") from error


def _row(
    setting: Hashable, pairs: PairedRuns, claim: UnderfitsSpec, *, spec: StudySpec
) -> dict[str, Any]:
    fit = judge_fit(pairs, LOSSES, margins=claim.margins, alpha=claim.alpha)
    row: dict[str, Any] = {
        "setting": setting,
        "n": len(pairs.seeds),
        "excluded": len({run.seed for run in pairs.excluded}),
        "tested_share": share_of(seeds_that_test(pairs, spec)),
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


def _check_settings(runs: pd.DataFrame, settings: Sequence[Hashable]) -> None:
    present = list(runs["setting"].unique())
    for setting in present:
        if setting not in settings:
            raise RunsError(f"settings: {setting!r} has runs but is not among them; add it")
    for setting in settings:
        if setting not in present:
            raise RunsError(f"runs: setting {setting!r} has no runs; train it, or leave it out")
