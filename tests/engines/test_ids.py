"""Whole numbers: ids where the network takes them, features that are scaled elsewhere."""

from pathlib import Path

import keras
import numpy as np
import pandas as pd
import pytest
from keras import layers

from finetune.engines.keras_problem import KerasProblem
from finetune.engines.problem import Problem
from finetune.errors import SpecError
from finetune.models.layer_names import layers_by_name
from finetune.models.precision import precision
from finetune.spec.study_file import parse_spec
from tests.engines.sources import images, token_ids

HERE = "tests.engines.test_ids:"
NETWORKS = "tests.engines.networks:"
SOURCES = "tests.engines.sources:"
SEVERAL = {"source": SOURCES + "ids_and_numbers"}


def ids_by_dtype(input_shape, n_outputs):
    inputs = keras.Input(input_shape, dtype="int32")
    return keras.Model(inputs, layers.Dense(1)(keras.ops.one_hot(inputs[:, 0], 20)))


def embedded_later(input_shape, n_outputs):
    inputs = keras.Input(input_shape)
    levels = keras.ops.cast(inputs > 0, "int32")
    return keras.Model(inputs, layers.Dense(1)(layers.Flatten()(layers.Embedding(2, 3)(levels))))


def prepared(data: dict, model: dict | None = None) -> KerasProblem:
    spec = parse_spec(
        {"name": "n", "data": data, "model": model or {}, "variants": [{"name": "v"}]}
    )
    with precision("float32"):
        return KerasProblem(Problem(spec))


@pytest.mark.parametrize("network", [NETWORKS + "tokens", HERE + "ids_by_dtype"])
def test_a_network_of_ids_gets_them_as_they_are(network):
    made = prepared({"source": SOURCES + "token_ids"}, {"factory": network})
    x = made.problem.data(0).train.x
    assert x.dtype == "int32"
    assert set(np.unique(x)) <= set(range(20))
    given, _ = token_ids()
    assert x.shape == (48, 6)
    assert {row.tobytes() for row in x} <= {row.tobytes() for row in given.astype("int32")}
    assert [note for note in made.notes if "taken for ids, since the network has" in note]
    assert made.summary is not None
    assert made.summary.ids == ("",)


@pytest.mark.parametrize("model", [{"factory": NETWORKS + "dropout"}, {}])
def test_other_networks_get_whole_numbers_scaled(model):
    made = prepared({"source": SOURCES + "token_ids"}, model)
    x = made.problem.data(0).train.x
    assert x.dtype == "float32"
    np.testing.assert_allclose(x.mean(axis=0), 0, atol=1e-6)
    # The default network cannot take ids, so that there is no choice to tell of.
    assert any("taken for features and scaled" in note for note in made.notes) == bool(model)


def inputs_of(made: KerasProblem) -> dict[str, np.ndarray]:
    return dict(made.problem.data(0).train.x)


def test_which_of_several_inputs_are_ids_is_found_out_for_each():
    made = prepared(SEVERAL, {"factory": NETWORKS + "words_and_numbers"})
    x = inputs_of(made)
    assert [x[name].dtype for name in ("words", "numbers", "counts")] == [
        "int32", "float32", "float32"
    ]  # fmt: skip
    assert set(np.unique(x["words"])) <= set(range(20))
    np.testing.assert_allclose(x["counts"].mean(axis=0), 0, atol=1e-6)
    assert made.summary is not None
    assert made.summary.ids == ("words",)
    ids, features = (note for note in made.notes if "are whole numbers" in note)
    assert "input 'words' are whole numbers: taken for ids" in ids
    assert 'data.scale.counts = "none"' in features


class OfDictionary(keras.Model):
    def __init__(self):
        super().__init__()
        self.read, self.last = layers.Embedding(20, 4), layers.Dense(1)

    def call(self, inputs):
        read = keras.ops.mean(self.read(inputs["words"]), axis=1)
        return self.last(keras.ops.concatenate([read, inputs["counts"]], axis=-1))


def of_dictionary(shapes, n_outputs):
    return OfDictionary()


def test_which_inputs_are_ids_must_be_said_where_only_code_knows():
    with pytest.raises(SpecError) as caught:
        prepared(SEVERAL, {"factory": HERE + "of_dictionary"})
    parts = ["inputs 'words', 'counts' are whole", "code of OfDictionary", 'scale.words = "none"']
    assert [part for part in parts if part not in str(caught.value)] == []
    data = {**SEVERAL, "scale": {"counts": "standard"}}
    x = inputs_of(prepared(data, {"factory": HERE + "of_dictionary"}))
    assert (x["words"].dtype, x["counts"].dtype) == ("int32", "float32")


