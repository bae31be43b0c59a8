"""What happened during training: every metric over the epochs, averaged over seeds."""

import pandas as pd

from finetune.analysis.runs import finished, metrics_of
from finetune.analysis.summary import describe


def curve_table(epochs: pd.DataFrame, runs: pd.DataFrame) -> pd.DataFrame:
    """Describe each metric at each epoch, over all runs of a variant that are ok.

    A run that stopped goes on counting with the value of its last epoch. The mean over those
    still training would be the mean of other runs at every epoch, and so would move though no
    run does. `n_training` counts those still training.

    Columns: variant, metric (the learning rate too), epoch (from 0), n_training, and those of
    `describe`.
    """
    metrics = [*metrics_of(runs), "learning_rate"]
    long = _carried_forward(epochs, runs, metrics).melt(
        ["variant", "epoch"], metrics, var_name="metric"
    )
    long["metric"] = long["metric"].astype(pd.CategoricalDtype(metrics, ordered=True))
    table = describe(long, by=["variant", "metric", "epoch"])
    stages = epochs.groupby(["variant", "epoch"], observed=True)
    training = stages.agg(n_training=("seed", "size"))
    table = table.merge(training.reset_index(), on=["variant", "epoch"], how="left")
    table.insert(3, "n_training", table.pop("n_training").fillna(0).astype("int64"))
    return table


def mostly_trained(curves: pd.DataFrame) -> pd.DataFrame:
    """Keep the epochs in which at least half of a variant's runs were still training."""
    return curves.loc[(curves["n"] > 0) & (2 * curves["n_training"] >= curves["n"])]


def _carried_forward(epochs: pd.DataFrame, runs: pd.DataFrame, metrics: list[str]) -> pd.DataFrame:
    """Return a row for every epoch of the longest run, for every run: (variant, seed, epoch)."""
    keys = finished(runs).loc[:, ["variant", "seed"]]
    grid = keys.merge(pd.Series(sorted(set(epochs["epoch"])), name="epoch"), how="cross")
    full = grid.merge(epochs, on=["variant", "seed", "epoch"], how="left")
    carried = full.groupby(["variant", "seed"], observed=True)[metrics].ffill()
    return full.loc[:, ["variant", "epoch"]].join(carried.astype("float64"))
