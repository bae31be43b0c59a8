"""Callback objects as settings of a variant: the same policies that the objects are."""

import keras
import pytest
from hypothesis import given
from hypothesis import strategies as st

from finetune.callbacks.reduce_lr import DelayedReduceLROnPlateau
from finetune.callbacks.specs import variant_settings
from finetune.callbacks.variants import CALLBACKS
from finetune.errors import SpecError
from finetune.spec.variants import EarlyStoppingSpec, ReduceLRSpec, VariantSpec

STOPPING = st.builds(
    EarlyStoppingSpec,
    monitor=st.sampled_from(["val_loss", "val_accuracy", "loss"]),
    min_delta=st.floats(0, 1),
    patience=st.integers(0, 99),
    baseline=st.none() | st.floats(-9, 9),
    restore_best_weights=st.booleans(),
    start_from_epoch=st.integers(0, 99),
)
REDUCTION = st.builds(
    ReduceLRSpec,
    monitor=st.sampled_from(["val_loss", "val_accuracy", "loss"]),
    factor=st.floats(0.01, 0.99),
    patience=st.integers(0, 99),
    min_delta=st.floats(0, 1),
    cooldown=st.integers(0, 9),
    min_lr=st.floats(0, 1),
    start_from_epoch=st.integers(0, 99),
    until_epoch=st.none() | st.integers(1, 99),
)


class OwnCallback(keras.callbacks.Callback):
    pass


class OwnStopping(keras.callbacks.EarlyStopping):
    pass


@given(stopping=STOPPING, reduction=REDUCTION)
def test_what_a_spec_makes_has_the_settings_of_that_spec(stopping, reduction):
    variant = VariantSpec(name="a", early_stopping=stopping, reduce_lr=reduction)
    objects = [CALLBACKS[key](getattr(variant, key)) for key in ("early_stopping", "reduce_lr")]
    found = variant_settings(objects, field="variants.a")
    assert VariantSpec.model_validate({"name": "a", **found}) == variant


def test_schedules_and_a_set_rate_come_back_too():
    settings = {"set_lr": {"epoch": 3, "learning_rate": 0.1}}
    variant = VariantSpec.model_validate({"name": "a", **settings})
    assert variant_settings(CALLBACKS["set_lr"](variant.set_lr), field="a") == settings
    settings = {"schedule": {"kind": "exponential", "factor": 0.5, "warm_up": 2}}
    variant = VariantSpec.model_validate({"name": "a", **settings})
    assert variant_settings(CALLBACKS["schedule"](variant.schedule), field="a") == settings


def test_defaults_are_those_of_keras():
    objects = [keras.callbacks.EarlyStopping(), keras.callbacks.ReduceLROnPlateau(min_delta=0.25)]
    found = VariantSpec.model_validate({"name": "a", **variant_settings(objects, field="a")})
    # Keras keeps the last weights where it is not asked.
    assert found.early_stopping == EarlyStoppingSpec(restore_best_weights=False)
    assert found.reduce_lr == ReduceLRSpec(min_delta=0.25)


def test_a_callback_that_has_trained_has_the_settings_that_it_was_made_with():
    callback = keras.callbacks.EarlyStopping(min_delta=0.5, patience=4)
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    x = keras.ops.ones((4, 1))
    model.fit(x, x, validation_data=(x, x), callbacks=[callback], verbose=0)
    found = variant_settings(callback, field="a")["early_stopping"]
    assert (found["min_delta"], found["patience"]) == (0.5, 4)


@pytest.mark.parametrize(
    ("callbacks", "words"),
    [
        (OwnCallback(), 'class OwnCallback; .*name one of your own as {"callbacks"'),
        (OwnStopping(), "class OwnStopping"),
        ([keras.callbacks.TerminateOnNaN()], "class TerminateOnNaN"),
        (keras.callbacks.LearningRateScheduler(lambda epoch: 0.1), "give a schedule"),
        (keras.callbacks.EarlyStopping, r"the class EarlyStopping; .*call it: EarlyStopping\(\)"),
        ("early_stopping", "received str; .*give a table"),
        (None, "received NoneType"),
        ([keras.callbacks.EarlyStopping()] * 2, "two callbacks that are early_stopping"),
        (
            [keras.callbacks.ReduceLROnPlateau(), DelayedReduceLROnPlateau()],
            "two callbacks that are reduce_lr",
        ),
        (keras.callbacks.EarlyStopping(mode="max"), "mode = 'max' for 'val_loss'; .*'min'"),
    ],
)
def test_what_no_variant_can_be_is_named(callbacks, words):
    with pytest.raises(SpecError, match=f"^variants.a: .*{words}"):
        variant_settings(callbacks, field="variants.a")
