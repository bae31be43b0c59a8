"""Setting the learning rate once: the probe raises it after training."""

from collections.abc import Sequence

import numpy as np

from finetune.policies.base import Action, Logs, Policy, column
from finetune.spec.variants import SetLRSpec


class SetLRPolicy(Policy):
    """`SetLearningRate` for many runs at once."""

    def __init__(self, specs: Sequence[SetLRSpec]):
        self._epoch = column(specs, "epoch")
        self._learning_rate = column(specs, "learning_rate")

    def update(
        self, epoch: int, logs: Logs, learning_rate: np.ndarray, *, active: np.ndarray
    ) -> Action:
        """Decide every run's learning rate after this epoch (counted from 0)."""
        now = active & (epoch == self._epoch - 1)
        return Action(np.where(now, self._learning_rate, learning_rate), np.zeros(len(now), bool))
