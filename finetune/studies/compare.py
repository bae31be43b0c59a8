"""A study of a Keras model and arrays, from a notebook or a program: `finetune.compare`."""

import inspect
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np

from finetune.callbacks.specs import variant_settings
from finetune.data.cells import TextRules
from finetune.data.given_inputs import given_rows
from finetune.data.input_features import read_features
from finetune.data.table import Table
from finetune.data.target import Target, check_classes, prepare_target
from finetune.errors import SpecError, one_line
from finetune.execution.base import Executor
from finetune.execution.choice import executor_or_new
from finetune.execution.progress import SILENT, Progress
from finetune.execution.training import Options
from finetune.models.architecture import network_json
from finetune.models.ids import layer_of_ids
from finetune.models.inputs import why_no_inputs
from finetune.models.losses import fitting_accuracy, fitting_loss
from finetune.spec.data import BESIDE, DataSpec
from finetune.spec.messages import shorten
from finetune.spec.study import StudySpec
from finetune.spec.study_file import parse_spec
from finetune.store.atomic import write_whole
from finetune.studies.compiled import compiled_training, speed_note
from finetune.studies.given_network import GivenNetwork, given_network
from finetune.studies.load import load_spec
from finetune.studies.results import Results
from finetune.studies.run import run_study
from finetune.usercode.files import locate_files
from finetune.usercode.imports import wrap_errors
from finetune.usercode.keras_config import check_config

# Keys of `[data]` that x and y decide.
_GIVEN = ("source", "args", "target", "inputs", "content")
# Arguments of `keras.Model.fit` that people try, and what there is instead.
_OF_FIT = {
    "callbacks": "give them by name, as variants={'stop': EarlyStopping()}",
    "validation_split": "it is data={'val_size': 0.2}, a share of all rows",
    "validation_data": "validation rows are taken from x, as many as data={'val_size': 0.2} says",
    "verbose": "it is progress=finetune.ProgressBar()",
}


