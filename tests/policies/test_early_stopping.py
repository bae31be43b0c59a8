"""Early stopping: what the spec makes of Keras's callback."""

import keras
import pytest

from finetune.callbacks.variants import early_stopping_callback
from finetune.spec.variants import EarlyStoppingSpec


def test_the_defaults_are_those_of_keras_but_for_the_restored_weights():
    made, plain = early_stopping_callback(EarlyStoppingSpec()), keras.callbacks.EarlyStopping()
    for name in EarlyStoppingSpec.model_fields:
        expected = True if name == "restore_best_weights" else getattr(plain, name)
        assert getattr(made, name) == expected


@pytest.mark.parametrize(
    ("monitor", "mode"),
    [
        ("val_loss", "min"),
        ("loss", "min"),
        ("val_accuracy", "max"),
        ("val_f1", "max"),
        ("val_mae", "min"),
    ],
)
def test_every_argument_reaches_the_callback(monitor, mode):
    arguments = {
        "monitor": monitor, "min_delta": 0.1, "patience": 4, "baseline": 0.3,
        "restore_best_weights": False, "start_from_epoch": 2,
    }  # fmt: skip
    assert arguments.keys() == EarlyStoppingSpec.model_fields.keys()
    callback = early_stopping_callback(EarlyStoppingSpec(**arguments))
    assert {name: getattr(callback, name) for name in arguments} == arguments
    assert callback.mode == mode
