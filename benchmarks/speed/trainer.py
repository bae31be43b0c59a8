"""What every contestant is asked to do, and what it says it did."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from finetune.engines.base import Task
from finetune.spec import EarlyStoppingSpec, VariantSpec

# What contestants that train the same must agree on.
LOSSES = ("loss", "train_loss", "val_loss", "test_loss")


@dataclass(frozen=True)
class Trained:
    """What training a task took.

    Attributes:
        run_epochs: Epochs delivered: those that each run lasts, summed over runs.
        row_epochs: Epochs that rows of weights were trained for, wanted or not.
        losses: Every one of `LOSSES`, each (run and epoch delivered,): run by run in the order of
            `Task.runs`, epoch by epoch; empty where the training is not the same.
    """

    run_epochs: int
    row_epochs: int
    losses: Mapping[str, np.ndarray] = field(default_factory=dict)


class Trainer(Protocol):
    """Trains tasks in one process; made there, with that process's threads."""

    def prepare(self, task: Task) -> None:
        """Trace and compile all that `train` will need for tasks of this many runs."""
        ...

    def train(self, task: Task) -> Trained:
        """Train every run of the task."""
        ...


def ending(variant: VariantSpec, epochs: int) -> VariantSpec:
    """Give a variant whose runs end after so many epochs (2 or more), whatever they measure.

    Unlike `shortened` it leaves the problem as it is, and so what was traced for it.
    """
    stop = EarlyStoppingSpec(
        min_delta=1e30, restore_best_weights=False, start_from_epoch=epochs - 2
    )
    return variant.model_copy(update={"early_stopping": stop})


def shortened(task: Task, epochs: int) -> Task:
    """Give the same runs with another number of epochs."""
    training = task.spec.training.model_copy(update={"epochs": epochs})
    spec = task.spec.model_copy(update={"training": training})
    return Task(spec, task.variants, task.seeds, task.engine, task.replicate)
