"""Learning-rate reduction on plateau, from epoch 0 or from a later one."""

from collections.abc import Sequence

import numpy as np

from finetune.policies.base import Action, Logs, Monitor, Policy, column
from finetune.spec.variants import ReduceLRSpec


class ReduceLRPolicy(Policy):
    """`DelayedReduceLROnPlateau` for many runs at once.

    Source: keras/src/callbacks/reduce_lr_on_plateau.py, Keras 3.15.
    """

    def __init__(self, specs: Sequence[ReduceLRSpec]):
        self._monitor = Monitor(specs)
        self._factor = column(specs, "factor")
        self._patience = column(specs, "patience")
        self._cooldown = column(specs, "cooldown")
        self._min_lr = column(specs, "min_lr")
        self._start = column(specs, "start_from_epoch")
        self._end = np.array([np.inf if s.until_epoch is None else s.until_epoch for s in specs])
        self._wait = np.zeros(len(specs), int)
        self._cooling = np.zeros(len(specs), int)

    def update(
        self, epoch: int, logs: Logs, learning_rate: np.ndarray, *, active: np.ndarray
    ) -> Action:
        """Decide every run's learning rate after this epoch (counted from 0)."""
        watched = active & (self._start <= epoch) & (epoch < self._end)
        cooling = watched & (self._cooling > 0)
        self._cooling = self._cooling - cooling
        self._wait = np.where(cooling, 0, self._wait)
        better = self._monitor.update(self._monitor.values(logs), watched)
        waits = watched & ~better & (self._cooling == 0)
        self._wait = np.where(better, 0, self._wait + waits)
        # Keras compares in float32, whatever the dtype, and waits afresh only after a cut.
        can_fall = learning_rate.astype(np.float32) > self._min_lr.astype(np.float32)
        cut = waits & (self._wait >= self._patience) & can_fall
        self._wait = np.where(cut, 0, self._wait)
        self._cooling = np.where(cut, self._cooldown, self._cooling)
        lower = np.maximum(learning_rate * self._factor, self._min_lr)
        return Action(np.where(cut, lower, learning_rate), np.zeros(len(cut), bool))
