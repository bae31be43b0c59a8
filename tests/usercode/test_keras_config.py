"""Networks and optimizers as data: nothing but Keras's own objects, whatever else is in them."""

import base64
import json

import keras
import pytest

from finetune.engines.keras_problem import KerasProblem
from finetune.engines.problem import Problem
from finetune.errors import SpecError
from finetune.models.network import build_model
from finetune.spec.model import ModelSpec
from finetune.spec.training import TrainingSpec
from finetune.usercode.keras_config import check_config, read_network
from tests.small_studies import small_study
from tests.special_files import SPECIAL_FILES

_CODE = base64.b64encode(b"code").decode()


def layer(kind, module="keras.layers", **config):
    return {"module": module, "class_name": kind, "config": config, "registered_name": None}


HOSTILE = {
    "module of Python": layer("system", "os"),
    "module of the user": layer("Own", "evil"),
    "module by another package": layer("Own", "keras_hub.models"),
    "module that looks like Keras": layer("Own", "kerasevil"),
    "module with a path": layer("Own", "keras.layers/../evil"),
    "function of Python": layer("function", "os") | {"config": "system"},
    "function that downloads": layer("function", "keras.utils") | {"config": "get_file"},
    "function by a dotted name": layer("function", "keras.ops") | {"config": "x.load_model"},
    "function as class": layer("load_model", "keras.models"),
    "class by a dotted name": layer("utils.get_file", "keras"),
    "configuration": layer("enable_unsafe_deserialization", "keras.config"),
    "lambda": layer("Lambda", function=layer("__lambda__", code=_CODE)),
    "lambda of old": {"class_name": "Lambda", "config": {"function": [_CODE, None, None]}},
    "code alone": {"class_name": "__lambda__", "config": {"value": _CODE}},
    "saved program": layer("TFSMLayer", filepath="evil"),
    "pickled module": layer("TorchModuleWrapper", module=_CODE),
    "registered object": layer("Dense") | {"registered_name": "evil>Own"},
    "file of words": layer("StringLookup", vocabulary="/etc/passwd"),
    "type of TensorFlow": {"class_name": "__typespec__", "config": [], "module": "evil"},
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_what_is_not_keras_s_own_is_refused_in_one_line(kind, tmp_path):
    tree = layer("Sequential", "keras", layers=[layer("Dense", units=1), HOSTILE[kind]])
    (tmp_path / "n.json").write_text(json.dumps(tree))
    with pytest.raises(SpecError) as caught:
        read_network(tmp_path / "n.json", field="model.architecture")
    assert str(caught.value).startswith("model.architecture: n.json: ")
    assert "allowed are Keras's own layers" in str(caught.value)


NAMES = {
    "a layer": layer("Dense", units=1, name="a\x1b]52;c;eA==\x07"),
    "a key": layer("Dense", **{"units\u202e": 1}),
    "a layer in a list": layer("Dense", name="a", inbound_nodes=[["\x9b31m", 0, 0]]),
}


@pytest.mark.parametrize("kind", NAMES)
def test_a_name_that_acts_on_a_terminal_is_refused_in_one_line(kind, tmp_path):
    tree = layer("Sequential", "keras", name="n", layers=[NAMES[kind]])
    (tmp_path / "n.json").write_text(json.dumps(tree))
    with pytest.raises(SpecError) as caught:
        read_network(tmp_path / "n.json", field="model.architecture")
    assert "allowed is text without control and direction characters" in str(caught.value)
    assert str(caught.value).isprintable()


def test_a_file_too_large_for_a_network_is_not_read(tmp_path):
    with (tmp_path / "n.json").open("wb") as file:
        file.truncate(10**11)
    with pytest.raises(SpecError, match=r"n\.json is no network .*it is larger than 50 MB"):
        read_network(tmp_path / "n.json", field="model.architecture")


@pytest.mark.parametrize("text", ["", "{", "[]", "3", "[" * 10**5, "\udc80", '{"a": 1e999}'])
def test_a_file_that_is_no_network(text, tmp_path):
    (tmp_path / "n.json").write_bytes(text.encode(errors="surrogateescape"))
    spec = ModelSpec(architecture=str(tmp_path / "n.json"))
    with pytest.raises(SpecError, match=r"n\.json is no network that Keras can read"):
        build_model(spec, TrainingSpec(), shape=(4,), n_classes=2)


@pytest.mark.parametrize("kind", SPECIAL_FILES)
def test_a_network_that_is_no_regular_file_is_not_opened(kind, tmp_path):
    with pytest.raises(SpecError, match=f"it is {kind}; allowed is a regular file"):
        read_network(SPECIAL_FILES[kind](tmp_path / "it.json"), field="model.architecture")


def test_a_network_of_many_kinds_of_layers_is_read():
    start = keras.Input((4,))
    dense = keras.layers.Dense(6, activation=keras.ops.tanh, kernel_regularizer="l2")(start)
    steps = keras.layers.Reshape((6, 1))(keras.layers.BatchNormalization()(dense + dense * 2.0))
    last = keras.layers.Bidirectional(keras.layers.LSTM(2))(steps)
    end = keras.layers.Dense(1, "sigmoid", kernel_constraint="max_norm")(keras.ops.relu(last))
    model = keras.Model(start, end)
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    check_config(json.loads(model.to_json()), field="x", error=SpecError)


OPTIMIZERS = {
    "code": {"learning_rate": layer("__lambda__", code=_CODE)},
    "module": {"inner_optimizer": layer("Own", "evil")},
}


@pytest.mark.parametrize("kind", OPTIMIZERS)
def test_arguments_of_an_optimizer_hold_no_code(kind):
    spec = small_study()
    optimizer = spec.training.optimizer.model_copy(update={"args": OPTIMIZERS[kind]})
    training = spec.training.model_copy(update={"optimizer": optimizer})
    problem = KerasProblem(Problem(spec.model_copy(update={"training": training})))
    with pytest.raises(SpecError, match=r"training\.optimizer\.args: .*Keras's own"):
        problem.optimizer()


@pytest.mark.parametrize("name", ["LossFunctionWrapper", "Loss", "os.system", "__lambda__", "eval"])
def test_a_loss_is_one_of_keras_s_or_refused(name):
    with pytest.raises(SpecError, match=f"training.loss: received '{name}'"):
        KerasProblem(Problem(small_study(f"training.loss={name}", "claims=[]")))
