"""Keras callbacks of the user's: imported, made, and their errors reworded in one line."""

from functools import partial

import keras

from finetune.errors import SpecError
from finetune.spec.variants import CallbackSpec
from finetune.usercode.files import import_class
from finetune.usercode.imports import wrap_errors

# The methods that `fit` calls.
_HOOKS = [name for name in dir(keras.callbacks.Callback) if name.startswith(("on_", "set_"))]


def make_user_callback(spec: CallbackSpec, *, field: str) -> keras.callbacks.Callback:
    """Make a fresh callback of the user's.

    Args:
        spec: Its class and arguments.
        field: Its key in the study, which errors begin with.

    Returns:
        The callback; whatever it raises during training becomes a SpecError of one line.

    Raises:
        SpecError: It cannot be imported, is no Keras callback, or refuses its arguments.
    """
    path = spec.callback
    kind, file = import_class(spec, path, field=f"{field}.callback", error=SpecError)
    if not issubclass(kind, keras.callbacks.Callback):
        raise SpecError(
            f"{field}.callback: {path!r} is a class {kind.__name__}; allowed is a "
            "subclass of keras.callbacks.Callback"
        )
    wrap = partial(wrap_errors, file=file, error=SpecError)
    arguments = ", ".join(f"{name}={value!r}" for name, value in spec.args.items())
    callback = wrap(kind, f"{path}({arguments})", field=f"{field}.args")(**spec.args)
    for name in _overridden_hooks(kind):
        setattr(callback, name, wrap(getattr(callback, name), path, field=field))
    return callback


def _overridden_hooks(kind: type[keras.callbacks.Callback]) -> list[str]:
    """List the hooks that are the user's; those of Keras itself are left as they are."""
    return [n for n in _HOOKS if getattr(kind, n) is not getattr(keras.callbacks.Callback, n)]
