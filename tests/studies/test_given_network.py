"""`finetune.compare` with rows of any shape, ids, and networks that bring weights."""

import io
import json
import zipfile
from functools import partial

import keras
import numpy as np
import pytest

import finetune
from finetune.errors import SpecError
from finetune.studies.given_network import given_network
from tests.engines import networks
from tests.engines.sources import images, token_ids

ROWS = np.random.default_rng(0).normal(size=(60, 4))
CLASSES = (ROWS[:, 0] > 0).astype(int)


@pytest.fixture
def compare(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    variants = {"plain": {}, "stop": {"early_stopping": {"patience": 2}}}
    return partial(finetune.compare, seeds=2, epochs=2, figures=False, variants=variants)


def kept(folder) -> keras.Model:
    return keras.saving.load_model(folder / "network.keras")


@pytest.mark.slow
@pytest.mark.parametrize("network", [networks.frozen_base, networks.adapted])
def test_what_a_network_brings_is_kept_with_it(compare, network):
    results = compare(network, ROWS, CLASSES)
    assert (results.spec.model.file, results.spec.model.pretrained) == ("network.keras", "frozen")
    assert any("as loaded, at every seed" in note for note in results.manifest.notes)
    ours, given = (model.layers[0].get_weights() for model in (
        kept(results.folder), network((4,), 1)))  # fmt: skip
    for one, other in zip(ours, given, strict=True):
        np.testing.assert_array_equal(one, other)
    assert compare(network, ROWS, CLASSES).manifest.runs_trained == 0


@pytest.mark.slow
def test_all_of_it_is_kept_where_the_call_says_so(compare):
    loud = compare(networks.loaded, ROWS, CLASSES, name="drawn").manifest.notes
    assert any("WEIGHTS WERE LOADED AND ARE NOT USED" in note for note in loud)
    results = compare(networks.loaded, ROWS, CLASSES, model={"pretrained": "all"})
    assert results.spec.model.pretrained == "all"
    assert not any("NOT USED" in note for note in results.manifest.notes)


def test_a_head_that_nothing_loaded_is_no_loaded_one():
    given = given_network(lambda: networks.loaded((4,), 1), {})
    assert given.content() == given_network(lambda: networks.loaded((4,), 1), {}).content()


def test_a_network_that_loads_nothing_is_kept_as_json():
    assert given_network(lambda: networks.dropout((4,), 1), {}).name == "network.json"


def test_a_layer_keeps_its_name():
    given = given_network(lambda: networks.loaded((4,), 1), {})
    with zipfile.ZipFile(io.BytesIO(given.content())) as archive:
        tree = json.loads(archive.read("config.json"))
    assert [layer["config"]["name"] for layer in tree["config"]["layers"]][1:] == [
        "base",
        "dense_1",
    ]


@pytest.mark.slow
def test_layers_are_frozen_by_the_names_that_the_network_has(compare):
    results = compare(networks.dropout, ROWS, CLASSES, model={"freeze": ["dense_1"]})
    # 4*8 + 8, 8*8 + 8 frozen, 8 + 1.
    assert "model: 49 of 121 weights train" in results.manifest.notes


@pytest.mark.parametrize(
    ("settings", "parts"),
    [
        ({"hidden": [3]}, ["model.hidden", "pretrained and freeze"]),
        ({"freeze": ["conv*"]}, ["model.freeze", "'conv*'", "dense_1"]),
        ({"pretrained": "all"}, ["model.pretrained", "'all'", "networks that load weights"]),
    ],
)
def test_settings_that_do_not_fit_are_told_in_one_line(compare, settings, parts):
    with pytest.raises(SpecError) as caught:
        compare(networks.dropout, ROWS, CLASSES, model=settings)
    line = str(caught.value)
    assert len(line.splitlines()) == 1
    assert [part for part in parts if part not in line] == []


@pytest.mark.slow
@pytest.mark.parametrize("dtype", ["float64", "uint8"])
def test_images_are_compared(compare, dtype):
    x, y = images(dtype="int64" if dtype == "uint8" else dtype)
    results = compare(networks.pictures, x, y)
    assert set(results.runs["status"]) == {"ok"}


@pytest.mark.slow
def test_ids_reach_the_network_as_they_are(compare):
    x, y = token_ids()
    results = compare(networks.tokens, x, y)
    assert any("taken for ids" in note for note in results.manifest.notes)
    stored = np.load(results.folder / "data.npz")["x"]
    assert stored.dtype.kind == "i"
