"""The probe: was the learning rate too small to go on? It stands beside the verdict."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from finetune.stats import t_test
from finetune.stats.paired import Difference, describe
from finetune.stats.pairs import RunsError


@dataclass(frozen=True, eq=False)
class Falls:
    """How far the losses fell while a run went on from its final weights: (seed,), before - after.

    Seeds stand in the same order in both arrays, and in both arms of a probe.
    """

    train: np.ndarray
    test: np.ndarray


@dataclass(frozen=True)
class Probe:
    """How much further the losses fell in the arm resumed at the base LR than at the run's last LR.

    `finding` is "starved" where both losses fell further, each shown at alpha (the claim is both,
    so no correction is due), "not starved" where either extra fall is shown to be below 0 at
    alpha / 2, else "undetermined"; `p` belongs to "starved".
    """

    finding: Literal["starved", "not starved", "undetermined"]
    train: Difference
    test: Difference
    p: float
    alpha: float


def probe(treatment: Falls, control: Falls, *, alpha: float) -> Probe:
    """Compare the falls of the two arms, paired by seed.

    Raises:
        RunsError: the arms do not have the same number of seeds, or a fall is not finite.
    """
    _check_falls(treatment, control)
    # What any further epochs would bring is in both falls; the base LR's share is what is left.
    extra = {
        "train_loss_fall": treatment.train - control.train,
        "test_loss_fall": treatment.test - control.test,
    }
    train, test = (describe(values, name, alpha=alpha) for name, values in extra.items())
    finding = "undetermined"
    if min(train.lower, test.lower) > 0:
        finding = "starved"
    elif min(train.high, test.high) < 0:
        finding = "not starved"
    p_values = [
        t_test.p_value(t_test.Sample.of(values), alternative="larger") for values in extra.values()
    ]
    return Probe(finding=finding, train=train, test=test, p=float(max(p_values)), alpha=alpha)


def falls(epochs: pd.DataFrame, arms: tuple[str, str], *, begin: int) -> tuple[Falls, Falls]:
    """Compute how far train and test loss fell in both arms from the end of epoch `begin` on.

    Args:
        epochs: Columns of `store/epochs`, both arms as variants.
        arms: Names of the treatment resumed at the base LR, and of it going on at its last LR.
        begin: The last epoch before they part, counted from 0.

    A seed in which a loss of either arm is not finite is excluded from both.
    """
    columns = ["train_loss", "test_loss"]
    # The arms share their weights at `begin`, so only the two ends matter.
    last = epochs["epoch"].max()
    ends = epochs[epochs["epoch"].isin([begin, last])]
    table: Any = ends.set_index(["seed", "variant", "epoch"])[columns].unstack(["variant", "epoch"])
    table = table[np.isfinite(table).all(axis=1)]
    loss = dict(zip(table.columns, table.to_numpy().T, strict=True))
    treatment, control = (
        Falls(*(loss[name, arm, begin] - loss[name, arm, last] for name in columns)) for arm in arms
    )
    return treatment, control


def _check_falls(treatment: Falls, control: Falls) -> None:
    arrays = (treatment.train, treatment.test, control.train, control.test)
    if len({len(array) for array in arrays}) > 1:
        raise RunsError(
            f"probe: received falls of {', '.join(str(len(array)) for array in arrays)} seeds; "
            "allowed is the same seeds in both arms and losses"
        )
    if not all(np.isfinite(array).all() for array in arrays):
        raise RunsError("probe: a fall is missing or not finite; exclude that seed from all four")
