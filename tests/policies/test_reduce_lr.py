"""`DelayedReduceLROnPlateau`, a Keras callback that anyone can use alone."""

import inspect
import json

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import finetune
from finetune.callbacks.reduce_lr import DelayedReduceLROnPlateau
from finetune.callbacks.variants import reduce_lr_callback
from finetune.spec.variants import ReduceLRSpec
from tests.contracts.policy_forms import play_keras
from tests.contracts.test_policies import MONITORED, few, reduce_lr_specs, values

ARGUMENTS = {
    "monitor": "val_accuracy", "factor": 0.3, "patience": 4, "verbose": 1, "mode": "max",
    "min_delta": 0.02, "cooldown": 3, "min_lr": 0.001, "start_from_epoch": 7, "until_epoch": 9,
}  # fmt: skip


def play(callback, losses) -> tuple[float, ...]:
    table = dict.fromkeys(MONITORED, np.array(losses, float))
    return play_keras([callback], table, learning_rate=1.0).rates


def test_is_public():
    assert finetune.DelayedReduceLROnPlateau is DelayedReduceLROnPlateau
    with pytest.raises(AttributeError, match="DelayedReduceLR"):
        _ = finetune.DelayedReduceLR


def test_takes_the_arguments_of_keras_and_two_more():
    def parameters(callback):
        return list(inspect.signature(callback.__init__).parameters.values())

    keras_own = [p for p in parameters(keras.callbacks.ReduceLROnPlateau) if p.name != "kwargs"]
    ours = parameters(DelayedReduceLROnPlateau)
    assert [(p.name, p.default) for p in ours] == [
        *((p.name, p.default) for p in keras_own),
        ("start_from_epoch", 0),
        ("until_epoch", None),
    ]


def test_the_spec_has_the_defaults_of_the_callback():
    made, plain = reduce_lr_callback(ReduceLRSpec()), DelayedReduceLROnPlateau()
    assert made.get_config() == {**plain.get_config(), "mode": "min"}


@given(reduce_lr_specs, st.lists(values, min_size=1, max_size=12))
def test_with_no_delay_it_is_that_of_keras(spec, losses):
    arguments = spec.model_dump(exclude={"start_from_epoch", "until_epoch"})
    arguments["mode"] = "max" if spec.monitor in ("val_accuracy", "val_auc") else "min"
    ours = play(DelayedReduceLROnPlateau(**arguments, start_from_epoch=0), losses)
    assert ours == play(keras.callbacks.ReduceLROnPlateau(**arguments), losses)


@given(reduce_lr_specs, few, st.lists(values, min_size=1, max_size=12), st.lists(values))
def test_epochs_before_the_delay_are_invisible(spec, delay, losses, unseen):
    late = spec.model_copy(update={"start_from_epoch": delay, "until_epoch": None})
    at_once = spec.model_copy(update={"start_from_epoch": 0, "until_epoch": None})
    before = (unseen + [0.1] * delay)[:delay]
    rates = play(reduce_lr_callback(late), before + losses)
    assert rates == (1.0,) * delay + play(reduce_lr_callback(at_once), losses)


@given(reduce_lr_specs, st.lists(values, min_size=1, max_size=6), st.lists(values, max_size=6))
def test_epochs_from_the_end_on_are_invisible(spec, losses, unseen):
    ended = spec.model_copy(update={"until_epoch": len(losses)})
    rates = play(reduce_lr_callback(ended), losses + unseen)
    whole = play(reduce_lr_callback(spec.model_copy(update={"until_epoch": None})), losses)
    assert rates == whole + (whole[-1],) * len(unseen)


@pytest.mark.parametrize("arguments", [{}, ARGUMENTS], ids=["defaults", "all"])
def test_survives_serialisation(arguments):
    callback = DelayedReduceLROnPlateau(**arguments)
    config = json.loads(json.dumps(callback.get_config()))
    assert config.items() >= arguments.items()
    assert DelayedReduceLROnPlateau.from_config(config).get_config() == config
    saved = json.loads(json.dumps(keras.saving.serialize_keras_object(callback)))
    again = keras.saving.deserialize_keras_object(saved)
    assert type(again) is DelayedReduceLROnPlateau
    assert again.get_config() == config


def test_a_used_callback_serialises_to_its_arguments():
    callback = DelayedReduceLROnPlateau(min_delta=0.5, patience=1)
    fresh = callback.get_config()
    play(callback, [1, 1, 1])
    assert callback.get_config() == fresh


def test_the_best_value_does_not_leak_into_the_next_fit():
    used = DelayedReduceLROnPlateau(factor=0.5, patience=2, cooldown=3, min_delta=0.25)
    fresh = DelayedReduceLROnPlateau.from_config(used.get_config())
    assert play(used, [0.1, 0.1, 0.1, 0.1]) == (1, 1, 0.5, 0.5)
    losses = [5, 4, 3, 2, 2, 2, 2]
    assert play(used, losses) == play(fresh, losses) == (1, 1, 1, 1, 1, 0.5, 0.5)


def test_cuts_in_a_real_fit_only_after_the_delay():
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    x, seen = np.zeros((4, 1)), []
    model.fit(
        x,
        x,
        epochs=5,
        verbose=0,
        callbacks=[
            DelayedReduceLROnPlateau("loss", factor=0.5, patience=1, start_from_epoch=2),
            keras.callbacks.LambdaCallback(
                on_epoch_end=lambda epoch, logs: seen.append(float(model.optimizer.learning_rate))
            ),
        ],
    )
    np.testing.assert_allclose(seen, [0.01, 0.01, 0.01, 0.005, 0.0025], rtol=1e-6)


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ({"patiense": 3}, TypeError, "patiense"),
        ({"epsilon": 0.1}, TypeError, "epsilon"),
        ({"start_from_epoch": -1}, ValueError, "start_from_epoch: received -1; allowed is 0"),
        ({"mode": "lowest"}, ValueError, "mode: received 'lowest'; allowed is 'auto'"),
        ({"factor": 1.0}, ValueError, "factor"),
    ],
)
def test_wrong_arguments_are_refused(arguments, error, words):
    with pytest.raises(error, match=words):
        DelayedReduceLROnPlateau(**arguments)
