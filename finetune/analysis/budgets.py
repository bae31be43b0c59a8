"""Quality beside compute: what runs would have ended with sooner, and when they reach a target."""

import math
from collections.abc import Sequence
from decimal import ROUND_CEILING, Context
from typing import Any

import numpy as np
import pandas as pd

from finetune.analysis.runs import METRICS, metrics_of
from finetune.analysis.summary import describe
from finetune.policies.base import Monitor
from finetune.spec.study import StudySpec
from finetune.spec.variants import EarlyStoppingSpec

_MOST_BUDGETS = 5
_TARGET_DIGITS = 3
_QUARTERS = {"q25": 0.25, "median": 0.5, "q75": 0.75}


def default_budgets(epochs: int) -> tuple[int, ...]:
    """Give up to 5 budgets that end with a study's own: steps of 1, 2, 5, 10, ... epochs."""
    steps = [step * 10**power for power in range(len(str(epochs))) for step in (1, 2, 5)]
    return (*[step for step in steps if step < epochs][1 - _MOST_BUDGETS :], epochs)


def runs_within(epochs: pd.DataFrame, spec: StudySpec, *, budgets: Sequence[int]) -> pd.DataFrame:
    """Give what each run would have ended with, had it been ended after each budget of epochs.

    No policy looks at the budget: up to an epoch a run is the same under every budget that reaches
    it, so this is what happened, not an estimate. That holds for schedules too, whose length
    stands in the spec; of callbacks of the user's own nothing is known. `epochs` are tidy ones.

    Columns: variant, seed, budget, epochs_run (within the budget), epoch (whose weights the run
    ends with, from 0), and the metrics at it.
    """
    parts = [
        _variant_within(own, variant.early_stopping, budgets=budgets)
        for variant in spec.variants
        if len(own := epochs.loc[epochs["variant"] == variant.name])
    ]
    keys = ["variant", "seed", "budget", "epochs_run", "epoch"]
    ends = pd.concat(parts) if parts else pd.DataFrame(columns=keys, dtype="int64")
    ends = ends.astype({"variant": epochs["variant"].dtype})
    return ends.merge(epochs, on=["variant", "seed", "epoch"], how="left")


def budget_table(epochs: pd.DataFrame, runs: pd.DataFrame, spec: StudySpec) -> pd.DataFrame:
    """Describe what each variant would have ended with within each of `default_budgets`.

    Columns: variant, budget (epochs), metric (test metrics, epochs_run, epochs_saved against the
    budget), and those of `describe`. Runs that failed within the study's budget count in none.
    """
    budgets = default_budgets(spec.training.epochs)
    within = _as_they_ended(runs_within(epochs, spec, budgets=budgets), runs)
    within = within.assign(epochs_saved=within["budget"] - within["epochs_run"])
    measured = [name for name in metrics_of(runs) if name.startswith("test_")]
    columns = [*measured, "epochs_run", "epochs_saved"]
    long = within.melt(["variant", "budget"], columns, var_name="metric")
    kind = pd.CategoricalDtype(columns, ordered=True)
    long = long.astype({"metric": kind, "value": "float64"})
    return describe(long, by=["variant", "budget", "metric"])


def default_target(epochs: pd.DataFrame) -> float:
    """Give a validation loss that at least 3 of 4 runs of every variant reach; NaN without runs.

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


def _as_they_ended(within: pd.DataFrame, runs: pd.DataFrame) -> pd.DataFrame:
    """Take a run's own results where the budget outlasts it.

    They are those already, but for a callback of the user's own that restores weights at the end.
    """
    own = within[["variant", "seed"]].merge(runs, on=["variant", "seed"], how="left")
    whole = (within["budget"] >= own["epochs_run"]).astype(bool)
    return within.assign(**{name: own[name].where(whole, within[name]) for name in METRICS})


def _variant_within(
    own: pd.DataFrame, stopping: EarlyStoppingSpec | None, *, budgets: Sequence[int]
) -> pd.DataFrame:
    epochs_run = own.groupby("seed").size()
    count = epochs_run.to_numpy()[:, None]
    kept = np.minimum(np.arange(count.max()), count - 1)
    if stopping and stopping.restore_best_weights:
        monitored = own.pivot(index="seed", columns="epoch", values=stopping.monitor)
        best = _best_so_far(monitored.to_numpy(float), count[:, 0], stopping)
        # Where early stopping has not begun to watch there is nothing to restore.
        kept = np.where(best >= 0, best, kept)
    parts = [
        {
            **{"variant": own["variant"].iloc[0], "seed": epochs_run.index, "budget": budget},
            "epochs_run": np.minimum(epochs_run, budget),
            "epoch": kept[:, min(budget, kept.shape[1]) - 1],
        }
        for budget in budgets
    ]
    return pd.concat([pd.DataFrame(part) for part in parts], ignore_index=True)


def _best_so_far(
    monitored: np.ndarray, epochs_run: np.ndarray, spec: EarlyStoppingSpec
) -> np.ndarray:
    """Give the epoch that early stopping holds for best after each: (run, epoch); -1 for none.

    Source: `EarlyStoppingMachine`, which makes the same comparisons and loads Keras.
    """
    monitor, best = Monitor([spec] * len(monitored)), np.full(monitored.shape, -1)
    held = np.full(len(monitored), -1)
    for epoch in range(monitored.shape[1]):
        visible = (epoch < epochs_run) & (epoch >= spec.start_from_epoch)
        better = monitor.update(monitor.oriented(monitored[:, epoch]), visible)
        held = np.where(better, epoch, held)
        best[:, epoch] = held
    return best


def _arrivals(first: Any, name: str) -> np.ndarray:
    """Give the epochs that each run of a variant took, (run,); infinite for a miss."""
    own = first[first.index.get_level_values("variant") == name]
    return np.sort(own.to_numpy(dtype=float, na_value=np.inf))


def _after(times: np.ndarray, share: float) -> float | None:
    """Give the time by which a share of the runs had arrived; none where fewer ever did."""
    if not len(times):
        return None
    time = times[math.ceil(share * len(times)) - 1]
    return time if np.isfinite(time) else None
