"""What is done to one input of a network, or to each of several."""

import numpy as np
import pytest

from finetune.data.inputs import by_name, count_numbers, map_inputs, row_shapes

IMAGE, TABLE = np.zeros((9, 4, 4, 2)), np.zeros((9, 3))


@pytest.mark.parametrize(
    ("x", "shapes", "numbers"),
    [
        (IMAGE, (4, 4, 2), 32),
        ({"image": IMAGE, "table": TABLE}, {"image": (4, 4, 2), "table": (3,)}, 35),
    ],
)
def test_shapes_and_numbers_of_a_row(x, shapes, numbers):
    assert row_shapes(x) == shapes
    assert count_numbers(shapes) == numbers


def test_the_only_input_has_no_name():
    assert by_name(5) == {None: 5}
    assert by_name({"a": 5, "b": 6}) == {"a": 5, "b": 6}
    assert map_inputs(str, 5) == "5"
    assert map_inputs(str, {"a": 5, "b": 6}) == {"a": "5", "b": "6"}
