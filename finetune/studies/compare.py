"""A study of a Keras model and arrays, from a notebook or a program: `finetune.compare`."""

import inspect
import io
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pandas as pd

from finetune.data.target import prepare_target
from finetune.errors import DataError, SpecError
from finetune.execution.base import Executor
from finetune.execution.choice import executor_or_new
from finetune.execution.progress import SILENT, Progress
from finetune.execution.training import Options
from finetune.models.architecture import network_json
from finetune.spec.study_file import parse_spec
from finetune.store.atomic import write_whole
from finetune.studies.load import load_spec
from finetune.studies.results import Results
from finetune.studies.run import run_study
from finetune.usercode.files import locate_files

_DATA, _NETWORK = "data.npz", "network.json"


def compare(
    model_fn: Callable[..., Any],
    x: Any,
    y: Any,
    *,
    variants: Mapping[str, Mapping[str, Any]] | None = None,
    claims: Sequence[Mapping[str, Any]] | None = None,
    seeds: int = 20,
    epochs: int = 100,
    batch_size: int = 32,
    name: str = "comparison",
    out: Path | str | None = None,
    workers: int | None = 0,
    executor: Executor | None = None,
    progress: Progress = SILENT,
    figures: bool = True,
    **settings: Any,
) -> Results:
    """Compare callbacks on a Keras model and arrays; shown in a notebook, the result is a report.

    Model and arrays are kept in the folder, so that the same call again trains nothing anew.
    Nothing is printed unless `progress` prints it.

    Args:
        model_fn: Returns a Keras model of layers that Keras knows; called once, with
            `(input_shape, n_outputs)`, or with nothing where it needs no argument. A compiled
            model brings its optimizer and its loss, where a study file can hold them. Every seed
            draws the weights anew from its layers' initialisers.
        x: Features, (row, feature): an array or a DataFrame.
        y: Target, (row,): classes or numbers.
        variants: The callbacks of each variant, as a study file has them, by its name:
            `{"stop": {"early_stopping": {"patience": 5}}}`. Default: those of the founding study.
        claims: Each as in a study file; default those of the founding study with its variants.
        seeds: Seeds to train, 0 to N-1.
        epochs: Epochs at most.
        batch_size: Rows a step.
        name: Of the study.
        out: Folder of the report and the results; default `reports/NAME`.
        workers: Worker processes; 0 trains in this one (see `run`).
        executor: Trains instead of `workers`; it is not ended.
        progress: Shows how far training is (see `run`).
        figures: Whether the report has figures.
        **settings: Any other table or key of a study file, as `vary=["init"]` or
            `data={"val_size": 0.3}`.

    Raises:
        FinetuneError: something cannot be done; what was finished is stored.
    """
    if "model" in settings:
        raise SpecError("model: received a setting; the network is model_fn's; leave it out")
    folder = Path(out or Path("reports") / name)
    features, target = _arrays(x, y)
    model = _made(model_fn, features, target, task=settings.get("data", {}).get("task"))
    founding = load_spec().model_dump(mode="json", exclude_defaults=True)
    training = {"epochs": epochs, "batch_size": batch_size, **_compiled(model)}
    tree = {
        "name": name,
        "seeds": seeds,
        **({key: founding[key] for key in ("variants", "claims")} if variants is None else {}),
        **settings,
        "data": {"source": _DATA, **settings.get("data", {})},
        "model": {"architecture": _NETWORK},
        "training": training | settings.get("training", {}),
    }
    if variants is not None:
        tree["variants"] = [{"name": key, **value} for key, value in variants.items()]
    if claims is not None:
        tree["claims"] = [dict(claim) for claim in claims]
    spec = parse_spec(tree, where="compare")
    _keep(folder, features, target, network_json(model))
    with executor_or_new(executor, workers, on_note=progress.note) as chosen:
        options = Options(chosen, progress, figures=figures)
        return run_study(locate_files(spec, folder), folder, options=options)


def _arrays(x: Any, y: Any) -> tuple[np.ndarray, np.ndarray]:
    try:
        features = np.asarray(x, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise DataError(
            "x: holds more than numbers; allowed is (row, feature) of numbers; for columns of text "
            "give a study file with `data.source`"
        ) from error
    target = np.asarray(y)
    if target.dtype == object and all(isinstance(value, str) for value in target.flat):
        target = target.astype(str)
    if target.ndim == 2 and target.shape[1] == 1:
        target = target[:, 0]
    if features.ndim != 2 or target.shape != features.shape[:1]:
        raise DataError(
            f"x, y: received shapes {features.shape} and {target.shape}; allowed are (row, feature)"
            " and (row,) with as many rows"
        )
    return features, target


def _made(
    model_fn: Callable[..., Any], features: np.ndarray, target: np.ndarray, *, task: Any
) -> keras.Model:
    found = prepare_target(pd.Series(target), task)
    outputs = len(found.classes) if found.task == "multiclass" else 1
    needed = [
        parameter
        for parameter in inspect.signature(model_fn).parameters.values()
        if parameter.default is parameter.empty and parameter.kind != parameter.VAR_KEYWORD
    ]
    model = model_fn((features.shape[1],), outputs) if needed else model_fn()
    if not isinstance(model, keras.Model):
        raise SpecError(f"model_fn: returned {type(model).__name__}; allowed is a keras.Model")
    return model


def _compiled(model: Any) -> dict[str, Any]:
    """Return what a model was compiled with, as a study file has it."""
    optimizer = getattr(model, "optimizer", None)
    if optimizer is None:
        return {}
    kind = type(optimizer)
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
    return {"optimizer": {**rate, "args": arguments}, **_compiled_loss(model.loss)}


def _compiled_loss(loss: Any) -> dict[str, str]:
    if loss is None or isinstance(loss, str):
        return {"loss": loss} if loss else {}
    name = getattr(loss, "name", None)
    if isinstance(loss, keras.losses.Loss) and isinstance(name, str):
        usual = type(loss)().get_config()
        if loss.get_config() == usual:
            return {"loss": name}
    raise SpecError(
        f"model_fn: its loss is {name or loss!r} with arguments of its own; allowed is the name of "
        "a loss, or one with Keras's defaults; leave it out to follow the task, with an activation "
        "at the output"
    )


def _keep(folder: Path, features: np.ndarray, target: np.ndarray, network: str) -> None:
    buffer = io.BytesIO()
    np.savez(buffer, x=features, y=target)
    write_whole(folder / _DATA, buffer.getvalue())
    write_whole(folder / _NETWORK, network.encode())
