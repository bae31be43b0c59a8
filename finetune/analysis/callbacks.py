"""What the callbacks did in the runs, and which variants they left the same."""

from itertools import combinations

import numpy as np
import pandas as pd

from finetune.analysis.runs import RUN_NUMBERS, budgets_of, finished
from finetune.spec.study import StudySpec

_SPREAD = ("median", "min", "max")


def firing_table(runs: pd.DataFrame, spec: StudySpec) -> pd.DataFrame:
    """Count, per variant, the runs that cut the learning rate and those that stopped early.

    Columns: variant, n_ok, n_failed, n_cut and share_cut, n_stopped and share_stopped, and for
    first_cut_epoch, cuts, final_lr and stop_epoch a `_median`, `_min` and `_max`. Epochs count
    from 0. first_cut_epoch is over the runs that cut, stop_epoch (the last epoch trained) over
    those that stopped, the rest over all runs that are ok.
    """
    ok = finished(runs)
    stopped = ok.loc[ok["epochs_run"] < budgets_of(ok, spec)]
    table = pd.DataFrame(
        {
            "n_ok": _count(ok),
            "n_failed": _count(runs) - _count(ok),
            "n_cut": _count(ok.loc[ok["lr_reductions"] > 0]),
            "n_stopped": _count(stopped),
        }
    )
    table.insert(3, "share_cut", table["n_cut"] / table["n_ok"])
    table["share_stopped"] = table["n_stopped"] / table["n_ok"]
    spreads = [
        _spread(ok, "first_reduction_epoch", name="first_cut_epoch"),
        _spread(ok, "lr_reductions", name="cuts"),
        _spread(ok, "final_lr", name="final_lr"),
        _spread(stopped.assign(last=stopped["epochs_run"] - 1), "last", name="stop_epoch"),
    ]
    return table.join(spreads).reset_index()


def identity_table(runs: pd.DataFrame) -> pd.DataFrame:
    """Count, for each two variants, the seeds at which all numbers of their runs are equal.

    Equal is exactly equal: losses, accuracies, epochs, reductions and the final learning rate.
    Columns: variant, other, n_pairs (both runs ok), n_identical; and over the identical runs
    max_cuts and max_epochs_run, missing where there are none.
    """
    names = list(runs["variant"].cat.categories)
    # Tidy runs are the full (variant, seed) grid in order, so they reshape to it.
    numbers = runs.loc[:, list(RUN_NUMBERS)].to_numpy(dtype=float, na_value=np.nan)
    values = numbers.reshape(len(names), -1, len(RUN_NUMBERS))
    ok = np.reshape(runs["status"] == "ok", values.shape[:2])
    rows = []
    for first, second in combinations(range(len(names)), 2):
        both = ok[first] & ok[second]
        same = both & _all_equal(values[first], values[second])
        reached = {
            f"max_{name}": values[first][same, RUN_NUMBERS.index(column)].max(initial=-1)
            for name, column in (("cuts", "lr_reductions"), ("epochs_run", "epochs_run"))
        }
        rows.append((names[first], names[second], both.sum(), same.sum(), *reached.values()))
    columns = ["variant", "other", "n_pairs", "n_identical", "max_cuts", "max_epochs_run"]
    table = pd.DataFrame(rows, columns=columns)
    found = table["n_identical"] > 0
    return table.assign(
        **{name: table[name].where(found).astype("Int64") for name in columns[-2:]},
    )


def mostly_identical(identical: pd.DataFrame) -> pd.DataFrame:
    """Keep the pairs of variants whose runs are identical at more than half of the seeds."""
    return identical.loc[2 * identical["n_identical"] > identical["n_pairs"]]


def _all_equal(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Compare rows exactly; a missing number equals a missing number: (seed, column) -> (seed,)."""
    return ((first == second) | (np.isnan(first) & np.isnan(second))).all(axis=1)


def _count(runs: pd.DataFrame) -> pd.Series:
    return runs["variant"].value_counts(sort=False)


def _spread(runs: pd.DataFrame, column: str, *, name: str) -> pd.DataFrame:
    columns = {f"{name}_{statistic}": (column, statistic) for statistic in _SPREAD}
    return runs.groupby("variant", observed=False).agg(**columns).astype(float)
