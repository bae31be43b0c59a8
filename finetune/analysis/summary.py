"""What the runs ended with: a summary of every variant."""

import pandas as pd
from scipy import stats

from finetune.analysis.runs import budgets_of, finished, metrics_of
from finetune.spec.study import StudySpec

CONFIDENCE = 0.95


def describe(values: pd.DataFrame, *, by: list[str]) -> pd.DataFrame:
    """Describe the column `value` of each group: n, mean with t interval, median, quartiles.

    Missing values do not count. The interval `low` to `high` is missing for n < 2, and is the
    mean itself where all values are equal, which is normal here: variants are the same runs
    until a callback acts.
    """
    groups = values.groupby(by, observed=False, sort=True)["value"]
    table = groups.agg(n="count", mean="mean", error="sem", median="median")
    half = table.pop("error") * stats.t.ppf((1 + CONFIDENCE) / 2, table["n"] - 1)
    table.insert(2, "low", table["mean"] - half)
    table.insert(3, "high", table["mean"] + half)
    return table.assign(q25=groups.quantile(0.25), q75=groups.quantile(0.75)).reset_index()


def summary_table(runs: pd.DataFrame, spec: StudySpec) -> pd.DataFrame:
    """Describe each variant's metrics, epochs run and epochs saved against the spec's budget.

    For regression the errors in the target's own unit are among the metrics.

    Columns: variant, metric, n_ok, n_failed, and those of `describe`. Failed runs are counted
    and not averaged.
    """
    ok = finished(runs)
    ok = ok.assign(epochs_saved=budgets_of(ok, spec) - ok["epochs_run"])
    columns = [*metrics_of(runs), "epochs_run", "epochs_saved"]
    table = describe(_long(ok, columns), by=["variant", "metric"])
    counts = runs.groupby("variant", observed=False)["status"].agg(
        n_ok=lambda status: (status == "ok").sum(), n_failed=lambda status: (status != "ok").sum()
    )
    table = table.merge(counts.reset_index(), on="variant")
    front = ["variant", "metric", "n_ok", "n_failed"]
    return table.loc[:, [*front, *table.columns.difference(front, sort=False)]]


def _long(runs: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    """Return a row a (run, column); `metric` is a categorical that keeps the columns' order."""
    long = runs.melt(["variant", "seed"], columns, var_name="metric")
    kind = pd.CategoricalDtype(columns, ordered=True)
    return long.astype({"metric": kind, "value": "float64"})
