"""The policies of whole variants: Keras callbacks for one run, one machine for many runs."""

from collections.abc import Sequence

import keras
import numpy as np

from finetune.policies.base import Logs, Step
from finetune.policies.early_stopping import EarlyStoppingMachine, early_stopping_callback
from finetune.policies.reduce_lr import ReduceLRMachine, reduce_lr_callback
from finetune.spec import VariantSpec


def callbacks(variant: VariantSpec) -> list[keras.callbacks.Callback]:
    """Give fresh Keras callbacks for one run; callbacks carry state and must not be shared."""
    made: list[keras.callbacks.Callback] = []
    if variant.early_stopping:
        made.append(early_stopping_callback(variant.early_stopping))
    if variant.reduce_lr:
        made.append(reduce_lr_callback(variant.reduce_lr))
    return made


class VariantsMachine:
    """All policies of many runs at once; `variants` gives the variant of each run."""

    def __init__(self, variants: Sequence[VariantSpec]):
        self._stopping_runs = _runs_with(variants, "early_stopping")
        self._reducing_runs = _runs_with(variants, "reduce_lr")
        stopping = [v.early_stopping for v in variants if v.early_stopping]
        reducing = [v.reduce_lr for v in variants if v.reduce_lr]
        self._stopping = EarlyStoppingMachine(stopping) if stopping else None
        self._reducing = ReduceLRMachine(reducing) if reducing else None

    def update(
        self, epoch: int, logs: Logs, learning_rate: np.ndarray, *, active: np.ndarray
    ) -> Step:
        """Take in the logs of one epoch (counted from 0) and decide for every `active` run."""
        step = Step(learning_rate.copy(), np.zeros(len(learning_rate), bool))
        for machine, runs in (
            (self._stopping, self._stopping_runs),
            (self._reducing, self._reducing_runs),
        ):
            if machine:
                decided = machine.update(
                    epoch, logs.of(runs), learning_rate[runs], active=active[runs]
                )
                step.learning_rate[runs] = decided.learning_rate
                step.stop[runs] |= decided.stop
        return step

    def final_epoch(self, last_epoch: np.ndarray) -> np.ndarray:
        """Give the epoch whose weights each run ends with, (run,), from its last trained epoch."""
        final = last_epoch.copy()
        if self._stopping:
            runs = self._stopping_runs
            final[runs] = self._stopping.final_epoch(last_epoch[runs])
        return final

    def best_epoch(self, lowest: np.ndarray) -> np.ndarray:
        """Give the epoch that early stopping holds for best, (run,), else that of lowest loss."""
        best = lowest.copy()
        if self._stopping:
            held = self._stopping.best_epoch
            best[self._stopping_runs] = np.where(held >= 0, held, lowest[self._stopping_runs])
        return best


def _runs_with(variants: Sequence[VariantSpec], policy: str) -> np.ndarray:
    return np.flatnonzero([getattr(variant, policy) is not None for variant in variants])
