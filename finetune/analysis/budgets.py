"""Quality beside compute: what runs would have ended with sooner, and when they reach a target."""

import math
from collections.abc import Sequence
from decimal import ROUND_CEILING, Context
from typing import Any

import numpy as np
import pandas as pd

from finetune.analysis.runs import METRICS, metrics_of
from finetune.analysis.summary import describe
from finetune.policies.early_stopping import EarlyStoppingPolicy
from finetune.spec.metrics import further_columns
from finetune.spec.study import StudySpec
from finetune.spec.variants import EarlyStoppingSpec

_MOST_BUDGETS = 5
_TARGET_DIGITS = 3
_QUARTERS = {"q25": 0.25, "median": 0.5, "q75": 0.75}


def default_budgets(epochs: int) -> tuple[int, ...]:
    """Return up to 5 budgets that end with a study's own: steps of 1, 2, 5, 10, ... epochs."""
    steps = [step * 10**power for power in range(len(str(epochs))) for step in (1, 2, 5)]
    return (*[step for step in steps if step < epochs][1 - _MOST_BUDGETS :], epochs)


def runs_within(epochs: pd.DataFrame, spec: StudySpec, *, budgets: Sequence[int]) -> pd.DataFrame:
    """Return what each run would have ended with, had it been ended after each budget of epochs.

    No policy looks at the budget: up to an epoch a run is the same under every budget that reaches
    it, so this is what happened, not an estimate. That holds for schedules too, whose length
    stands in the spec; of the user's callbacks nothing is known. `epochs` are tidy ones.

    Columns: variant, seed, budget, epochs_run (within the budget), epoch (whose weights the run
    ends with, from 0), and the metrics at it.
    """
    found = [
        _variant_within(trained, variant.early_stopping, budgets=budgets)
        for variant in spec.variants
        if len(trained := epochs.loc[epochs["variant"] == variant.name])
    ]
    keys = ["variant", "seed", "budget", "epochs_run", "epoch"]
    ends = pd.concat(found) if found else pd.DataFrame(columns=keys, dtype="int64")
    ends = ends.astype({"variant": epochs["variant"].dtype})
    return ends.merge(epochs, on=["variant", "seed", "epoch"], how="left")


def budget_table(epochs: pd.DataFrame, runs: pd.DataFrame, spec: StudySpec) -> pd.DataFrame:
    """Describe what each variant would have ended with within each of `default_budgets`.

    Columns: variant, budget (epochs), metric (test metrics, epochs_run, epochs_saved against the
    budget), and those of `describe`. Runs that failed within the study's budget count in none.
    """
    budgets = default_budgets(max(spec.epochs_of(one.name) for one in spec.variants))
    within = _as_they_ended(runs_within(epochs, spec, budgets=budgets), runs)
    within = within.assign(epochs_saved=within["budget"] - within["epochs_run"])
    measured = [name for name in metrics_of(runs) if name.startswith("test_")]
    columns = [*measured, "epochs_run", "epochs_saved"]
    long = within.melt(["variant", "budget"], columns, var_name="metric")
    kind = pd.CategoricalDtype(columns, ordered=True)
    long = long.astype({"metric": kind, "value": "float64"})
    return describe(long, by=["variant", "budget", "metric"])


def default_target(epochs: pd.DataFrame) -> float:
    """Return a validation loss that at least 3 of 4 runs of every variant reach; NaN without runs.

    Of each variant the upper quartile of its runs' lowest validation losses; the highest of these,
    rounded up to 3 significant digits.
    """
    lowest: Any = epochs.groupby(["variant", "seed"], observed=True)["val_loss"].min()
    quartiles = lowest.groupby("variant", observed=True).quantile(0.75, interpolation="higher")
    # In decimal digits, so that what has no more of them stays as it is, and nothing gets lower.
    rounding = Context(prec=_TARGET_DIGITS, rounding=ROUND_CEILING)
    return float(rounding.create_decimal(repr(float(quartiles.max()))))


def time_table(epochs: pd.DataFrame, *, target: float | None = None) -> pd.DataFrame:
    """Count the epochs until a run's validation loss is first at or below the target.

    A run that ends before it gets there is a miss: it counts as later than all others. A quartile
    is the number of epochs after which that share of the runs had arrived, and is missing where
    fewer ever did.

    Columns: variant, target, n (runs), misses, q25, median, q75 (epochs, from 1).
    """
    target = default_target(epochs) if target is None else target
    reached = epochs["val_loss"] <= target
    # A run without such an epoch has none that is not masked, and its first is missing.
    arrived = (epochs["epoch"] + 1).astype("Float64").where(reached)
    first: Any = arrived.groupby([epochs["variant"], epochs["seed"]], observed=True).min()
    names = list(epochs["variant"].cat.categories)
    by_name = {name: _arrivals(first, name) for name in names}
    table = pd.DataFrame(
        {"variant": pd.Categorical(names, categories=names, ordered=True), "target": target}
    )
    table["n"] = [len(times) for times in by_name.values()]
    table["misses"] = [int(np.isinf(times).sum()) for times in by_name.values()]
    for column, share in _QUARTERS.items():
        table[column] = pd.array([_after(t, share) for t in by_name.values()], dtype="Int64")
    return table


