"""Runs against a constant prediction."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from finetune.analysis.runs import finished
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


def _comparable(manifest: Manifest | None) -> Baselines | None:
    # A loss with the terms of regularisers is not that of the predictions alone.
    if manifest is None or manifest.network is None or manifest.network.penalised:
        return None
    return manifest.baselines


def _of_seeds(values: Sequence[float], runs: pd.DataFrame) -> np.ndarray:
    """Return the value of each run's seed, (run,); NaN where there is none."""
    if len(values) == 1:
        return np.full(len(runs), values[0])
    return pd.Series(values, dtype=float).reindex(runs["seed"].to_numpy()).to_numpy()
