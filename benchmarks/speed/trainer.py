"""What every trainer returns, and the losses by which it is checked."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from finetune.engines.base import Task

# What methods that train the same must agree on.
LOSSES = ("loss", "train_loss", "val_loss", "test_loss")


@dataclass(frozen=True)
class Trained:
    """What training a task took.

    Attributes:
        run_epochs: Epochs delivered: those that each run lasts, summed over runs.
        row_epochs: Epochs that rows of weights were trained for, whether a run needed them or not.
        losses: Every one of `LOSSES`, each (run and epoch delivered,): run by run in the order of
            `Task.runs`, epoch by epoch; empty where the training is not the same.
    """

    run_epochs: int
    row_epochs: int
    losses: Mapping[str, np.ndarray] = field(default_factory=dict)


def shortened(task: Task, epochs: int) -> Task:
    """Return the same runs with another number of epochs; what was traced for them still serves."""
    return replace(task, spec=task.spec.with_epochs(epochs))
