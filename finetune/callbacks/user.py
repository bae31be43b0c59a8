"""Keras callbacks of the user's own: found, made, and their errors told in one line."""

from typing import Any

import keras

from finetune.errors import SpecError
from finetune.spec.variants import CallbackSpec
from finetune.usercode.files import user_class
from finetune.usercode.imports import with_errors_reworded

# What `fit` calls.
_HOOKS = [name for name in dir(keras.callbacks.Callback) if name.startswith(("on_", "set_"))]


def user_callback(spec: CallbackSpec, *, field: str) -> keras.callbacks.Callback:
    """Give a fresh callback of the user's own; `field` is its place in the study.

    Whatever it raises during training becomes a SpecError of one line that says where.

    Raises:
        SpecError: It cannot be imported, is no Keras callback, or refuses its arguments.
    """
    kind, file = user_class(spec, spec.callback, field=f"{field}.callback", error=SpecError)
    if not issubclass(kind, keras.callbacks.Callback):
        raise SpecError(
            f"{field}.callback: {spec.callback!r} is a class {kind.__name__}; allowed is a "
            "subclass of keras.callbacks.Callback"
        )
    options: dict[str, Any] = {"file": file, "error": SpecError}
    made = with_errors_reworded(
        kind, f"{spec.callback}({_said(spec)})", field=f"{field}.args", **options
    )
    return _telling_hooks(made(**spec.args), spec.callback, field=field, **options)


def _telling_hooks(
    callback: keras.callbacks.Callback, path: str, **options: Any
) -> keras.callbacks.Callback:
    """Have what the user's own hooks raise told; those of Keras stay as they are."""
    for name in _HOOKS:
        if getattr(type(callback), name) is not getattr(keras.callbacks.Callback, name):
            setattr(callback, name, with_errors_reworded(getattr(callback, name), path, **options))
    return callback


def _said(spec: CallbackSpec) -> str:
    return ", ".join(f"{name}={value!r}" for name, value in spec.args.items())
