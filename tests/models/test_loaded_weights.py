"""What a network loads: kept where the study says so, said loudly where it is not."""

import json
import zipfile
from itertools import count

import keras
import numpy as np
import pytest

from finetune.errors import SpecError
from finetune.models.initial_values import SeededModel, set_values
from finetune.models.layer_names import layers_by_name
from finetune.models.network import build_model
from finetune.models.precision import precision
from finetune.spec.model import ModelSpec
from finetune.spec.seeds import stream
from finetune.spec.training import TrainingSpec
from tests.engines import networks

CALLS = count()
# Names as they stand in a study file, which no other test has in use.
FACTORY = "tests.engines.networks:"


def drawn(seeded: SeededModel, seed: int) -> dict[str, np.ndarray]:
    values = seeded.initial_values(
        stream("init", seed, vary=("init",)), stream("order", 0, vary=("order",))
    )
    return dict(zip(paths(seeded.model), values, strict=True))


def paths(model: keras.Model) -> list[str]:
    """Return the path of each variable, its layers numbered within the network."""
    named = {}
    for path, layer in layers_by_name(model).items():
        for variable in (*layer._trainable_variables, *layer._non_trainable_variables):
            named[id(variable)] = f"{path}/{variable.name}"
    return [named.get(id(variable), variable.path) for variable in model.variables]


def seeded(network, **spec) -> SeededModel:
    return SeededModel(lambda: network((4,), 1), ModelSpec(**spec))


def same_for_two_seeds(seeded: SeededModel) -> set[str]:
    one, other = drawn(seeded, 0), drawn(seeded, 1)
    return {path for path in one if np.array_equal(one[path], other[path])}


KERNELS = {"base/dense/kernel", "base/dense/bias"}
STATISTICS = ("gamma", "beta", "moving_mean", "moving_variance")
NORMALISED = {f"base/batch_normalization/{name}" for name in STATISTICS}


def is_loaded(seeded: SeededModel, wanted: set[str]) -> bool:
    """Return whether all of these hold what `networks.loaded` gives them, which is no start."""
    values, source = drawn(seeded, 5), networks.loaded((4,), 1).variables
    loaded = dict(zip(values, source, strict=True))
    return all(np.array_equal(values[path], loaded[path].numpy()) for path in wanted)


@pytest.mark.parametrize(
    ("network", "spec", "kept", "redrawn"),
    [
        ("loaded", {}, set(), ["base/dense", "base/batch_normalization"]),
        ("frozen_base", {}, KERNELS | NORMALISED, []),
        ("loaded", {"pretrained": "all"}, KERNELS | NORMALISED, []),
        ("loaded", {"pretrained": ("base",)}, KERNELS | NORMALISED, []),
        ("loaded", {"pretrained": ("batch*",)}, NORMALISED, ["base/dense"]),
        ("loaded", {"pretrained": ("base/den?e",)}, KERNELS, ["base/batch_normalization"]),
        ("loaded", {"freeze": ("base",)}, KERNELS | NORMALISED, []),
        ("loaded", {"freeze": ("batch_normalization",)}, NORMALISED, ["base/dense"]),
    ],
)
def test_what_was_loaded_is_kept_where_the_study_says_so(network, spec, kept, redrawn):
    model = seeded(getattr(networks, network), **spec)
    assert is_loaded(model, kept)
    others = (KERNELS | NORMALISED) - kept
    assert not any(is_loaded(model, {path}) for path in others)
    assert model.loaded.redrawn_layers == redrawn
    loud = [note for note in model.loaded.notes() if "WEIGHTS WERE LOADED AND ARE NOT" in note]
    assert len(loud) == bool(redrawn)


def test_the_head_that_nothing_loaded_is_drawn_for_each_seed():
    same = same_for_two_seeds(seeded(networks.loaded, pretrained="all"))
    assert not any(path.endswith("dense/kernel") and "base" not in path for path in same)
    assert same > KERNELS


def test_what_a_layer_was_adapted_to_is_kept():
    model = seeded(networks.adapted)
    twin = networks.adapted((4,), 1)
    for (path, value), other in zip(drawn(model, 3).items(), twin.variables, strict=True):
        assert np.array_equal(value, other.numpy()) == ("normalization" in path or "bias" in path)
    set_values(model.model.variables, list(drawn(model, 3).values()))
    x = np.random.default_rng(0).normal(5, 2, (20, 4)).astype("float32")
    np.testing.assert_allclose(model.model.layers[0](x), twin.layers[0](x), rtol=1e-6)


def test_a_network_that_loads_nothing_is_noted_nowhere():
    assert seeded(networks.dropout).loaded.notes() == ()
    assert seeded(networks.batch_normalization).loaded.loaded_layers == []


def test_the_notes_count_what_trains():
    notes = seeded(networks.frozen_base).loaded.notes()
    # 4*8 + 8 in the dense layer, 4*8 of batch normalisation, 8 + 1 in the last layer.
    assert "9 of 81 weights train" in notes


