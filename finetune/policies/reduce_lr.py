"""Learning-rate reduction on plateau, from epoch 0 or from a later one."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from finetune.policies.base import MODES, Logs, Monitor, Step, column
from finetune.policy_spec import ReduceLRSpec


@keras.saving.register_keras_serializable(package="finetune")
class DelayedReduceLROnPlateau(keras.callbacks.ReduceLROnPlateau):
    """`keras.callbacks.ReduceLROnPlateau` that watches only from one epoch to another.

    Epochs before `start_from_epoch` are invisible to it: they set no best value and count for no
    patience, as with `EarlyStopping(start_from_epoch=...)`. So are those from `until_epoch` on.
    With 0 and None it is `ReduceLROnPlateau`.

    Args:
        start_from_epoch: First epoch to watch, counted from 0.
        until_epoch: First epoch not to watch any more, counted from 0; None for never.
        monitor, factor, patience, verbose, mode, min_delta, cooldown, min_lr: As for
            `keras.callbacks.ReduceLROnPlateau`.

    Raises:
        ValueError: `start_from_epoch` is negative, `factor` is not below 1, or `mode` is unknown.
        TypeError: An argument is unknown (Keras's own class swallows it).
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        factor: float = 0.1,
        patience: int = 10,
        verbose: int = 0,
        mode: str = "auto",
        min_delta: float = 1e-4,
        cooldown: int = 0,
        min_lr: float = 0.0,
        start_from_epoch: int = 0,
        until_epoch: int | None = None,
    ):
        if start_from_epoch < 0:
            raise ValueError(
                f"start_from_epoch: received {start_from_epoch}; allowed is 0 or more epochs"
            )
        if mode not in ("auto", "min", "max"):
            raise ValueError(f"mode: received {mode!r}; allowed is 'auto', 'min' or 'max'")
        self._config = {
            "monitor": monitor,
            "factor": factor,
            "patience": patience,
            "verbose": verbose,
            "mode": mode,
            "min_delta": min_delta,
            "cooldown": cooldown,
            "min_lr": min_lr,
        }
        super().__init__(**self._config)
        self.start_from_epoch = start_from_epoch
        self.until_epoch = until_epoch

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Watch the epoch, if it is one of those to be watched."""
        ended = self.until_epoch is not None and epoch >= self.until_epoch
        if epoch >= self.start_from_epoch and not ended:
            super().on_epoch_end(epoch, logs)

    def get_config(self) -> dict[str, Any]:
        """Give the arguments that make an equal callback."""
        return {
            **self._config,
            "start_from_epoch": self.start_from_epoch,
            "until_epoch": self.until_epoch,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "DelayedReduceLROnPlateau":
        """Make a callback from what `get_config` gave."""
        return cls(**config)


def reduce_lr_callback(spec: ReduceLRSpec) -> DelayedReduceLROnPlateau:
    """Give a fresh Keras callback."""
    return DelayedReduceLROnPlateau(**spec.model_dump(), mode=MODES[spec.monitor])


class ReduceLRMachine:
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
    ) -> Step:
        """Decide every run's learning rate after this epoch (counted from 0)."""
        visible = active & (self._start <= epoch) & (epoch < self._end)
        cooling = visible & (self._cooling > 0)
        self._cooling = self._cooling - cooling
        self._wait = np.where(cooling, 0, self._wait)
        better = self._monitor.update(self._monitor.values(logs), visible)
        waits = visible & ~better & (self._cooling == 0)
        self._wait = np.where(better, 0, self._wait + waits)
        # Keras compares in float32, whatever the dtype, and waits afresh only after a cut.
        can_fall = learning_rate.astype(np.float32) > self._min_lr.astype(np.float32)
        cut = waits & (self._wait >= self._patience) & can_fall
        self._wait = np.where(cut, 0, self._wait)
        self._cooling = np.where(cut, self._cooldown, self._cooling)
        lower = np.maximum(learning_rate * self._factor, self._min_lr)
        return Step(np.where(cut, lower, learning_rate), np.zeros(len(cut), bool))
