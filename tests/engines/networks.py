"""Networks that a user might bring: `module:function(input_shape, n_outputs)`, one a layer kind."""

import keras
import numpy as np
import tensorflow as tf
from keras import layers


class NaNAtRest(layers.Layer):
    """Give NaN where it is evaluated after some numbers of training steps, else its inputs."""

    def __init__(self, steps):
        super().__init__()
        self._steps = [float(step) for step in steps]

    def build(self, input_shape):
        self.count = self.add_weight(shape=(), initializer="zeros", trainable=False)

    def call(self, inputs, training=False):
        if training:
            self.count.assign_add(1.0)
            return inputs
        hidden = keras.ops.any(keras.ops.equal(self.count, keras.ops.stack(self._steps)))
        return keras.ops.where(hidden, float("nan"), inputs)


class Halved(keras.Model):
    """Apply half of every gradient."""

    def train_step(self, data):
        x, y = data
        with tf.GradientTape() as tape:
            predicted = self(x, training=True)
            loss = self.compute_loss(x=x, y=y, y_pred=predicted)
        gradients = tape.gradient(loss, self.trainable_variables)
        half = [gradient / 2 for gradient in gradients]
        self.optimizer.apply_gradients(zip(half, self.trainable_variables, strict=True))
        self._loss_tracker.update_state(loss, sample_weight=tf.shape(x)[0])
        return self.compute_metrics(x, y, predicted)


class Unnamed(keras.Model):
    """Give the logs of an epoch names of its own."""

    def test_step(self, data):
        super().test_step(data)
        return {"own": 1.0}


class Subclassed(keras.Model):
    """Layers that have no `output`, with an unbuilt stack among them; `call` asks for nothing."""

    def __init__(self, n_outputs):
        super().__init__()
        self.stack = keras.Sequential([layers.Dense(8, activation="relu"), layers.Dropout(0.2)])
        self.last = _output(n_outputs)

    def call(self, inputs):
        return self.last(self.stack(inputs))


def _functional(kind, input_shape, n_outputs):
    inputs = keras.Input(input_shape)
    return kind(inputs, _output(n_outputs)(layers.Dense(8, activation="relu")(inputs)))


def halved(input_shape, n_outputs):
    return _functional(Halved, input_shape, n_outputs)


def unnamed(input_shape, n_outputs):
    return _functional(Unnamed, input_shape, n_outputs)


def subclassed(input_shape, n_outputs):
    return Subclassed(n_outputs)


def unbuilt(input_shape, n_outputs):
    return keras.Sequential([layers.Dense(8, activation="relu"), _output(n_outputs)])


def compiled(input_shape, n_outputs):
    model = _functional(keras.Model, input_shape, n_outputs)
    model.compile("sgd", "mse")
    return model


def nan_first(input_shape, n_outputs):
    """Measure NaN after the first two epochs, of three steps each."""
    return _at_rest(NaNAtRest([3, 6]), input_shape, n_outputs)


def nan_later(input_shape, n_outputs):
    """Measure NaN after the third, fifth and sixth epoch."""
    return _at_rest(NaNAtRest([9, 15, 18]), input_shape, n_outputs)


def _at_rest(layer, input_shape, n_outputs):
    return keras.Sequential(
        [keras.Input(input_shape), layers.Dense(8, activation="relu"), layer, _output(n_outputs)]
    )


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


