"""One vector of weights is moved exactly as its variables are."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from finetune.engines.population.joined_weights import JoinedWeights
from finetune.engines.population.model_trace import trace_gradients
from finetune.engines.population.stateless_optimizer import StatelessOptimizer

JOINED = {
    "sgd": keras.optimizers.SGD(0.1),
    "nesterov": keras.optimizers.SGD(0.1, momentum=0.9, nesterov=True),
    "adam": keras.optimizers.Adam(0.01, clipvalue=0.3),
    "amsgrad": keras.optimizers.Adam(0.01, amsgrad=True),
    "adamax": keras.optimizers.Adamax(0.01),
    "nadam": keras.optimizers.Nadam(0.01),
    "rmsprop": keras.optimizers.RMSprop(0.01, centered=True, momentum=0.5),
    "adagrad": keras.optimizers.Adagrad(0.1),
    "adadelta": keras.optimizers.Adadelta(0.5),
    "lion": keras.optimizers.Lion(0.01),
    "decayed": keras.optimizers.AdamW(0.01, weight_decay=0.01),
    "ftrl": keras.optimizers.Ftrl(0.1, l1_regularization_strength=0.01),
}
SEPARATE = {
    "clipped by the norm of each": keras.optimizers.Adam(clipnorm=1.0),
    "of factors": keras.optimizers.Adafactor(),
    "of layers": keras.optimizers.Lamb(),
}


def variables():
    shapes = [(3, 4), (4,), (4, 1), (1,)]
    return [keras.Variable(np.zeros(shape), dtype="float64") for shape in shapes]


def joined(own, optimizer, gradients=None):
    """Return the weights as they are joined where every variable has a plain gradient."""
    plain = [tf.zeros(v.shape) for v in own] if gradients is None else gradients
    return JoinedWeights(own, optimizer, plain)


def moved(optimizer, rng, *, together):
    """Return the weights after three steps of the optimizer."""
    own = variables()
    layout = joined(own, optimizer, None if together else [None] * len(own))
    assert len(layout.variables) == (1 if together else len(own))
    built = StatelessOptimizer(optimizer, layout.variables)
    values = layout.join([tf.constant(rng.normal(size=v.shape)) for v in own])
    slots = built.start()
    for step in range(3):
        values, slots = built.apply(
            layout.join([tf.constant(rng.normal(size=v.shape)) for v in own]),
            weights=values,
            slots=[tf.constant(slot) for slot in slots],
            learning_rate=tf.constant(0.1, tf.float64),
            iterations=tf.constant(step, tf.int64),
        )
    return layout.split(values)


@pytest.mark.parametrize("name", JOINED)
def test_a_vector_is_moved_as_its_variables_are(name):
    vector, separate = (
        moved(JOINED[name], np.random.default_rng(3), together=together)
        for together in (True, False)
    )
    for ours, theirs in zip(vector, separate, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-15)


@pytest.mark.parametrize("name", SEPARATE)
def test_optimizers_that_look_at_whole_variables_keep_them_apart(name):
    own = variables()
    assert joined(own, SEPARATE[name]).variables == own


def test_constraints_and_large_networks_keep_variables_apart():
    adam = keras.optimizers.Adam()
    bound = variables()
    bound[0].constraint = keras.constraints.NonNeg()
    assert joined(bound, adam).variables == bound
    large = [keras.Variable(np.zeros((400, 300))), keras.Variable(np.zeros(300))]
    assert joined(large, adam).variables == large


def test_rows_of_tensors_are_joined_and_one_row_is_split():
    own = variables()
    layout = joined(own, keras.optimizers.Adam())
    rows = [tf.reshape(tf.range(2.0 * np.prod(v.shape)), [2, *v.shape]) for v in own]
    (vector,) = layout.join(rows)
    assert vector.shape == (2, 21)
    for part, expected in zip(layout.split([vector[1]]), rows, strict=True):
        np.testing.assert_array_equal(part, expected[1])


class Idle(keras.layers.Layer):
    """A layer whose weight nothing depends on."""

    def build(self, input_shape):
        self.unused = self.add_weight(shape=(2,))

    def call(self, x):
        return x


def kinds(*stack, row):
    model = keras.Sequential([keras.Input(row.shape[1:]), *stack])
    return [type(gradient) for gradient in trace_gradients(model, row)]


def test_gradients_of_embeddings_are_slices_and_unused_weights_have_none():
    """Keras squares slices before it adds up those of one id: a vector would not."""
    ids, numbers = np.zeros((1, 3), np.int32), np.zeros((1, 3), np.float32)
    pooled = (keras.layers.Embedding(5, 2), keras.layers.GlobalAveragePooling1D())
    plain = kinds(keras.layers.Dense(2), row=numbers)
    embedded = kinds(*pooled, keras.layers.Dense(1), row=ids)
    assert embedded == [tf.IndexedSlices, *plain]
    assert kinds(Idle(), keras.layers.Dense(2), row=numbers) == [type(None), *plain]
    for found in ([tf.IndexedSlices(ids, ids)], [None]):
        own = variables()
        gradients = [*found, *(tf.zeros(v.shape) for v in own[1:])]
        assert joined(own, keras.optimizers.Adam(), gradients).variables == own