def compare(
    model_fn: Callable[..., Any],
    x: Any,
    y: Any,
    *,
    variants: Mapping[str, Any] | None = None,
    claims: list[Mapping[str, Any]] | None = None,
    seeds: int | Mapping[str, int] = 20,
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
            `(input_shape, n_outputs)`, or with nothing where it needs no argument; of several
            inputs the shapes are a dictionary. A compiled model brings its optimizer, loss and
            accuracy; what else it is compiled with is refused by name where a study file cannot
            hold it. Every seed draws the weights anew from its layers' initialisers, but for what
            was loaded or adapted in layers that do not train; `model={"pretrained": "all"}` keeps
            all of it.
        x: Features, (row, feature): an array, a sparse matrix or a DataFrame, whose text, booleans
            and missing values are read as those of a study file's table; or an array (row, ...), as
            of images. Whole numbers are ids where the network has an Embedding or the like. Of
            several inputs a dictionary of arrays by the inputs' names, in which are also those that
            `data={"groups": ...}` and the like name.
        y: Target, (row,): classes or numbers.
        variants: Each variant by its name: callbacks of Keras's, one or a list, as
            `{"stop": keras.callbacks.EarlyStopping(patience=5)}`, or a table as a study file has
            it, `{"stop": {"early_stopping": {"patience": 5}}}`. Default: those of the founding
            study.
        claims: Each as in a study file; default those of the founding study with its variants.
        seeds: Seeds to train, 0 to N-1; or `{"from": 20, "to": 300}`, as many as the claims need.
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
    for key in settings:
        if key in _OF_FIT:
            raise SpecError(f"{key}: is no argument of compare; {_OF_FIT[key]}")
    folder = _folder(out, name)
    _check_executor(executor, workers)
    _check_kind("progress", progress, Progress, remedy="as finetune.ProgressBar() is one")
    data = _data(settings.get("data", {}))
    given = given_rows(x, y, beside=[data.get(key) for key in BESIDE])
    tree = {
        "name": name,
        "seeds": seeds,
        **_variants_and_claims(variants, claims),
        **{key: value for key, value in settings.items() if key != "model"},
        "data": {**given.section, **data},
        "training": {"epochs": epochs, "batch_size": batch_size},
    }
    own = _table(settings.get("training", {}), field="training")
    # The first time for the data, and before the user's code runs.
    spec = _parse(tree, training=own)
    table = given.table(spec.data)
    target = prepare_target(table.target, spec.data.task, rules=TextRules.of(spec.data))
    check_classes(target, spec.data.task)
    network = given_network(
        lambda: _made(model_fn, table, target, data=spec.data),
        _table(settings.get("model", {}), field="model"),
    )
    model = network.model
    given = given.as_ids(takes_ids=layer_of_ids(model) is not None)
    tree["model"] = network.section
    training = {**compiled_training(model, task=target.task), **own}
    if variants is None and claims is None:
        tree["claims"] = _measured(tree["claims"], target, training)
    spec = _parse(tree, training=training)
    if note := speed_note(model):
        progress.note(note)
    content = _written(network)
    write_whole(folder / given.section["source"], given.content())
    write_whole(folder / network.name, content)
    with executor_or_new(executor, workers, on_note=progress.note) as chosen:
        options = Options(chosen, progress, figures=figures)
        return run_study(locate_files(spec, folder), folder, options=options)


def _parse(tree: Mapping[str, Any], *, training: Mapping[str, Any]) -> StudySpec:
    whole = {**tree, "training": {**tree["training"], **training}}
    return parse_spec(_plain(whole), where="compare")


def _plain(node: Any) -> Any:
    """Return a tree with the scalars of NumPy, of which a program's settings may be, as Python's.

    What a study's file cannot hold is left as it is.
    """
    if isinstance(node, Mapping):
        return {key: _plain(value) for key, value in node.items()}
    if isinstance(node, list | tuple):
        return [_plain(value) for value in node]
    return node.item() if isinstance(node, np.generic) else node


def _check_kind(field: str, value: Any, kind: type, *, remedy: str) -> None:
    if not isinstance(value, kind):
        received = value.__name__ if isinstance(value, type) else type(value).__name__
        wanted = "dict" if kind is Mapping else kind.__name__
        raise SpecError(f"{field}: received {received}; allowed is a {wanted}; {remedy}")


def _check_executor(executor: Any, workers: Any) -> None:
    if executor is not None:
        _check_kind("executor", executor, Executor, remedy="leave it out, and give workers")
    if workers is not None and (not isinstance(workers, int) or workers < 0):
        raise SpecError(
            f"workers: received {shorten(workers)}; allowed are 0, which trains in this process, "
            "a number of processes, and None for one a core"
        )


def _folder(out: Path | str | None, name: str) -> Path:
    _check_kind("name", name, str, remedy="it also names the folder")
    if out is not None and not isinstance(out, Path | str):
        raise SpecError(f"out: received {shorten(out)}; allowed is the path of a folder")
    return Path(out or Path("reports") / name)


def _table(value: Any, *, field: str) -> dict[str, Any]:
    _check_kind(field, value, Mapping, remedy="give a dict as a study file has the table")
    return dict(value)


def _data(value: Any) -> dict[str, Any]:
    section = _table(value, field="data")
    for key in _GIVEN:
        if key in section:
            raise SpecError(
                f"data.{key}: received {shorten(section[key])}, but the data are x and y; leave it "
                "out"
            )
    return section


def _variants_and_claims(variants: Any, claims: Any) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if variants is None:
        founding = load_spec().model_dump(mode="json", exclude_defaults=True)
        found = {key: founding[key] for key in ("variants", "claims")}
    else:
        _check_kind("variants", variants, Mapping, remedy="give each variant a name: {'stop': ...}")
        found["variants"] = [
            {"name": name, **_variant(value, field=f"variants.{name}")}
            for name, value in variants.items()
        ]
    if claims is not None:
        _check_kind("claims", claims, list, remedy="give a list of tables as a study file has")
        found["claims"] = [_table(one, field=f"claims.{at}") for at, one in enumerate(claims)]
    return found


def _measured(claims: Any, target: Target, training: Mapping[str, Any]) -> list[Any]:
    """Return those of the founding study's claims whose metrics are measured here."""
    task, n_classes = target.task, len(target.classes)
    loss = fitting_loss(training.get("loss"), task=task, n_classes=n_classes)
    if fitting_accuracy(training.get("accuracy"), task=task, loss=loss):
        return claims
    return [claim for claim in claims if "accuracy" not in claim.get("metric", "")]


def _variant(value: Any, *, field: str) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        return variant_settings(value, field=field)
    for key, inner in value.items():
        for one in inner if isinstance(inner, list | tuple) else [inner]:
            if isinstance(one, keras.callbacks.Callback):
                raise SpecError(
                    f"{field}.{key}: received an object of {type(one).__name__}; allowed in a "
                    "table are settings; give the object, or a list of them, instead of the table"
                )
    return dict(value)


def _made(model_fn: Any, table: Table, target: Target, *, data: DataSpec) -> keras.Model:
    """Call the function that builds the model, with the shape of an encoded row where it asks.

    Raises:
        SpecError: It is no function, raises, or returns something else.
    """
    if isinstance(model_fn, keras.Model) or not callable(model_fn):
        raise SpecError(
            f"model_fn: received a {type(model_fn).__name__}; allowed is a function that builds "
            "a keras.Model, whose weights every seed draws anew; give a function that returns it"
        )
    shape = read_features(table.features, data).shape
    outputs = len(target.classes) if target.task == "multiclass" else 1
    build = _named_errors(model_fn)
    model = build(shape, outputs) if _needs_arguments(model_fn) else build()
    if not isinstance(model, keras.Model):
        raise SpecError(f"model_fn: returned {type(model).__name__}; allowed is a keras.Model")
    if reason := why_no_inputs(model, shape):
        raise SpecError(f"model_fn: the network {reason}")
    return model


def _named_errors(model_fn: Callable[..., Any]) -> Callable[..., Any]:
    code = getattr(model_fn, "__code__", None)
    file = Path(code.co_filename).resolve() if code else None
    name = getattr(model_fn, "__name__", type(model_fn).__name__)
    return wrap_errors(model_fn, name, file=file, field="model_fn", error=SpecError)


def _needs_arguments(function: Callable[..., Any]) -> bool:
    try:
        parameters = inspect.signature(function).parameters.values()
    # Some that are written in C have no signature.
    except (TypeError, ValueError):
        return True
    return any(p.default is p.empty and p.kind != p.VAR_KEYWORD for p in parameters)


def _written(network: GivenNetwork) -> bytes:
    """Return what the network's file holds.

    Raises:
        SpecError: It has code of its own, which no JSON holds.
    """
    try:
        check_config(json.loads(network_json(network.model)), field="it", error=SpecError)
        return network.content()
    # What a layer's or a network's own `get_config` raises; Keras's has none for such a network.
    except Exception as error:
        raise SpecError(
            f"model_fn: returned {type(network.model).__name__}, which cannot be written down as "
            f"layers of Keras ({one_line(error)[:120]}); allowed are networks of such layers; give "
            "others to a study file as `model.factory`, which takes the function itself"
        ) from error
