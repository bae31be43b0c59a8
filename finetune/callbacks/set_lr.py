"""Setting the learning rate once, as a Keras callback."""

from typing import Any

import keras


class SetLearningRate(keras.callbacks.Callback):
    """Set the optimizer's learning rate for the epochs from `epoch` (counted from 0) on."""

    def __init__(self, epoch: int, learning_rate: float):
        super().__init__()
        self.epoch = epoch
        self.learning_rate = learning_rate

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Set the learning rate at the end of the epoch before `epoch`."""
        model: Any = self.model
        if epoch == self.epoch - 1:
            model.optimizer.learning_rate = self.learning_rate