def image(input_shape, n_outputs):
    return keras.Sequential(
        [
            keras.Input(input_shape),
            layers.Reshape((2, input_shape[0] // 2, 1)),
            layers.Conv2D(2, 2, name="picture"),
            layers.Flatten(),
            _output(n_outputs),
        ]
    )


def volume(input_shape, n_outputs):
    """Use a layer that is computed row by row."""
    return keras.Sequential(
        [
            keras.Input(input_shape),
            layers.Reshape((input_shape[0] // 2, 2, 1, 1)),
            layers.Conv3D(2, (2, 2, 1), name="volume"),
            layers.Flatten(),
            _output(n_outputs),
        ]
    )


def noise(input_shape, n_outputs):
    return keras.Sequential(
        [
            keras.Input(input_shape),
            layers.GaussianNoise(0.3),
            layers.Dense(8, activation="relu"),
            layers.GaussianDropout(0.2),
            layers.AlphaDropout(0.1),
            _output(n_outputs),
        ]
    )


def masked(input_shape, n_outputs):
    """Make ids of the features, of which 0 is no step, for two layers over time."""
    inputs = keras.Input(input_shape)
    levels = keras.ops.cast(keras.ops.clip(inputs * 2 + 3, 0, 7), "int32")
    hidden = layers.Embedding(8, 3, mask_zero=True)(levels)
    hidden = layers.GRU(4, return_sequences=True)(hidden)
    return keras.Model(inputs, _output(n_outputs)(layers.LSTM(3)(hidden)))


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


def loaded(input_shape, n_outputs):
    """Load weights into all layers but the last, as of a network trained on other data."""
    base = keras.Sequential(
        [keras.Input(input_shape), layers.Dense(8, "relu"), layers.BatchNormalization()],
        name="base",
    )
    rng = np.random.default_rng(7)
    base.set_weights([rng.uniform(0.1, 0.6, weight.shape) for weight in base.get_weights()])
    return keras.Sequential([keras.Input(input_shape), base, _output(n_outputs)])


def frozen_base(input_shape, n_outputs):
    model = loaded(input_shape, n_outputs)
    model.get_layer("base").trainable = False
    return model


def frozen_features(input_shape, n_outputs):
    """Freeze what was loaded into a base for images; a head with dropout trains on it."""
    base = keras.Sequential(
        [
            keras.Input(input_shape),
            layers.Conv2D(5, 2, activation="relu"),
            layers.BatchNormalization(),
        ],
        name="base",
    )
    rng = np.random.default_rng(8)
    base.set_weights([rng.uniform(0.1, 0.6, weight.shape) for weight in base.get_weights()])
    base.trainable = False
    inputs = keras.Input(input_shape)
    pooled = layers.GlobalAveragePooling2D()(base(inputs))
    hidden = layers.Dropout(0.3)(layers.Dense(6, "relu")(pooled))
    return keras.Model(inputs, _output(n_outputs)(layers.Concatenate()([hidden, pooled])))


def adapted(input_shape, n_outputs):
    """Adapt a layer to data, which has no weights to train."""
    scaling = layers.Normalization()
    scaling.adapt(np.random.default_rng(3).normal(5, 2, (50, *input_shape)))
    return keras.Sequential([keras.Input(input_shape), scaling, _output(n_outputs)])


def pictures(input_shape, n_outputs):
    return keras.Sequential(
        [
            keras.Input(input_shape),
            layers.Conv2D(3, 2, activation="relu"),
            layers.Flatten(),
            _output(n_outputs),
        ]
    )


def tokens(input_shape, n_outputs):
    return keras.Sequential(
        [
            keras.Input(input_shape),
            layers.Embedding(20, 4),
            layers.GlobalAveragePooling1D(),
            _output(n_outputs),
        ]
    )


def picture_and_numbers(shapes, n_outputs):
    """Take an image and a table, in another order than the data have them, and join both."""
    numbers = keras.Input(shapes["numbers"], name="numbers")
    picture = keras.Input(shapes["picture"], name="picture")
    seen = layers.Flatten()(layers.Conv2D(3, 2, activation="relu")(picture))
    hidden = layers.Dropout(0.2)(layers.Dense(4, "relu")(numbers))
    return keras.Model([picture, numbers], _output(n_outputs)(layers.Concatenate()([seen, hidden])))


def frozen_picture_and_numbers(shapes, n_outputs):
    """Freeze what was loaded into the layer for images; the rest trains."""
    model = picture_and_numbers(shapes, n_outputs)
    layer = next(one for one in model.layers if isinstance(one, layers.Conv2D))
    rng = np.random.default_rng(8)
    layer.set_weights([rng.uniform(0.1, 0.6, weight.shape) for weight in layer.get_weights()])
    layer.trainable = False
    return model


def words_and_numbers(shapes, n_outputs):
    """Take a dictionary of ids, numbers, and whole numbers that are quantities."""
    inputs = {name: keras.Input(shape, name=name) for name, shape in shapes.items()}
    read = layers.GlobalAveragePooling1D()(layers.Embedding(20, 4)(inputs["words"]))
    hidden = layers.Dense(4, "relu")(
        layers.Concatenate()([inputs["numbers"], inputs["counts"], read])
    )
    return keras.Model(inputs, _output(n_outputs)(hidden))


class OfDictionary(keras.Model):
    """Take a dictionary in `call`."""

    def __init__(self, n_outputs):
        super().__init__()
        self.seen = keras.Sequential([layers.Conv2D(3, 2, activation="relu"), layers.Flatten()])
        self.hidden = layers.Dense(4, activation="relu")
        self.last = _output(n_outputs)

    def call(self, inputs):
        hidden = self.hidden(inputs["numbers"])
        return self.last(keras.ops.concatenate([self.seen(inputs["picture"]), hidden], axis=-1))


def of_dictionary(shapes, n_outputs):
    return OfDictionary(n_outputs)