def test_a_table_of_scales_holds():
    data = {**SEVERAL, "scale": {"words": "none", "counts": "none"}}
    made = prepared(data, {"factory": NETWORKS + "words_and_numbers"})
    assert inputs_of(made)["counts"].dtype == "int32"
    assert not any("whole numbers" in note for note in made.notes)


def test_an_input_that_is_scaled_holds_no_ids():
    data = {**SEVERAL, "scale": {"words": "standard"}}
    with pytest.raises(SpecError, match="those of the input 'words' are whole numbers scaled"):
        prepared(data, {"factory": NETWORKS + "words_and_numbers"})


def test_weights_of_classes_stay_what_they_are_beside_ids():
    spec = parse_spec(
        {
            "name": "n",
            "data": {"source": SOURCES + "token_ids", "scale": "none"},
            "training": {"class_weight": {"1": 3.3}},
            "variants": [{"name": "v"}],
        }
    )
    problem = Problem(spec)
    weights = problem.row_weights(problem.data(0).train)
    assert set(weights) == {np.float32(1), np.float32(3.3)}


def test_what_the_study_says_of_the_scale_holds():
    data = {"source": SOURCES + "token_ids", "scale": "none"}
    made = prepared(data, {"factory": NETWORKS + "dropout"})
    assert made.problem.data(0).train.x.dtype == "int32"
    assert not any("whole numbers" in note for note in made.notes)


def test_ids_in_columns_of_a_table_are_ids_too(tmp_path: Path):
    x, y = token_ids()
    pd.DataFrame(x).assign(y=y).to_csv(tmp_path / "ids.csv", index=False)
    data = {"source": str(tmp_path / "ids.csv"), "target": "y"}
    made = prepared(data, {"factory": NETWORKS + "tokens"})
    assert made.problem.data(0).test.x.dtype == "int32"


def test_large_ids_are_not_cut_off(tmp_path: Path):
    x, y = token_ids()
    np.savez(tmp_path / "ids.npz", x=x + 2**40, y=y)
    made = prepared({"source": str(tmp_path / "ids.npz"), "scale": "none"})
    assert made.problem.data(0).train.x.min() > 2**40


def floats() -> tuple[np.ndarray, np.ndarray]:
    x, y = token_ids()
    return x.astype(float), y


@pytest.mark.parametrize(
    "data",
    [
        {"source": HERE + "floats"},
        {"source": SOURCES + "token_ids", "scale": "standard"},
        {"source": "make_moons"},
    ],
)
def test_numbers_that_are_scaled_are_no_ids(data):
    with pytest.raises(SpecError) as caught:
        prepared(data, {"factory": NETWORKS + "tokens"})
    line = str(caught.value)
    assert len(line.splitlines()) == 1
    parts = ["data.scale", "first layer embedding", "allowed", 'scale = "none"']
    assert [part for part in parts if part not in line] == []


def test_what_a_network_makes_ids_of_is_its_own_affair():
    made = prepared({"source": "make_moons"}, {"factory": HERE + "embedded_later"})
    assert made.problem.data(0).train.x.dtype == "float32"


@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_images_of_any_type_are_scaled_by_channel(dtype):
    data = {"source": SOURCES + "images", "args": {"dtype": "int64" if dtype == "uint8" else dtype}}
    made = prepared(data, {"factory": NETWORKS + "pictures"})
    x = made.problem.data(0).train.x
    assert (x.dtype, x.shape) == ("float32", (48, *images()[0].shape[1:]))
    np.testing.assert_allclose(x.mean(axis=(0, 1, 2)), 0, atol=1e-5)
    np.testing.assert_allclose(x.std(axis=(0, 1, 2)), 1, atol=1e-5)


@pytest.mark.parametrize(
    ("shape", "layers_of_it"),
    [((4, 4, 2), ["flatten", "dense", "dense_1", "dense_2", "dense_3"]),
     ((32,), ["dense", "dense_1", "dense_2", "dense_3"])],
)  # fmt: skip
def test_the_default_network_flattens_rows_of_several_axes(shape, layers_of_it):
    made = prepared({"source": SOURCES + "images", "shape": list(shape)})
    assert list(layers_by_name(made.model)) == layers_of_it
    assert made.model.input_shape == (None, *shape)


def test_a_shape_that_does_not_fit_the_network_is_told_in_one_line():
    with pytest.raises(SpecError) as caught:
        prepared(
            {"source": SOURCES + "images", "shape": [8, 4]}, {"factory": NETWORKS + "pictures"}
        )
    line = str(caught.value)
    assert len(line.splitlines()) == 1
    assert "model.factory" in line
