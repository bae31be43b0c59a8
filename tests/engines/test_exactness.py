"""What of a network keeps it from the population engine, and what does not."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from finetune.engines.population import PopulationEngine
from finetune.engines.population.exactness import own_training, why_no_pure_function
from finetune.engines.population.model_trace import trace_model
from finetune.errors import NeedsFitError
from finetune.models.initial_values import SeededModel
from tests.engines import networks
from tests.small_studies import small_study, task

FEATURES = 8
OUTSIDE = keras.Variable(0.0)


class AddedLoss(layers.Layer):
    def call(self, inputs):
        self.add_loss(keras.ops.mean(inputs))
        return inputs


class TensorFlowState(layers.Layer):
    def build(self, input_shape):
        self.count = tf.Variable(0.0)

    def call(self, inputs):
        self.count.assign_add(1.0)
        return inputs + self.count


class ForeignState(layers.Layer):
    def call(self, inputs):
        OUTSIDE.assign_add(1.0)
        return inputs


class UnseededNoise(layers.Layer):
    def call(self, inputs):
        return inputs + tf.random.normal(tf.shape(inputs))


class PythonCode(layers.Layer):
    def call(self, inputs):
        outputs = tf.numpy_function(lambda values: values, [inputs], inputs.dtype)
        return tf.ensure_shape(outputs, inputs.shape)


class AlwaysDropout(layers.Dropout):
    def call(self, inputs, training=False):
        return super().call(inputs, training=True)


class OwnMetrics(keras.Model):
    @property
    def metrics(self):
        return super().metrics


class CountedCalls(keras.Model):
    """Keeps a metric of its own, which nothing but the logs read."""

    def __init__(self):
        super().__init__()
        self.calls = keras.metrics.Sum()
        self.last = layers.Dense(1)

    def call(self, inputs):
        self.calls.update_state(1.0)
        return self.last(inputs)


def stack(*inner):
    return lambda: keras.Sequential([keras.Input((FEATURES,)), *inner, layers.Dense(1)])


def functional(kind):
    inputs = keras.Input((FEATURES,))
    return lambda: kind(inputs, layers.Dense(1)(inputs))


def with_own_step():
    model = stack()()
    model.train_step = lambda data: {}
    return model


def sequence(layer):
    return stack(layers.Reshape((4, 2)), layer)


REFUSED = {
    "train_step": (functional(networks.Halved), "Halved.train_step is the network's own"),
    "test_step": (functional(networks.Unnamed), "Unnamed.test_step is"),
    "metrics": (functional(OwnMetrics), "OwnMetrics.metrics is"),
    "assigned train_step": (with_own_step, "Sequential.train_step is"),
    "added loss": (stack(AddedLoss()), "the layer AddedLoss adds a loss"),
    "loss of a whole batch": (
        stack(layers.Dense(3, activity_regularizer="orthogonal_regularizer")),
        "the layer Dense adds a loss",
    ),
    "weights set": (
        stack(layers.SpectralNormalization(layers.Dense(3))),
        "the weights of the layer Dense are set",
    ),
    "TensorFlow's state": (stack(TensorFlowState()), "TensorFlowState computes with Assign"),
    "state elsewhere": (stack(ForeignState()), "variables that are not among its own"),
    "unseeded": (stack(UnseededNoise(name="hiss")), "the layer 'hiss' (UnseededNoise) computes"),
    "Python": (stack(PythonCode()), "the layer PythonCode computes with PyFunc"),
    "noise at rest": (stack(AlwaysDropout(0.5)), "the layer AlwaysDropout changes its state"),
    "recurrent dropout": (sequence(layers.LSTM(2, dropout=0.5)), "the layer LSTM changes its"),
}
TAKEN = {
    "dense": stack(layers.Dense(3)),
    "noise": stack(layers.Dropout(0.5), layers.GaussianNoise(0.1)),
    "augmentation": stack(layers.Reshape((2, 4, 1)), layers.RandomFlip(), layers.Flatten()),
    "moving statistics": stack(layers.BatchNormalization()),
    "given statistics": stack(layers.Normalization(mean=1.0, variance=2.0)),
    "recurrent": sequence(layers.Bidirectional(layers.GRU(2))),
    "convolution": sequence(layers.Conv1D(2, 2)),
    "masked": stack(layers.Embedding(8, 3, mask_zero=True), layers.LSTM(2)),
    "penalties": stack(
        layers.Dense(3, kernel_regularizer="l2", activity_regularizer="l1"),
        layers.ActivityRegularization(l2=0.1),
    ),
    "subclassed": lambda: networks.Subclassed(1),
    "own metric": CountedCalls,
}


def why_only_fit(make):
    def built():
        model = make()
        if not model.built:
            model(keras.KerasTensor((None, FEATURES)))
        return model

    model = SeededModel(built).model
    rows = np.zeros((1, FEATURES), "float32")
    traces = (trace_model(model, rows, training=training) for training in (True, False))
    return own_training(model) or why_no_pure_function(model, *traces)


@pytest.mark.parametrize("name", REFUSED)
def test_what_rows_cannot_reproduce_is_found_and_named(name):
    make, reason = REFUSED[name]
    assert reason in (why_only_fit(make) or "")


@pytest.mark.parametrize("name", TAKEN)
def test_what_rows_reproduce_stays(name):
    assert why_only_fit(TAKEN[name]) is None


def test_a_compiled_network_trains_as_any():
    assert own_training(networks.compiled((FEATURES,), 1)) is None


def test_the_engine_refuses_such_a_network_before_it_trains():
    spec = small_study("model.factory=tests.engines.networks:halved")
    with pytest.raises(NeedsFitError, match=r"^Halved\.train_step is the network's own$"):
        PopulationEngine().train(task(spec))