def loss_by_budget(budgets: pd.DataFrame) -> pd.DataFrame:
    """Return test loss within each budget beside the epochs that were run for it.

    Columns: variant, budget, n, mean, low, high (test loss), lowest (whether the mean is the
    lowest of its budget), epochs_run (their mean).
    """
    keys = ["variant", "budget"]
    losses = budgets.loc[budgets["metric"] == "test_loss", [*keys, "n", "mean", "low", "high"]]
    lowest = losses.groupby("budget")["mean"].transform("min")
    spent = budgets.loc[budgets["metric"] == "epochs_run", [*keys, "mean"]]
    spent = spent.rename(columns={"mean": "epochs_run"})
    return losses.assign(lowest=losses["mean"] == lowest).merge(spent, on=keys)


def cost_table(budgets: pd.DataFrame, times: pd.DataFrame) -> pd.DataFrame:
    """Add to `time_table` what the study's own budget costs.

    Columns: those of `time_table`, budget (the largest), epochs_run (mean) and share_saved.
    """
    budget = budgets["budget"].max()
    means = budgets.loc[budgets["budget"] == budget].pivot(
        index="variant", columns="metric", values="mean"
    )
    spent = means.loc[list(times["variant"])]
    return times.assign(
        budget=budget,
        epochs_run=spent["epochs_run"].to_numpy(),
        share_saved=spent["epochs_saved"].to_numpy() / budget,
    )


def _as_they_ended(within: pd.DataFrame, runs: pd.DataFrame) -> pd.DataFrame:
    """Use what a run ended with where the budget outlasts it.

    They are the same already, but for a user's callback that restores weights at the end.
    """
    ended = within[["variant", "seed"]].merge(runs, on=["variant", "seed"], how="left")
    whole = (within["budget"] >= ended["epochs_run"]).astype(bool)
    # A regression has the columns of accuracies too, without a number in them.
    names = [*METRICS, *further_columns(runs)]
    return within.assign(**{name: ended[name].where(whole, within[name]) for name in names})


def _variant_within(
    trained: pd.DataFrame, stopping: EarlyStoppingSpec | None, *, budgets: Sequence[int]
) -> pd.DataFrame:
    epochs_run = trained.groupby("seed").size()
    count = epochs_run.to_numpy()[:, None]
    last = np.minimum(np.arange(count.max()), count - 1)
    kept = _kept_by(stopping, trained, last) if stopping else last
    ends = [
        {
            "variant": trained["variant"].iloc[0],
            "seed": epochs_run.index,
            "budget": budget,
            "epochs_run": np.minimum(epochs_run, budget),
            "epoch": kept[:, min(budget, kept.shape[1]) - 1],
        }
        for budget in budgets
    ]
    return pd.concat(map(pd.DataFrame, ends), ignore_index=True)


def _kept_by(spec: EarlyStoppingSpec, epochs: pd.DataFrame, last: np.ndarray) -> np.ndarray:
    """Play early stopping over the epochs of one variant's runs.

    `last` is the last epoch of each run within each budget, (run, budget - 1). Returns, of the
    same shape, the epoch whose weights the run would end with.
    """
    curves: Any = epochs.pivot(index="seed", columns="epoch", values=[spec.monitor])
    policy, kept = EarlyStoppingPolicy([spec] * len(last)), last.copy()
    for epoch in range(last.shape[1]):
        logs = {spec.monitor: curves[spec.monitor][epoch].to_numpy(float)}
        # Early stopping leaves the learning rate as it is, so that any will do.
        policy.update(epoch, logs, np.zeros(len(last)), active=last[:, epoch] == epoch)
        kept[:, epoch] = policy.final_epoch(last[:, epoch])
    return kept


def _arrivals(first: Any, name: str) -> np.ndarray:
    """Return the epochs that each run of a variant took, (run,); infinite for a miss."""
    times = first[first.index.get_level_values("variant") == name]
    return np.sort(times.to_numpy(dtype=float, na_value=np.inf))


def _after(times: np.ndarray, share: float) -> float | None:
    """Return the time by which a share of the runs had arrived; none where fewer ever did."""
    if not len(times):
        return None
    time = times[math.ceil(share * len(times)) - 1]
    return time if np.isfinite(time) else None