def drifting(input_shape, n_outputs):
    model = networks.frozen_base(input_shape, n_outputs)
    kernel = model.get_layer("base").layers[0].kernel
    kernel.assign(np.full(kernel.shape, next(CALLS)))
    return model


def all_frozen(input_shape, n_outputs):
    model = networks.loaded(input_shape, n_outputs)
    model.trainable = False
    return model


@pytest.mark.parametrize(
    ("network", "spec", "parts"),
    [
        (networks.loaded, {"freeze": ("conv*",)}, ["model.freeze", "'conv*'", "base/dense"]),
        (networks.loaded, {"pretrained": ("head",)}, ["model.pretrained", "'head'", "base"]),
        (
            networks.loaded,
            {"pretrained": ("dense",), "freeze": ("*",)},
            ["model.freeze", "no weig"],
        ),
        (networks.dropout, {"pretrained": "all"}, ["model.pretrained", "'all'", "model.file"]),
        (all_frozen, {}, ["none of the network's weights train", "trainable = True"]),
        (
            drifting,
            {"factory": "tests.models.test_loaded_weights:drifting"},
            ["model.factory", "/kernel other values each time"],
        ),
    ],
)
def test_what_cannot_be_kept_or_frozen_is_told_in_one_line(network, spec, parts):
    with pytest.raises(SpecError) as caught:
        seeded(network, **spec)
    line = str(caught.value)
    assert len(line.splitlines()) == 1
    assert [part for part in (*parts, "allowed") if part not in line] == []


def test_names_count_from_the_start_however_many_networks_were_built():
    for _ in range(2):
        names = list(layers_by_name(seeded(networks.dropout).model))
        assert names == ["dense", "dropout", "dense_1", "dropout_1", "dense_2"]


def saved(folder, network=networks.loaded) -> ModelSpec:
    """Save a network beside a study; return what the study says of it."""
    model = network((4,), 1)
    model.save(folder / "base.keras")
    return ModelSpec(file=str(folder / "base.keras"))


def from_file(spec: ModelSpec, n_features: int = 4) -> SeededModel:
    return SeededModel(
        lambda: build_model(spec, TrainingSpec(), shape=(n_features,), n_classes=2), spec
    )


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_saved_network_begins_from_its_weights(tmp_path, dtype):
    spec = saved(tmp_path).model_copy(update={"pretrained": "all"})
    with precision(dtype):
        model = from_file(spec)
        values = drawn(model, 1)
    original = keras.saving.load_model(tmp_path / "base.keras")
    assert {value.dtype.name for value in values.values()} == {dtype}
    for value, variable in zip(values.values(), original.variables, strict=True):
        np.testing.assert_array_equal(value.astype("float32"), variable.numpy())


def test_a_saved_network_keeps_what_it_was_adapted_to(tmp_path):
    model = from_file(saved(tmp_path, networks.adapted)).model
    x = np.random.default_rng(0).normal(5, 2, (20, 4)).astype("float32")
    original = keras.saving.load_model(tmp_path / "base.keras")
    np.testing.assert_allclose(model.layers[0](x), original.layers[0](x), rtol=1e-6)


def with_code(input_shape, n_outputs):
    return keras.Sequential([keras.Input(input_shape), keras.layers.Lambda(lambda x: x[:, :1])])


def two_tensors(input_shape, n_outputs):
    x = keras.Input(input_shape)
    return keras.Model(x, [keras.layers.Dense(1)(x), keras.layers.Dense(1)(x)])


@pytest.mark.parametrize(
    ("network", "n_features", "parts"),
    [
        (with_code, 4, ["class_name", "Lambda", "none that holds code"]),
        (networks.loaded, 7, ["takes rows of (4,), but the data have rows of (7,)"]),
        (two_tensors, 4, ["returns 2 tensors", "allowed is one, of shape (1,)"]),
    ],
)
def test_a_saved_network_that_cannot_be_used_is_told_in_one_line(
    tmp_path, network, n_features, parts
):
    with pytest.raises(SpecError) as caught:
        from_file(saved(tmp_path, network), n_features)
    line = str(caught.value)
    assert len(line.splitlines()) == 1
    expected = ["model.file: base.keras", *parts]
    assert [part for part in expected if part not in line] == []


@pytest.mark.parametrize("damage", ["no archive", "no network", "half a network", "no weights"])
def test_a_damaged_file_is_told_in_one_line(tmp_path, damage):
    spec = saved(tmp_path)
    file = tmp_path / "base.keras"
    with zipfile.ZipFile(file) as archive:
        content = {name: archive.read(name) for name in archive.namelist()}
    if damage == "no network":
        del content["config.json"]
    if damage == "half a network":
        content["config.json"] = content["config.json"][:200]
    if damage == "no weights":
        content["model.weights.h5"] = b"none"
    with zipfile.ZipFile(file, "w") as archive:
        for name, value in content.items():
            archive.writestr(name, value)
    if damage == "no archive":
        file.write_text(json.dumps({}))
    with pytest.raises(SpecError, match=r"^model\.file: base\.keras.*allowed is what keras"):
        from_file(spec)
