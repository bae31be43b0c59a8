"""Networks that a user might bring: `module:function(input_shape, n_outputs)`, one a layer kind."""

import keras
from keras import layers


def _output(n_outputs):
    return layers.Dense(n_outputs, activation="sigmoid" if n_outputs == 1 else "softmax")


def dropout(input_shape, n_outputs):
    return keras.Sequential(
        [
            keras.Input(input_shape),
            layers.Dense(8, activation="relu"),
            layers.Dropout(0.3),
            layers.Dense(8, activation="relu"),
            layers.Dropout(0.2),
            _output(n_outputs),
        ]
    )


def batch_normalization(input_shape, n_outputs):
    return keras.Sequential(
        [
            keras.Input(input_shape),
            layers.Dense(8),
            layers.BatchNormalization(),
            layers.Activation("relu"),
            layers.LayerNormalization(),
            _output(n_outputs),
        ]
    )


def lstm(input_shape, n_outputs):
    steps = input_shape[0] // 2
    return keras.Sequential(
        [keras.Input(input_shape), layers.Reshape((steps, 2)), layers.LSTM(4), _output(n_outputs)]
    )


def convolution(input_shape, n_outputs):
    return keras.Sequential(
        [
            keras.Input(input_shape),
            layers.Reshape((*input_shape, 1)),
            layers.Conv1D(3, 3, activation="relu"),
            layers.Flatten(),
            _output(n_outputs),
        ]
    )


def embedding(input_shape, n_outputs):
    inputs = keras.Input(input_shape)
    levels = keras.ops.cast(keras.ops.clip(inputs * 2 + 4, 0, 7), "int32")
    hidden = layers.Flatten()(layers.Embedding(8, 3)(levels))
    return keras.Model(inputs, _output(n_outputs)(hidden))


def flexible(input_shape, n_outputs):
    """Say nothing of the number of features, as a network for any data does."""
    inputs = keras.Input((None,))
    return keras.Model(inputs, _output(n_outputs)(layers.Reshape(input_shape)(inputs)))


def penalised(input_shape, n_outputs):
    return keras.Sequential(
        [
            keras.Input(input_shape),
            layers.Dense(
                8,
                activation="tanh",
                kernel_regularizer="l2",
                kernel_constraint=keras.constraints.MaxNorm(1.5),
            ),
            _output(n_outputs),
        ]
    )
