"""The claim over a grid of settings: a verdict in every cell, false discoveries controlled."""

from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from statsmodels.stats.multitest import multipletests

from finetune.claims.underfits import CUT_SHARE, FitOutcome, judge_fit
from finetune.claims.verdict import cut_before
from finetune.spec.claims import ClaimSpec
from finetune.stats.pairs import LOSSES, PairedRuns, RunsError, pair_runs


def claim_map(
    runs: pd.DataFrame, claim: ClaimSpec, *, delays: Mapping[Hashable, int | None]
) -> pd.DataFrame:
    """Judge the claim in every cell of a grid.

    `runs` are runs with a further column `cell`, in each of which the claim's two variants were
    trained; `delays` gives every cell's first epoch at which the control may cut (None: never).
    All cells must have the same seeds.

    A row a cell, in the order of `delays`: `cell, n, excluded, cut_share`; for train and test loss
    `difference, low, high` with the metric before it (t intervals at 1 - alpha, each for itself)
    and `call`; `p_supported, p_refuted` and both adjusted; `label` (the cell of the fit table, as
    the intervals have it) and `verdict`. Being supported or refuted is a discovery: among all
    discoveries on the map the false ones are expected to be at most a share of alpha.

    The correction is Benjamini and Yekutieli's: cells share seeds, trajectories and often a
    control, so their p-values depend on each other in ways nobody knows, and Benjamini and
    Hochberg's would need that dependence to be positive. Cells that are not tested stand outside
    the correction: their equal runs give p-values of 0, which would make every other cell's
    discovery cheaper.

    Raises:
        RunsError: a cell of the grid has no delay or no runs, or a run is missing or there twice.

    Source: Benjamini and Yekutieli (2001); statsmodels 0.15, `multipletests`.
    """
    _check_cells(runs, delays)
    seeds = sorted(runs["seed"].unique())
    grouped = {cell: rows for cell, rows in runs.groupby("cell", sort=False)}  # noqa: C416
    rows = []
    for cell, delay_ends in delays.items():
        paired = _blocks(grouped[cell], claim, cell=cell, seeds=seeds)
        judged = judge_fit(paired, LOSSES, margins=claim.margins, alpha=claim.alpha)
        rows.append(_row(cell, paired, judged, cut=cut_before(paired, delay_ends)))
    table = pd.DataFrame(rows)
    tested = (table["cut_share"] >= CUT_SHARE).to_numpy()
    adjusted = false_discovery(table[["p_supported", "p_refuted"]].to_numpy(), tested=tested)
    table["p_supported_adjusted"], table["p_refuted_adjusted"] = adjusted.T
    table["verdict"] = np.select(
        [~tested, adjusted[:, 0] <= claim.alpha, adjusted[:, 1] <= claim.alpha],
        ["not tested", "supported", "refuted"],
        default="inconclusive",
    )
    return table


def false_discovery(p_values: np.ndarray, *, tested: np.ndarray) -> np.ndarray:
    """Adjust the p-values (cell, decision) of the tested cells as one family; others become 1."""
    adjusted = np.ones_like(p_values, dtype=np.float64)
    if tested.any():
        family = p_values[tested]
        flat = np.asarray(multipletests(family.ravel(), method="fdr_by")[1])
        adjusted[tested] = flat.reshape(family.shape)
    return adjusted


def _blocks(
    rows: pd.DataFrame, claim: ClaimSpec, *, cell: Hashable, seeds: list[int]
) -> PairedRuns:
    try:
        return pair_runs(rows, (claim.treatment, claim.control), seeds=seeds)
    except RunsError as error:
        raise RunsError(f"cell {cell!r}: {error}") from error


def _row(
    cell: Hashable, paired: PairedRuns, judged: FitOutcome, *, cut: np.ndarray
) -> dict[str, Any]:
    row: dict[str, Any] = {
        "cell": cell,
        "n": len(paired.seeds),
        "excluded": len({run.seed for run in paired.excluded}),
        "cut_share": float(cut.mean()) if cut.size else 0.0,
    }
    for side in (judged.train, judged.test):
        row[f"{side.metric}_difference"] = side.difference.mean
        row[f"{side.metric}_low"] = side.difference.low
        row[f"{side.metric}_high"] = side.difference.high
        row[f"{side.metric}_call"] = side.call
    return row | {
        "label": judged.label,
        "p_supported": judged.p_supported,
        "p_refuted": judged.p_refuted,
    }


def _check_cells(runs: pd.DataFrame, delays: Mapping[Hashable, int | None]) -> None:
    present = list(runs["cell"].unique())
    for cell in present:
        if cell not in delays:
            raise RunsError(f"delays: cell {cell!r} has runs but no delay; give it one")
    for cell in delays:
        if cell not in present:
            raise RunsError(f"runs: cell {cell!r} has no runs; train it, or leave it out of delays")
