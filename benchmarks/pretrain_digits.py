"""Make the files of the studies `transfer` and `images`: `python -m benchmarks.pretrain_digits`.

They lie beside the studies, so nothing is trained where a study runs. Made again on the machine
that made them, they are the same to the last byte; elsewhere the weights differ by rounding.
"""

import io
from pathlib import Path
from typing import Any

import keras
import numpy as np
from sklearn.datasets import load_digits

from finetune.cli.terminal import console
from finetune.models.architecture import network_json
from finetune.models.initial_values import SeededModel
from finetune.models.layer_names import names_in_network
from finetune.models.network_file import network_file
from finetune.spec.study_file import shipped_studies
from finetune.store.atomic import write_whole

# Digits below are known to the pretrained network; those from here on are what it is tuned for.
_FIRST_NEW = 5
_HEAD = "head"


def small_cnn(n_classes: int) -> keras.Model:
    """Return a small convolutional network for digits of 8 x 8 pixels from 0 to 16."""
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            layers.Rescaling(1 / 16),
            layers.Conv2D(16, 3, activation="relu", name="conv_a"),
            layers.Conv2D(32, 3, activation="relu", name="conv_b"),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dropout(0.25),
            layers.Dense(32, activation="relu", name="hidden"),
            layers.Dense(n_classes, activation="softmax", name=_HEAD),
        ]
    )


def architecture() -> str:
    """Return the network of `images` as Keras's JSON."""
    model = small_cnn(10)
    return network_json(model, names=names_in_network(model))


def write_files(folder: Path) -> None:
    """Write the network of `images`, and the pretrained network and the rows of `transfer`."""
    images, digits = _digits()
    known = digits < _FIRST_NEW
    trained = _trained(images[known], digits[known])
    write_whole(folder / "digits-cnn.json", architecture().encode())
    write_whole(folder / "digits-0-to-4.keras", network_file(SeededModel(lambda: _reset(trained))))
    rows = io.BytesIO()
    np.savez_compressed(rows, x=images[~known], y=digits[~known])
    write_whole(folder / "digits-5-to-9.npz", rows.getvalue())


def _digits() -> tuple[np.ndarray, np.ndarray]:
    """Return scikit-learn's digits, (row, 8, 8, 1), and what each shows, (row,)."""
    x, y = load_digits(return_X_y=True)
    return x.reshape(-1, 8, 8, 1).astype(np.uint8), np.asarray(y, dtype=np.uint8)


def _trained(images: np.ndarray, digits: np.ndarray) -> keras.Model:
    keras.utils.set_random_seed(0)
    model: Any = small_cnn(_FIRST_NEW)
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    history = model.fit(images, digits, epochs=30, verbose=0).history
    console.print(f"Training accuracy on digits below {_FIRST_NEW}: {history['accuracy'][-1]:.3f}")
    return model


def _reset(trained: keras.Model) -> keras.Model:
    """Return a network with the weights of a trained one, but for its head.

    The head tells other digits apart, so nothing is loaded there.
    """
    model = small_cnn(_FIRST_NEW)
    for ours, theirs in zip(model.layers, trained.layers, strict=True):
        if ours.name != _HEAD:
            ours.set_weights(theirs.get_weights())
    return model


if __name__ == "__main__":
    write_files(shipped_studies())
