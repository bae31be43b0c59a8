"""Where a network is parted: behind what no step changes, and before all that trains."""

import keras
import numpy as np
import pytest
from keras import layers

from finetune.models.frozen_beginning import PartedNetwork, part_frozen_beginning

ROWS = np.random.default_rng(0).normal(size=(7, 6)).astype("float32")


def dense(units=5, *, trains=False, **options) -> layers.Layer:
    return layers.Dense(units, trainable=trains, **options)


def stack(*those: layers.Layer) -> keras.Model:
    return keras.Sequential([keras.Input((6,)), *those])


def joined(inner: keras.Model) -> keras.Model:
    inputs = keras.Input((6,))
    return keras.Model(inputs, dense(1, trains=True)(inner(inputs)))


def parted(model: keras.Model, *, most_values=1000) -> PartedNetwork | None:
    """Part a network, of which everything that does not train is held."""
    held = {id(variable) for variable in model.non_trainable_variables}
    return part_frozen_beginning(model, held, most_values=most_values)


def residual(*, trains: bool) -> keras.Model:
    """Add what a layer gives to what it takes; another comes before both."""
    inputs = keras.Input((6,))
    first = dense()(inputs)
    added = layers.Add()([first, dense(trains=trains)(first)])
    return keras.Model(inputs, dense(1, trains=True)(added))


def by_functions() -> keras.Model:
    inputs = keras.Input((6,))
    return keras.Model(inputs, dense(1, trains=True)(keras.ops.tanh(dense()(inputs)) * 2))


PARTED = {
    "stack": (lambda: stack(dense(), dense(4), dense(1, trains=True)), ["dense", "dense_1"], (4,)),
    "no weights behind": (
        lambda: stack(dense(4), layers.Reshape((2, 2)), layers.Flatten(), dense(1, trains=True)),
        ["dense"],
        (4,),
    ),
    "one trains": (lambda: stack(dense(), dense(4, trains=True), dense(1)), ["dense"], (5,)),
    "residual": (lambda: residual(trains=False), ["dense", "dense_1"], (5,)),
    "residual, trains": (lambda: residual(trains=True), ["dense"], (5,)),
    "functions": (by_functions, ["dense"], (5,)),
    "network": (lambda: joined(stack(dense(), dense(3))), ["sequential"], (3,)),
}


@pytest.mark.parametrize("case", PARTED)
def test_both_parts_together_are_the_network(case):
    build, names, shape = PARTED[case]
    model = build()
    found = parted(model)
    assert found is not None
    assert found.layers == tuple(names)
    given = found.beginning(ROWS)
    assert given.shape[1:] == shape
    np.testing.assert_allclose(found.rest(given), model(ROWS), rtol=1e-6)
    assert {id(v) for v in found.rest.variables} < {id(v) for v in model.variables}
    assert len(found.rest.trainable_variables) == len(model.trainable_variables)


class Own(layers.Layer):
    def call(self, inputs):
        return inputs


def two_inputs() -> keras.Model:
    inputs = [keras.Input((6,)), keras.Input((6,))]
    return keras.Model(
        inputs, dense(1, trains=True)(layers.Add()([dense(6)(inputs[0]), inputs[1]]))
    )


def inputs_beside() -> keras.Model:
    """Hand the rest the network's input too."""
    inputs = keras.Input((6,))
    joined = layers.Concatenate()([dense(trains=True)(dense()(inputs)), inputs])
    return keras.Model(inputs, dense(1, trains=True)(joined))


WHOLE = {
    "all trains": lambda: stack(dense(trains=True), dense(1, trains=True)),
    "nothing but shapes": lambda: stack(layers.Flatten(), dense(1, trains=True)),
    "a layer of the user's first": lambda: stack(Own(), dense(), dense(1, trains=True)),
    "code in the first layer": lambda: stack(
        layers.Lambda(lambda x: x), dense(), dense(1, trains=True)
    ),
    "a penalty": lambda: stack(dense(activity_regularizer="l2"), dense(1, trains=True)),
    "two inputs": two_inputs,
    "inputs beside": inputs_beside,
    "a network that trains in part": lambda: joined(stack(dense(), dense(trains=True))),
}  # fmt: skip


@pytest.mark.parametrize("case", WHOLE)
def test_a_network_is_not_parted_where_that_could_change_it(case):
    assert parted(WHOLE[case]()) is None


def test_what_is_not_held_is_no_beginning():
    model = stack(dense(), layers.Dropout(0.2), dense(4), dense(1, trains=True))
    held = {id(v) for v in model.non_trainable_variables if "seed" not in v.path}
    found = part_frozen_beginning(model, held, most_values=1000)
    assert found is not None
    assert found.layers == ("dense",)
    assert part_frozen_beginning(model, set(), most_values=1000) is None


def test_a_beginning_that_gives_too_much_is_left_where_it_is():
    model = stack(dense(4), dense(50), dense(1, trains=True))
    found = parted(model, most_values=10)
    assert found is not None
    assert found.layers == ("dense",)
    assert parted(model, most_values=3) is None
