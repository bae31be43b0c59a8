"""What a Keras model was compiled with, as a study file has it: taken over, or named."""

from collections.abc import Iterator, Mapping
from typing import Any, get_args

import keras

from finetune.errors import SpecError
from finetune.models.losses import USUAL_LOSSES, fitting_accuracy
from finetune.spec.data import TargetTask
from finetune.spec.messages import shorten
from finetune.spec.training import Accuracy, TrainingSpec

_DTYPES = get_args(TrainingSpec.model_fields["dtype"].annotation)
_ACCURACIES = get_args(Accuracy)


def compiled_training(model: keras.Model, *, task: TargetTask) -> dict[str, Any]:
    """Return the keys of `[training]` that a model brings: dtype, optimizer, loss and accuracy.

    Raises:
        SpecError: It was compiled with what a study file cannot hold.
    """
    training = _dtype()
    if getattr(model, "optimizer", None) is None:
        return training
    config = _compile_config(model)
    _check_loss_weights(config.get("loss_weights"))
    loss = _loss(config.get("loss"))
    accuracy = _accuracy(config, task=task, loss=loss.get("loss"))
    return {**training, "optimizer": _optimizer(model.optimizer), **loss, **accuracy}


def speed_note(model: keras.Model) -> str:
    """Say which options of `compile` are left out since they change no number; else nothing."""
    # `jit_compile` is not among them, since Keras sets it by itself where it is not given.
    usual = {"run_eagerly": False, "steps_per_execution": 1}
    config = _compile_config(model)
    given = [f"{k} = {config[k]}" for k, value in usual.items() if config.get(k, value) != value]
    return f"model_fn: compiled with {' and '.join(given)}, which is left out" if given else ""


def _compile_config(model: Any) -> Mapping[str, Any]:
    """Return the arguments of `compile`; empty where it was not called."""
    # `get_compile_config` would write them as JSON, and warn of functions.
    found = getattr(model, "_compile_config", None)
    return found.config if found else {}


def _dtype() -> dict[str, str]:
    """Return the precision that Keras computes in, where it is not that of a study by default.

    Raises:
        SpecError: It is a mixed one, under which the model's layers were made.
    """
    name = keras.config.dtype_policy().name
    if name not in _DTYPES:
        raise SpecError(
            f"model_fn: its layers compute in {name!r}, Keras's dtype policy at present; allowed "
            f"are {' and '.join(map(repr, _DTYPES))}; set keras.config.set_dtype_policy('float32')"
        )
    return {} if name == TrainingSpec().dtype else {"dtype": name}


def _optimizer(optimizer: Any) -> dict[str, Any]:
    kind = type(optimizer)
    if isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
        raise SpecError(
            "model_fn: its optimizer is LossScaleOptimizer, which is for float16; allowed are the "
            f"others of keras.optimizers; give {type(optimizer.inner_optimizer).__name__} alone"
        )
    if getattr(keras.optimizers, kind.__name__, None) is not kind:
        raise SpecError(
            f"model_fn: its optimizer is {kind.__name__}; allowed are those of keras.optimizers"
        )
    config, usual = optimizer.get_config(), kind().get_config()
    if not isinstance(config["learning_rate"], float):
        raise SpecError(
            "model_fn: its optimizer has a schedule for a learning rate; allowed is a number; give "
            "schedules as variants"
        )
    arguments = {
        key: value
        for key, value in config.items()
        if value != usual.get(key) and key not in ("name", "learning_rate")
    }
    rate = {"name": kind.__name__.lower(), "learning_rate": config["learning_rate"]}
    return {**rate, "args": arguments}


def _loss(loss: Any) -> dict[str, str]:
    if isinstance(loss, list | tuple) and len(loss) == 1:
        return _loss(loss[0])
    if loss is None or isinstance(loss, str):
        return {"loss": loss} if loss else {}
    if isinstance(loss, keras.losses.Loss):
        if type(loss).__module__.startswith("keras.") and _is_usual(loss):
            return {"loss": str(loss.name)}
    elif not isinstance(loss, type):
        name = getattr(loss, "__name__", "")
        if getattr(keras.losses, name, None) is loss:
            return {"loss": name}
    raise SpecError(
        f"model_fn: its loss is {_named(loss)} with arguments of its own; allowed is the name of "
        "a loss, or one with Keras's defaults; leave it out to follow the task, with an activation "
        "at the output"
    )


def _is_usual(made: Any) -> bool:
    try:
        return made.get_config() == {**type(made)().get_config(), "name": made.name}
    # Some need arguments.
    except (TypeError, ValueError):
        return False


def _check_loss_weights(weights: Any) -> None:
    given = list(weights.values()) if isinstance(weights, Mapping) else weights
    given = given if isinstance(given, list | tuple) else [given]
    if any(weight not in (None, 1) for weight in given):
        raise SpecError(
            f"model_fn: compiled with loss_weights = {weights}; allowed is 1, since there is one "
            "loss; leave it out, and scale the learning rate instead"
        )


def _accuracy(config: Mapping[str, Any], *, task: TargetTask, loss: str | None) -> dict[str, str]:
    """Return the accuracy among the metrics, where it does not follow from task and loss.

    Raises:
        SpecError: There are other metrics, none of which is measured.
    """
    found: dict[str, str] = {}
    usual = fitting_accuracy(None, task=task, loss=loss or USUAL_LOSSES[task])
    # Without weights of rows a weighted metric is the metric.
    for key in ("metrics", "weighted_metrics"):
        for metric in _flat(config.get(key)):
            name = _metric_name(metric, task=task)
            if name is None:
                raise SpecError(
                    f"model_fn: compiled with {key} = {_named(metric)}, which is not measured; "
                    "allowed are, with classes, 'accuracy' and "
                    f"{', '.join(map(repr, _ACCURACIES))}; leave it out of compile"
                )
            found = {"accuracy": name} if name != usual else {}
    return found


def _flat(metrics: Any) -> Iterator[Any]:
    """Yield the metrics of `compile`: one, a list of them, or such by the names of outputs."""
    if isinstance(metrics, Mapping):
        metrics = list(metrics.values())
    if isinstance(metrics, list | tuple):
        for inner in metrics:
            yield from _flat(inner)
    elif metrics is not None:
        yield metrics


def _metric_name(metric: Any, *, task: TargetTask) -> str | None:
    """Return the name of an accuracy with the usual arguments; None of any other metric."""
    if task == "regression":
        return None
    if metric in ("accuracy", "acc"):
        return _ACCURACIES[0] if task == "binary" else _ACCURACIES[1]
    for name in _ACCURACIES:
        kind = getattr(keras.metrics, name.title().replace("_", ""))
        if metric in (name, getattr(keras.metrics, name)):
            return name
        if type(metric) is kind and _is_usual(metric):
            return name
    return None


def _named(given: Any) -> str:
    """Return how an error names a loss or a metric, its arguments left out."""
    if isinstance(given, str | list | tuple | dict):
        return shorten(given)
    return getattr(given, "__name__", None) or type(given).__name__
