"""The weights of a network in a file are counted before any is made."""

import json
import re

import keras
import pytest

from finetune.errors import SpecError
from finetune.models.network import build_model
from finetune.planning.workload import count_weights
from finetune.spec.model import ModelSpec
from finetune.spec.training import TrainingSpec
from finetune.studies.load import load_spec
from finetune.usercode.network_size import count_network_weights

layers = keras.layers


def flat() -> keras.Model:
    return keras.Sequential(
        [keras.Input((10,)), layers.Dense(64), layers.Dense(64), layers.Dense(1)]
    )


def convolution() -> keras.Model:
    start = keras.Input((10,))
    features = layers.Conv1D(8, 3)(layers.Reshape((10, 1))(start))
    return keras.Model(start, layers.Dense(1)(layers.Dense(16)(layers.Flatten()(features))))


def recurrent() -> keras.Model:
    start = keras.Input((10,))
    states = layers.LSTM(20)(layers.Reshape((10, 1))(start))
    return keras.Model(start, layers.Dense(1)(states))


def embedding() -> keras.Model:
    start = keras.Input((10,))
    words = layers.Flatten()(layers.Embedding(500, 8)(start))
    return keras.Model(start, layers.Dense(1)(words))


@pytest.mark.parametrize("build", [flat, convolution, recurrent, embedding])
def test_the_count_is_about_right_and_rather_too_large(build):
    model = build()
    found = count_network_weights(json.loads(model.to_json()), 10)
    assert model.count_params() <= found <= 30 * model.count_params()


def write(folder, model: keras.Model, **sizes: int) -> ModelSpec:
    """Write a network, each size (as `units_64`) replaced, and without what was built of it."""
    text = model.to_json()
    for size, new in sizes.items():
        name, _, old = size.rpartition("_")
        text, count = re.subn(rf'"{name}": {old}\b', f'"{name}": {new}', text)
        assert count
    tree = json.loads(text)
    for layer in tree["config"]["layers"]:
        layer.pop("build_config", None)
    (folder / "n.json").write_text(json.dumps(tree))
    return ModelSpec(architecture=str(folder / "n.json"))


def test_a_network_of_ten_billion_weights_is_asked_about(cli, tmp_path):
    write(tmp_path, flat(), units_64=100_000)
    code, _, err = cli("run", "--set", "model.architecture=n.json")
    (line,) = err.splitlines()
    assert code == 2
    assert line.endswith("train less, or give --yes")


def test_a_network_that_hides_its_weights_is_refused_before_they_are_made(tmp_path):
    start = keras.Input((10,))
    many = layers.Flatten()(layers.RepeatVector(7)(layers.Dense(9)(start)))
    model = keras.Model(start, layers.Dense(1)(layers.Dense(5)(many)))
    spec = write(tmp_path, model, n_7=30_000, units_9=30_000, units_5=30_000)
    with pytest.raises(SpecError, match=r"n\.json has 27,00.* weights; allowed are at most"):
        build_model(spec, TrainingSpec(), shape=(10,), n_classes=2)
    # Nothing is left to be made later, and other networks are built as before.
    spec = write(tmp_path, flat())
    assert build_model(spec, TrainingSpec(), shape=(10,), n_classes=2).built


def test_the_weights_of_a_saved_network_are_counted_too(tmp_path):
    model = flat()
    model.save(tmp_path / "n.keras")
    (tmp_path / "n.toml").write_text(
        'name = "n"\ndata.source = "make_moons"\nmodel.file = "n.keras"\nvariants = [{name = "v"}]'
    )
    found = count_weights(load_spec(tmp_path / "n.toml"), 10)
    assert found == count_network_weights(json.loads(model.to_json()), 10)
