"""Learning-rate reduction on plateau, from epoch 0 or from a later one."""

from typing import Any

import keras


@keras.saving.register_keras_serializable(package="finetune")
class DelayedReduceLROnPlateau(keras.callbacks.ReduceLROnPlateau):
    """`keras.callbacks.ReduceLROnPlateau` that watches only from one epoch to another.

    Epochs before `start_from_epoch` set no best value and count for no patience, as with
    `EarlyStopping(start_from_epoch=...)`; nor do those from `until_epoch` on. With 0 and None it
    is `ReduceLROnPlateau`.

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
        """Cut the learning rate as `ReduceLROnPlateau` does, if the epoch is watched."""
        ended = self.until_epoch is not None and epoch >= self.until_epoch
        if epoch >= self.start_from_epoch and not ended:
            super().on_epoch_end(epoch, logs)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make an equal callback."""
        return {
            **self._config,
            "start_from_epoch": self.start_from_epoch,
            "until_epoch": self.until_epoch,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "DelayedReduceLROnPlateau":
        """Make a callback from what `get_config` returned."""
        return cls(**config)
