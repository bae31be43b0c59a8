"""A network as text: the same for the same network, and a network again."""

import json

import keras
import pytest

from finetune.models.architecture import network_json
from finetune.models.inputs import named_inputs
from finetune.models.precision import precision


def sequential() -> keras.Model:
    layers = [keras.layers.Dense(3, kernel_regularizer="l2"), keras.layers.Dense(1)]
    return keras.Sequential([keras.Input((4,)), *layers])


def branched() -> keras.Model:
    x = keras.Input((4,))
    both = keras.layers.Add()([keras.layers.Dense(3)(x), keras.layers.Dense(3)(x)])
    return keras.Model(x, keras.layers.Dense(1)(both))


def nested() -> keras.Model:
    inner = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3), keras.layers.Softmax()])
    x = keras.Input((4,))
    return keras.Model(x, keras.layers.Dense(1)(keras.layers.Dropout(0.2)(inner(x))))


def called_twice() -> keras.Model:
    x = keras.Input((4,))
    shared = keras.layers.Dense(4)
    return keras.Model(x, keras.layers.Dense(1)(shared(shared(x))))


def of_many_outputs() -> keras.Model:
    x = keras.Input((4, 2))
    _, hidden, cell = keras.layers.LSTM(3, return_state=True)(x)
    return keras.Model(x, keras.layers.Dense(1)(keras.layers.Add()([hidden, cell])))


@pytest.mark.parametrize("build", [sequential, branched, nested, called_twice, of_many_outputs])
def test_the_same_network_is_the_same_text_and_a_network_again(build):
    text = network_json(build())
    assert text == network_json(build())
    again = keras.models.model_from_json(text)
    assert again.count_params() == build().count_params()
    assert network_json(again) == text


def of_inputs(names=("image", "dense_1"), kind=list) -> keras.Model:
    inputs = [keras.Input((4,), name=name) for name in names]
    branches = [keras.layers.Dense(3)(one) for one in inputs]
    outputs = keras.layers.Dense(1)(keras.layers.Add()(branches))
    return keras.Model(dict(zip(names, inputs, strict=True)) if kind is dict else inputs, outputs)


@pytest.mark.parametrize("kind", [list, dict])
def test_several_inputs_keep_their_names_whatever_else_is_called_so(kind):
    text = network_json(of_inputs(kind=kind))
    assert text == network_json(of_inputs(kind=kind))
    again = keras.models.model_from_json(text)
    assert list(named_inputs(again)) == ["image", "dense_1"]
    assert again.count_params() == of_inputs().count_params()


def test_what_it_was_compiled_with_is_no_part_of_it():
    compiled = sequential()
    compiled.compile("adam", "mse")
    assert network_json(compiled) == network_json(sequential())


def test_a_study_of_another_precision_has_its_own(build=branched):
    text = network_json(build())
    with precision("float64"):
        assert keras.models.model_from_json(text).dtype_policy.name == "float64"
        dense = keras.models.model_from_json(text).layers[1]
        assert dense.kernel.dtype == "float64"
    assert "batch_shape" in json.dumps(json.loads(text))
