"""Networks that are timed, `function(input_shape, n_outputs)`, and rows of the sizes people bring.

What synthetic rows hold changes no time.
"""

import keras
import numpy as np
from keras import layers


def images(n_rows: int = 320):
    """Make images of 32x32x3, (row, ...), and their classes of two, (row,)."""
    return _labelled((n_rows, 32, 32, 3))


def sequences(n_rows: int = 1000):
    """Make sequences of 50 steps of 4 numbers, and their classes of two."""
    return _labelled((n_rows, 50, 4))


def token_ids(n_rows: int = 1000):
    """Make texts of 50 ids below 2,000, higher ones in one class, and their classes of two."""
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, n_rows)
    shift = (rng.random((n_rows, 50)) < 0.3) * 100 * y[:, None]
    return rng.integers(1, 1900, (n_rows, 50)) + shift, y


def _labelled(size: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, size[0])
    x = rng.normal(size=size) + 0.3 * y.reshape(-1, *[1] * (len(size) - 1))
    return x.astype(np.float32), y


def small_cnn(input_shape, n_outputs):
    """Build two convolutions for small images."""
    return keras.Sequential(
        [
            keras.Input(input_shape),
            layers.Conv2D(16, 3, activation="relu"),
            layers.Conv2D(32, 3, activation="relu"),
            layers.Flatten(),
            layers.Dropout(0.3),
            layers.Dense(32, activation="relu"),
            _output(n_outputs),
        ]
    )


def cnn(input_shape, n_outputs):
    """Build three convolutions with pooling."""
    return keras.Sequential(
        [
            keras.Input(input_shape),
            layers.Conv2D(32, 3, activation="relu", padding="same"),
            layers.MaxPooling2D(),
            layers.Conv2D(64, 3, activation="relu", padding="same"),
            layers.MaxPooling2D(),
            layers.Conv2D(64, 3, activation="relu", padding="same"),
            layers.GlobalAveragePooling2D(),
            _output(n_outputs),
        ]
    )


def lstm(input_shape, n_outputs):
    """Build one recurrent layer of 32 units."""
    return keras.Sequential([keras.Input(input_shape), layers.LSTM(32), _output(n_outputs)])


def embedding(input_shape, n_outputs):
    """Build a bag of embedded ids with a hidden layer."""
    return keras.Sequential(
        [
            keras.Input(input_shape),
            layers.Embedding(2000, 16),
            layers.GlobalAveragePooling1D(),
            layers.Dense(16, activation="relu"),
            _output(n_outputs),
        ]
    )


def frozen_base(input_shape, n_outputs):
    """Build two wide layers of given weights that do not train, and a head that does."""
    base = keras.Sequential(
        [keras.Input(input_shape), layers.Dense(256, "relu"), layers.Dense(128, "relu")],
        name="base",
    )
    rng = np.random.default_rng(0)
    base.set_weights([rng.normal(size=w.shape) / np.sqrt(len(w)) for w in base.get_weights()])
    base.trainable = False
    return keras.Sequential(
        [keras.Input(input_shape), base, layers.Dense(16, "relu"), _output(n_outputs)]
    )


def _output(n_outputs: int):
    return layers.Dense(n_outputs, activation="sigmoid" if n_outputs == 1 else "softmax")
