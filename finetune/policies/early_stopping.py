"""Early stopping: stop when the monitored quantity no longer improves; keep the best weights."""

from collections.abc import Sequence

import numpy as np

from finetune.policies.base import Action, Logs, Monitor, Policy, column
from finetune.spec.variants import EarlyStoppingSpec


class EarlyStoppingPolicy(Policy):
    """`keras.callbacks.EarlyStopping` for many runs at once.

    It changes no weight before it stops: a run that restores its best weights ends with what was
    measured at `best_epoch`.

    Source: keras/src/callbacks/early_stopping.py, Keras 3.15.
    """

    def __init__(self, specs: Sequence[EarlyStoppingSpec]):
        self._monitor = Monitor(specs)
        self._patience = column(specs, "patience")
        self._start = column(specs, "start_from_epoch")
        self._restores = column(specs, "restore_best_weights")
        baselines = [np.inf if spec.baseline is None else spec.baseline for spec in specs]
        self._has_baseline = np.isfinite(baselines)
        self._baseline = self._monitor.oriented(np.array(baselines, float))
        self._wait = np.zeros(len(specs), int)
        self._best_epoch = np.full(len(specs), -1)

    def update(
        self, epoch: int, logs: Logs, learning_rate: np.ndarray, *, active: np.ndarray
    ) -> Action:
        """Decide which runs stop after this epoch (counted from 0)."""
        values = self._monitor.values(logs)
        watched = active & (epoch >= self._start)
        better = self._monitor.update(values, watched)
        self._best_epoch = np.where(better, epoch, self._best_epoch)
        beats_baseline = ~self._has_baseline | self._monitor.improves_on(self._baseline, values)
        # An improvement short of the baseline sets the best value, but the wait goes on.
        self._wait = np.where(better & beats_baseline, 0, self._wait + watched)
        # Keras never stops after the first epoch, whatever the patience.
        stop = watched & ~better & (self._wait >= self._patience) & (epoch > 0)
        return Action(learning_rate, stop)

    def final_epoch(self, last_epoch: np.ndarray) -> np.ndarray:
        """Return the epoch whose weights each run ends with, (run,); the last if none is best."""
        return np.where(self._restores & (self._best_epoch >= 0), self._best_epoch, last_epoch)

    def best_epoch(self, otherwise: np.ndarray) -> np.ndarray:
        """Return the epoch with the best monitored value so far, (run,)."""
        return np.where(self._best_epoch >= 0, self._best_epoch, otherwise)
