"""Settings of variants, taken from callback objects: the way back from `callbacks.variants`."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import keras

from finetune.callbacks.reduce_lr import DelayedReduceLROnPlateau
from finetune.callbacks.schedule import LearningRateSchedule
from finetune.callbacks.set_lr import SetLearningRate
from finetune.callbacks.variants import mode_of
from finetune.errors import SpecError
from finetune.spec.metrics import higher_is_better
from finetune.spec.variants import BaseSpec, EarlyStoppingSpec, ReduceLRSpec, SetLRSpec

Settings = dict[str, Any]

_ALLOWED = (
    "allowed are objects of keras.callbacks.EarlyStopping and ReduceLROnPlateau and of "
    "finetune.DelayedReduceLROnPlateau"
)


def variant_settings(callbacks: Any, *, field: str) -> Settings:
    """Return the settings of the variant that trains with these callbacks.

    What a callback prints (`verbose`) is left out.

    Args:
        callbacks: A callback object, or several.
        field: The variant's key, which errors begin with.

    Returns:
        As a study file has them: `{"early_stopping": {...}, "reduce_lr": {...}}`.

    Raises:
        SpecError: One is of another class, two do the same, or a setting is none of a variant's.
    """
    several = callbacks if isinstance(callbacks, list | tuple) else [callbacks]
    settings: Settings = {}
    for callback in several:
        key, found = _settings(callback, field=field)
        if key in settings:
            raise SpecError(
                f"{field}: received two callbacks that are {key}; allowed is one of each; make two "
                "variants of it"
            )
        settings[key] = found
    return settings


def _settings(callback: Any, *, field: str) -> tuple[str, Settings]:
    kind = type(callback)
    if kind not in _READERS:
        raise SpecError(f"{field}: received {_describe(callback)}; {_ALLOWED}{_remedy(callback)}")
    key, read = _READERS[kind]
    return key, read(callback, f"{field}: {kind.__name__}")


def _describe(callback: Any) -> str:
    if isinstance(callback, type):
        return f"the class {callback.__name__}"
    name = type(callback).__name__
    own = isinstance(callback, keras.callbacks.Callback)
    return f"a callback of class {name}" if own else name


def _remedy(callback: Any) -> str:
    if isinstance(callback, type):
        return f"; call it: {callback.__name__}()"
    if isinstance(callback, keras.callbacks.LearningRateScheduler):
        return '; give a schedule, as {"schedule": {"kind": "exponential", "factor": 0.95}}'
    if isinstance(callback, keras.callbacks.Callback):
        return '; name one of your own as {"callbacks": [{"callback": "module:Class"}]}'
    return '; give a table as a study file has it, as {"early_stopping": {"patience": 5}}'


def _early_stopping(callback: Any, where: str) -> Settings:
    return _monitored(callback, EarlyStoppingSpec, where)


def _reduce_lr(callback: Any, where: str) -> Settings:
    return _monitored(callback, ReduceLRSpec, where)


def _monitored(callback: Any, spec: type[BaseSpec], where: str) -> Settings:
    """Return the callback's arguments by the fields of a spec, which have their names."""
    known = higher_is_better(callback.monitor) is not None
    usual = mode_of(callback.monitor) if known else callback.mode
    if callback.mode not in ("auto", usual):
        raise SpecError(
            f"{where} has mode = {callback.mode!r} for {callback.monitor!r}; allowed is {usual!r}; "
            "leave mode out"
        )
    found = _arguments(callback, spec)
    # `fit` turns its sign where less is better.
    return found | {"min_delta": abs(found["min_delta"])}


def _set_lr(callback: Any, where: str) -> Settings:
    return _arguments(callback, SetLRSpec)


def _schedule(callback: Any, where: str) -> Settings:
    return callback.get_config()


def _arguments(callback: Any, spec: type[BaseSpec]) -> Settings:
    names: Iterable[str] = spec.model_fields
    # Keras's own class has fewer arguments than `DelayedReduceLROnPlateau`.
    found = {name: getattr(callback, name, None) for name in names}
    return {name: value for name, value in found.items() if value is not None}


# By the class itself: a subclass may do anything else.
_READERS: Mapping[type, tuple[str, Callable[[Any, str], Settings]]] = {
    keras.callbacks.EarlyStopping: ("early_stopping", _early_stopping),
    keras.callbacks.ReduceLROnPlateau: ("reduce_lr", _reduce_lr),
    DelayedReduceLROnPlateau: ("reduce_lr", _reduce_lr),
    SetLearningRate: ("set_lr", _set_lr),
    LearningRateSchedule: ("schedule", _schedule),
}
