"""One vector of weights is moved exactly as its variables are."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from finetune.engines.population.joined_weights import JoinedWeights
from finetune.engines.population.stateless_optimizer import StatelessOptimizer

JOINED = {
    "sgd": keras.optimizers.SGD(0.1),
    "nesterov": keras.optimizers.SGD(0.1, momentum=0.9, nesterov=True),
    "adam": keras.optimizers.Adam(0.01, clipvalue=0.3),
    "amsgrad": keras.optimizers.Adam(0.01, amsgrad=True),
    "adamw": keras.optimizers.AdamW(0.01, weight_decay=0.0),
    "adamax": keras.optimizers.Adamax(0.01),
    "nadam": keras.optimizers.Nadam(0.01),
    "rmsprop": keras.optimizers.RMSprop(0.01, centered=True, momentum=0.5),
    "adagrad": keras.optimizers.Adagrad(0.1),
    "adadelta": keras.optimizers.Adadelta(0.5),
    "lion": keras.optimizers.Lion(0.01),
}
SEPARATE = {
    "clipped by the norm of each": keras.optimizers.Adam(clipnorm=1.0),
    "decayed": keras.optimizers.AdamW(weight_decay=0.01),
    "of factors": keras.optimizers.Adafactor(),
    "of layers": keras.optimizers.Lamb(),
    "that moves without a gradient": keras.optimizers.Ftrl(),
}


def variables(**options):
    shapes = [(3, 4), (4,), (4, 1), (1,)]
    return [keras.Variable(np.zeros(shape), dtype="float64", **options) for shape in shapes]


def steps(optimizer, weights, rng):
    """Return the weights after three steps of the optimizer on `JoinedWeights.variables`."""
    own = variables()
    layout = JoinedWeights(own, optimizer) if weights else None
    built = StatelessOptimizer(optimizer, layout.variables if layout else own)
    values = [tf.constant(rng.normal(size=v.shape)) for v in own]
    values = layout.join(values) if layout else values
    slots = built.start()
    for step in range(3):
        gradients = [tf.constant(rng.normal(size=v.shape)) for v in own]
        # What the loss does not depend on has no gradient.
        gradients[1] = None
        values, slots = built.apply(
            layout.join_gradients(gradients) if layout else gradients,
            weights=values,
            slots=[tf.constant(slot) for slot in slots],
            learning_rate=tf.constant(0.1, tf.float64),
            iterations=tf.constant(step, tf.int64),
        )
    return layout.split(values) if layout else values


@pytest.mark.filterwarnings("ignore:Gradients do not exist")
@pytest.mark.parametrize("name", JOINED)
def test_a_vector_is_moved_as_its_variables_are(name):
    optimizer = JOINED[name]
    assert len(JoinedWeights(variables(), optimizer).variables) == 1
    joined, separate = (
        steps(optimizer, together, np.random.default_rng(3)) for together in (True, False)
    )
    for ours, theirs in zip(joined, separate, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-15)


@pytest.mark.parametrize("name", SEPARATE)
def test_optimizers_that_look_at_whole_variables_keep_them_apart(name):
    own = variables()
    assert JoinedWeights(own, SEPARATE[name]).variables == own


def test_constraints_and_large_networks_keep_variables_apart():
    adam = keras.optimizers.Adam()
    bound = variables()
    bound[0].constraint = keras.constraints.NonNeg()
    assert JoinedWeights(bound, adam).variables == bound
    large = [keras.Variable(np.zeros((400, 300))), keras.Variable(np.zeros(300))]
    assert JoinedWeights(large, adam).variables == large


def test_rows_of_tensors_are_joined_and_one_row_is_split():
    own = variables()
    layout = JoinedWeights(own, keras.optimizers.Adam())
    rows = [tf.reshape(tf.range(2.0 * np.prod(v.shape)), [2, *v.shape]) for v in own]
    (joined,) = layout.join(rows)
    assert joined.shape == (2, 21)
    for part, expected in zip(layout.split([joined[1]]), rows, strict=True):
        np.testing.assert_array_equal(part, expected[1])
