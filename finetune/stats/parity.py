"""Parity of two engines: how far apart they are on the same runs."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from finetune.errors import StoreError

_LOSSES = ("loss", "train_loss", "val_loss", "test_loss")
_EARLY_EPOCHS = 10


@dataclass(frozen=True)
class RunParity:
    """One run trained by both engines, within the budget that the reference had.

    `epochs` is how many the reference trained, `other_epochs` the other engine.

    `early_difference` and `difference` are the largest absolute differences of any loss, over the
    first 10 epochs and over all that both trained; infinite where a loss is finite in one engine
    alone. In float32 rounding grows from epoch to epoch, so the second says how fast, and the
    first whether the engines do the same.
    """

    variant: str
    seed: int
    epochs: int
    other_epochs: int
    lr_reductions: int
    same_learning_rates: bool
    early_difference: float
    difference: float

    @property
    def same_length(self) -> bool:
        """Whether both engines trained the same number of epochs."""
        return self.epochs == self.other_epochs


@dataclass(frozen=True)
class Parity:
    """The runs that both engines trained."""

    runs: tuple[RunParity, ...]

    @property
    def early_difference(self) -> float:
        """The largest difference of any loss in the first 10 epochs of any run."""
        return max(run.early_difference for run in self.runs)


def compare_engines(epochs: pd.DataFrame, reference: pd.DataFrame, *, budget: int) -> Parity:
    """Compare an engine's epochs with those that the reference engine measured on some runs.

    Args:
        epochs: Columns of `store/epochs`, all runs.
        reference: The same columns for some of these runs.
        budget: Epochs that the reference might train; what the other trained beyond is not read.

    Raises:
        StoreError: A run of the reference is not there.
    """
    groups = dict(iter(epochs.groupby(["variant", "seed"], observed=True)))
    runs = list(reference.groupby(["variant", "seed"], sort=False, observed=True))
    if not runs or any(key not in groups for key, _ in runs):
        raise StoreError("store: a run of the parity certificate is missing; run the study again")
    return Parity(tuple(_compare(run, groups[key], budget=budget) for key, run in runs))


def _compare(run: pd.DataFrame, other: pd.DataFrame, *, budget: int) -> RunParity:
    other = other.loc[other["epoch"] < budget]
    # An inner join: epochs that only one engine trained show in the lengths, not in the losses.
    both: Any = run.merge(other, on="epoch", suffixes=("", "_other"))
    difference = np.max(
        [_difference(both[name], both[f"{name}_other"]) for name in _LOSSES], axis=0
    )
    rate, other_rate = (one.sort_values("epoch")["learning_rate"] for one in (run, other))
    return RunParity(
        variant=str(run["variant"].iloc[0]),
        seed=int(run["seed"].iloc[0]),
        epochs=len(run),
        other_epochs=len(other),
        lr_reductions=int(np.count_nonzero(np.diff(rate) < 0)),
        same_learning_rates=bool(np.array_equal(rate, other_rate)),
        early_difference=float(difference[both["epoch"] < _EARLY_EPOCHS].max(initial=0.0)),
        difference=float(difference.max(initial=0.0)),
    )


def _difference(values: pd.Series, others: pd.Series) -> np.ndarray:
    """Return the absolute difference of two losses, (epoch,): 0 where neither is finite."""
    both = np.stack([values.to_numpy(float), others.to_numpy(float)])
    finite = np.isfinite(both)
    # Infinities have no difference, so 0 stands for them until the last line.
    first, second = np.where(finite, both, 0.0)
    return np.where(finite[0] == finite[1], np.abs(first - second), np.inf)
