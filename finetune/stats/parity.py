"""Parity of two engines: how far apart they are on the same runs."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from finetune.errors import StoreError

_LOSSES = ("loss", "train_loss", "val_loss", "test_loss")
_EARLY_EPOCHS = 10


@dataclass(frozen=True)
class RunParity:
    """One run trained by both engines, over the epochs that the reference trained.

    `early_difference` and `difference` are the largest absolute differences of any loss, over the
    first 10 epochs and over all. In float32 rounding grows from epoch to epoch, so the second
    says how fast, and the first whether the engines do the same.
    """

    variant: str
    seed: int
    epochs: int
    lr_reductions: int
    same_learning_rates: bool
    early_difference: float
    difference: float


@dataclass(frozen=True)
class Parity:
    """The runs that both engines trained."""

    runs: tuple[RunParity, ...]

    @property
    def early_difference(self) -> float:
        """The largest difference of any loss in the first 10 epochs of any run."""
        return max(run.early_difference for run in self.runs)


def compare_engines(epochs: pd.DataFrame, reference: pd.DataFrame) -> Parity:
    """Compare an engine's epochs with those that the reference engine measured on some runs.

    Args:
        epochs: Columns of `store/epochs`, all runs.
        reference: The same columns for some of these runs, maybe over fewer epochs.

    Raises:
        StoreError: A run of the reference is not there.
    """
    both = reference.merge(epochs, on=["variant", "seed", "epoch"], suffixes=("", "_other"))
    if both.empty:
        raise StoreError("store: no run of the parity certificate is stored; run the study again")
    return Parity(tuple(_compare(run) for _, run in both.groupby(["variant", "seed"], sort=False)))


def _compare(run: pd.DataFrame) -> RunParity:
    apart = pd.concat([(run[n] - run[f"{n}_other"]).abs() for n in _LOSSES], axis=1).max(axis=1)
    rate = run["learning_rate"].to_numpy(float)
    return RunParity(
        variant=str(run["variant"].iloc[0]),
        seed=int(run["seed"].iloc[0]),
        epochs=len(run),
        lr_reductions=int(np.count_nonzero(np.diff(rate) < 0)),
        same_learning_rates=bool((rate == run["learning_rate_other"].to_numpy(float)).all()),
        early_difference=float(apart[run["epoch"] < _EARLY_EPOCHS].max()),
        difference=float(apart.max()),
    )
