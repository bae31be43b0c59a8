"""Delays from which a reduction of the LR can still cut it."""

import keras

from finetune.callbacks.reduce_lr import DelayedReduceLROnPlateau
from finetune.planning.reduction import last_delay


def test_the_last_delay_is_the_last_from_which_keras_cuts():
    epochs, patience = 9, 2
    latest = last_delay(epochs, [patience, 4])

    def rates(delay: int) -> list[float]:
        model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
        model.compile(keras.optimizers.SGD(0.5), "mse")
        callback = DelayedReduceLROnPlateau(patience=patience, start_from_epoch=delay)
        callback.set_model(model)
        callback.on_train_begin()
        used = []
        for epoch in range(epochs):
            used.append(float(model.optimizer.learning_rate))
            callback.on_epoch_end(epoch, {"val_loss": 1.0})
        return used

    assert len(set(rates(latest))) == 2
    assert len(set(rates(latest + 1))) == 1
