"""Setting the learning rate once: the probe raises it so after training."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from finetune.policies.base import Logs, Step, column
from finetune.policy_spec import SetLRSpec


class SetLearningRate(keras.callbacks.Callback):
    """Set the optimizer's learning rate for the epochs from `epoch` (counted from 0) on."""

    def __init__(self, epoch: int, learning_rate: float):
        super().__init__()
        self.epoch = epoch
        self.learning_rate = learning_rate

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Set it at the end of the epoch before."""
        model: Any = self.model
        if epoch == self.epoch - 1:
            model.optimizer.learning_rate = self.learning_rate


class SetLRMachine:
    """`SetLearningRate` for many runs at once."""

    def __init__(self, specs: Sequence[SetLRSpec]):
        self._epoch = column(specs, "epoch")
        self._learning_rate = column(specs, "learning_rate")

    def update(
        self, epoch: int, logs: Logs, learning_rate: np.ndarray, *, active: np.ndarray
    ) -> Step:
        """Give every run's learning rate after this epoch (counted from 0)."""
        now = active & (epoch == self._epoch - 1)
        return Step(np.where(now, self._learning_rate, learning_rate), np.zeros(len(now), bool))
