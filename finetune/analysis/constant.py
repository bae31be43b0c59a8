"""Runs against a constant prediction, and their errors in the target's own unit."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from finetune.analysis.runs import LOSSES, finished
from finetune.data.summary import Baselines, Constant
from finetune.store.manifest import Manifest


@dataclass(frozen=True)
class NoBetter:
    """Variants whose mean test loss is no lower than that of a constant prediction.

    Attributes:
        constant: What is predicted for every row.
        loss: Its mean test loss over the seeds.
        variants: Name and mean test loss of each such variant.
    """

    constant: Constant
    loss: float
    variants: tuple[tuple[str, float], ...]


def no_better(runs: pd.DataFrame, manifest: Manifest | None) -> NoBetter | None:
    """Compare each variant with the constant prediction on the test rows of the same seeds.

    None where every variant is better, or the constant's loss is not known. `runs` are tidy ones.
    """
    baselines = _comparable(manifest)
    if not (baselines and baselines.constant):
        return None
    ok = finished(runs)
    paired = ok.assign(constant=_of_seeds(baselines.test_loss, ok)).dropna(subset=["constant"])
    means: Any = paired.groupby("variant", observed=True)[["test_loss", "constant"]].mean()
    worse = means.loc[means["test_loss"] >= means["constant"]]
    if worse.empty:
        return None
    variants = tuple((str(name), float(loss)) for name, loss in worse["test_loss"].items())
    return NoBetter(baselines.constant, float(worse["constant"].mean()), variants)


def with_rmse(runs: pd.DataFrame, manifest: Manifest | None) -> pd.DataFrame:
    """Return runs with `<split>_rmse`: root mean squared errors in the target's own unit.

    They follow from the mean squared error; without one, or for classes, `runs` stay as they are.
    """
    baselines = _comparable(manifest)
    if not (baselines and baselines.constant == "mean" and _is_regression(manifest)):
        return runs
    scale = _of_seeds(baselines.target_scale, runs)
    columns = {
        name.replace("_loss", "_rmse"): np.sqrt(runs[name].to_numpy(dtype=float)) * scale
        for name in LOSSES
    }
    return runs.assign(**columns)


def _comparable(manifest: Manifest | None) -> Baselines | None:
    # A loss with the terms of regularisers is not that of the predictions alone.
    if manifest is None or manifest.network is None or manifest.network.penalised:
        return None
    return manifest.baselines


def _is_regression(manifest: Manifest | None) -> bool:
    return bool(manifest and manifest.data and manifest.data.task == "regression")


def _of_seeds(values: Sequence[float], runs: pd.DataFrame) -> np.ndarray:
    """Return the value of each run's seed, (run,); NaN where there is none."""
    if len(values) == 1:
        return np.full(len(runs), values[0])
    return pd.Series(values, dtype=float).reindex(runs["seed"].to_numpy()).to_numpy()
