"""Inputs of a network by name: which data it can take, and why not."""

import keras
import pytest
from keras import layers

from finetune.models.inputs import named_inputs, symbolic_rows, why_no_inputs
from tests.engines import networks

SHAPES = {"numbers": (3,), "picture": (4, 4, 2)}


def of_list() -> keras.Model:
    """Take the image first, as the dictionary of shapes does not."""
    return networks.picture_and_numbers(SHAPES, 1)


def of_dictionary() -> keras.Model:
    """Take a dictionary whose keys are not the names of its inputs."""
    inputs = {name: keras.Input(shape, name=f"the_{name}") for name, shape in SHAPES.items()}
    flat = layers.Concatenate()([layers.Flatten()(inputs["picture"]), inputs["numbers"]])
    return keras.Model(inputs, layers.Dense(1)(flat))


def of_one() -> keras.Model:
    return keras.Sequential([keras.Input((3,), name="numbers"), layers.Dense(1)])


@pytest.mark.filterwarnings("ignore:When providing `inputs` as a dict")
@pytest.mark.parametrize("build", [of_list, of_dictionary])
def test_a_network_is_traced_with_each_input_in_its_place(build):
    model = build()
    assert named_inputs(model).keys() == SHAPES.keys()
    assert why_no_inputs(model, SHAPES) is None
    assert model.compute_output_spec(symbolic_rows(model, SHAPES)).shape == (None, 1)


def test_of_one_input_the_name_says_nothing():
    assert why_no_inputs(of_one(), (7,)) is None
    assert symbolic_rows(of_one(), (7,)).shape == (None, 7)


def test_of_a_class_of_the_users_the_inputs_are_not_known():
    model = networks.of_dictionary(SHAPES, 1)
    assert named_inputs(model) is None
    assert why_no_inputs(model, {"anything": (3,)}) is None


@pytest.mark.parametrize(
    ("build", "shapes", "parts"),
    [
        (of_list, (3,), ["takes 2 inputs ('picture', 'numbers')", "have one", "data.inputs"]),
        (of_one, SHAPES, ["takes the inputs 'numbers'", "have 'numbers', 'picture'", "same names"]),
        (of_list, {"numbers": (3,), "image": (4, 4, 2)}, ["have 'numbers', 'image'", "rename"]),
        (of_list, SHAPES | {"words": (5,)}, ["but the data have 'numbers', 'picture', 'words'"]),
        (
            of_list,
            SHAPES | {"picture": (4, 4)},
            ["takes rows of (4, 4, 2) for 'picture', but the data have (4, 4) for 'picture'"],
        ),
    ],
)
def test_inputs_that_are_not_the_datas_are_named(build, shapes, parts):
    reason = why_no_inputs(build(), shapes)
    assert reason is not None
    assert [part for part in parts if part not in reason] == []
