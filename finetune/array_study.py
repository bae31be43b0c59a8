"""A study of a Keras model and arrays, from a notebook or a program: `finetune.compare`."""

import inspect
import io
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pandas as pd

from finetune.api import run
from finetune.architecture import network_json
from finetune.content import with_content
from finetune.data.target import prepare_target
from finetune.errors import DataError, SpecError
from finetune.report.writing import write_whole
from finetune.results import Results
from finetune.study_file import load_spec, parse_spec

_DATA, _NETWORK = "data.npz", "network.json"


def compare(
    model_fn: Callable[..., Any],
    x: Any,
    y: Any,
    *,
    variants: Mapping[str, Mapping[str, Any]] | None = None,
    claim: Mapping[str, Any] | None = None,
    seeds: int = 20,
    epochs: int = 100,
    batch_size: int = 32,
    name: str = "comparison",
    out: Path | str | None = None,
    workers: int | None = 0,
    **settings: Any,
) -> Results:
    """Compare callbacks on a Keras model and arrays; shown in a notebook, the result is a report.

    Model and arrays are kept in the folder, so that the same call again trains nothing anew.

    Args:
        model_fn: Gives a Keras model of layers that Keras knows; called once, with
            `(input_shape, n_outputs)` or with nothing. A compiled model brings its optimizer and
            its loss; every seed draws the weights anew from its layers' initialisers.
        x: Features, (row, feature): an array or a DataFrame.
        y: Target, (row,): classes or numbers.
        variants: The callbacks of each variant, as a study file has them, by its name:
            `{"stop": {"early_stopping": {"patience": 5}}}`. Default: those of the founding study.
        claim: As in a study file; default that of the founding study with its variants.
        seeds: Seeds to train, 0 to N-1.
        epochs: Epochs at most.
        batch_size: Rows a step.
        name: Of the study.
        out: Folder of the report and the results; default `reports/NAME`.
        workers: Worker processes; 0 trains in this one (see `run`).
        **settings: Any other part of a study file, as `vary=["init"]` or `data={"val_size": 0.3}`.

    Raises:
        FinetuneError: something cannot be done; what was finished is stored.
    """
    folder = Path(out or Path("reports") / name)
    features, target = _arrays(x, y)
    network, compiled = _network(model_fn, features, target, settings.get("data", {}).get("task"))
    founding = load_spec().model_dump(mode="json", exclude_defaults=True)
    tree = {
        "name": name,
        "seeds": seeds,
        "variants": founding["variants"],
        **({"claim": founding["claim"]} if variants is None else {}),
        **settings,
        "data": {"source": _DATA, **settings.get("data", {})},
        "model": {"architecture": _NETWORK},
        "training": {
            "epochs": epochs,
            "batch_size": batch_size,
            **compiled,
            **settings.get("training", {}),
        },
    }
    if variants is not None:
        tree["variants"] = [{"name": key, **value} for key, value in variants.items()]
    if claim is not None:
        tree["claim"] = dict(claim)
    spec = parse_spec(tree, where="compare")
    _keep(folder, features, target, network)
    return run(with_content(spec, folder), out=folder, workers=workers)


def _arrays(x: Any, y: Any) -> tuple[np.ndarray, np.ndarray]:
    try:
        features = np.asarray(x, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise DataError(
            "x: holds more than numbers; allowed is (row, feature) of numbers; for columns of text "
            "give a study file with `data.source`"
        ) from error
    target = np.asarray(y).ravel() if not isinstance(y, pd.Series) else y.to_numpy()
    if features.ndim != 2 or len(features) != len(target):
        raise DataError(
            f"x, y: received shapes {features.shape} and {target.shape}; allowed are (row, feature)"
            " and (row,) with as many rows"
        )
    return features, target


def _network(
    model_fn: Callable[..., Any], features: np.ndarray, target: np.ndarray, task: Any
) -> tuple[str, dict[str, Any]]:
    """Give the network as Keras writes it, and what it was compiled with, as a study has it."""
    found = prepare_target(pd.Series(target), task)
    outputs = len(found.classes) if found.task == "multiclass" else 1
    takes = inspect.signature(model_fn).parameters
    model = model_fn((features.shape[1],), outputs) if takes else model_fn()
    if not isinstance(model, keras.Model):
        raise SpecError(f"model_fn: gave {type(model).__name__}; allowed is a keras.Model")
    return network_json(model), _compiled(model)


def _compiled(model: Any) -> dict[str, Any]:
    optimizer = getattr(model, "optimizer", None)
    if optimizer is None:
        return {}
    config, usual = optimizer.get_config(), type(optimizer)().get_config()
    if not isinstance(config["learning_rate"], float):
        raise SpecError(
            "model_fn: its optimizer has a schedule for a learning rate; allowed is a number; give "
            "schedules as variants"
        )
    own = {"name", "learning_rate"}
    arguments = {key: value for key, value in config.items() if value != usual[key]}
    found: dict[str, Any] = {
        "optimizer": {
            "name": type(optimizer).__name__.lower(),
            "learning_rate": config["learning_rate"],
            "args": {key: value for key, value in arguments.items() if key not in own},
        }
    }
    return {**found, "loss": model.loss} if isinstance(model.loss, str) else found


def _keep(folder: Path, features: np.ndarray, target: np.ndarray, network: str) -> None:
    buffer = io.BytesIO()
    np.savez(buffer, x=features, y=target)
    write_whole(folder / _DATA, buffer.getvalue())
    write_whole(folder / _NETWORK, network.encode())
