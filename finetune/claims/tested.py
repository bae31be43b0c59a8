"""In which seeds two variants' runs test a claim at all: equal runs refute nothing."""

import numpy as np
import pandas as pd

from finetune.spec.study import StudySpec
from finetune.spec.variants import VariantSpec
from finetune.stats.pairs import PairedRuns

# Of the paired seeds, the share that must test a claim.
LEAST_SHARE = 0.8

# What of a run is no outcome of it.
_KEYS = ("variant", "seed", "recipe", "status")

_LR_POLICIES = ("reduce_lr", "set_lr")


def parted(pairs: PairedRuns) -> np.ndarray:
    """Return in which pairs the two runs differ in any number that was measured: (pair,) of bool.

    Runs on one trajectory to one end have all numbers equal, to the last digit.
    """
    first, second = (pairs.runs[name].reset_index(drop=True) for name in pairs.variants[:2])
    columns = [name for name in first.columns if name not in _KEYS]
    same = first[columns].eq(second[columns]) | (first[columns].isna() & second[columns].isna())
    return np.asarray(~same.fillna(False).to_numpy(bool).all(axis=1))


def changed_first(pairs: PairedRuns, treatment: VariantSpec, control: VariantSpec) -> np.ndarray:
    """Return in which pairs the treatment changed its LR before the control did: (pair,) of bool.

    Neither has a schedule, which sets the LR of every epoch.
    """
    epochs = [
        _first_change(pairs.runs[name], variant)
        for name, variant in zip(pairs.variants[:2], (treatment, control), strict=True)
    ]
    return np.less(*epochs)


def differ_in_lr_policies_alone(spec: StudySpec, treatment: str, control: str) -> bool:
    """Return whether two variants are alike but for what changes the LR during training."""
    bare = [
        spec.variant(name).model_copy(update={"name": "", **dict.fromkeys(_LR_POLICIES)})
        for name in (treatment, control)
    ]
    # A schedule that both have is the same, and decides the LR of each.
    return bare[0] == bare[1] and not bare[0].schedule


def share_of(seeds: np.ndarray) -> float:
    """Return the share of the pairs that test the claim; 0 without any pair."""
    return float(seeds.mean()) if seeds.size else 0.0


def _first_change(runs: pd.DataFrame, variant: VariantSpec) -> np.ndarray:
    """Return after which epoch, counted from 0, each run's LR first changed; infinity for never."""
    first = runs["first_reduction_epoch"].to_numpy(np.float64, na_value=np.inf)
    return np.minimum(first, variant.set_lr.epoch - 1) if variant.set_lr else first
