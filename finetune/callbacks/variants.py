"""The Keras callbacks of a variant."""

from collections.abc import Callable, Mapping
from typing import Any

import keras

from finetune.callbacks.reduce_lr import DelayedReduceLROnPlateau
from finetune.callbacks.schedule import LearningRateSchedule
from finetune.callbacks.set_lr import SetLearningRate
from finetune.callbacks.user import make_user_callback
from finetune.spec.metrics import higher_is_better
from finetune.spec.variants import (
    EarlyStoppingSpec,
    ReduceLRSpec,
    ScheduleSpec,
    SetLRSpec,
    VariantSpec,
)


def mode_of(monitor: str) -> str:
    """Return the mode of Keras that says which way is better; it knows those of few names."""
    return "max" if higher_is_better(monitor) else "min"


def early_stopping_callback(spec: EarlyStoppingSpec) -> keras.callbacks.EarlyStopping:
    """Return a fresh `EarlyStopping`."""
    return keras.callbacks.EarlyStopping(**spec.model_dump(), mode=mode_of(spec.monitor))


def reduce_lr_callback(spec: ReduceLRSpec) -> DelayedReduceLROnPlateau:
    """Return a fresh `DelayedReduceLROnPlateau`."""
    return DelayedReduceLROnPlateau(**spec.model_dump(), mode=mode_of(spec.monitor))


def set_lr_callback(spec: SetLRSpec) -> SetLearningRate:
    """Return a fresh `SetLearningRate`."""
    return SetLearningRate(**spec.model_dump())


def schedule_callback(spec: ScheduleSpec) -> LearningRateSchedule:
    """Return a fresh `LearningRateSchedule`."""
    return LearningRateSchedule(**spec.model_dump())


# The Keras form of each policy by its field in `VariantSpec`: the same fields, in the same order,
# as in `policies.variants.POLICIES`.
CALLBACKS: Mapping[str, Callable[[Any], keras.callbacks.Callback]] = {
    "early_stopping": early_stopping_callback,
    "reduce_lr": reduce_lr_callback,
    "set_lr": set_lr_callback,
    "schedule": schedule_callback,
}


def callbacks(variant: VariantSpec, *, field: str = "variant") -> list[keras.callbacks.Callback]:
    """Make the Keras callbacks of one run; they carry state, so that no two runs may share them.

    Args:
        variant: The run's variant; callbacks of the user's come last.
        field: The variant's key in the study, which errors begin with.

    Raises:
        SpecError: A callback of the user's cannot be made.
    """
    specs = {name: getattr(variant, name) for name in CALLBACKS}
    policies = [CALLBACKS[name](spec) for name, spec in specs.items() if spec is not None]
    users = [
        make_user_callback(spec, field=f"{field}.callbacks.{number}")
        for number, spec in enumerate(variant.callbacks)
    ]
    return policies + users
