"""What Keras computes with for a problem: model, loss, accuracy and optimizer."""

from collections.abc import Callable, Iterable
from copy import copy
from functools import partial
from typing import Any

import keras
import numpy as np

from finetune.data.inputs import by_name
from finetune.engines.metrics import WholeSplit, whole_split_metric
from finetune.engines.problem import Features, Problem
from finetune.errors import SpecError
from finetune.models.ids import first_layer_of_ids, layer_of_ids
from finetune.models.initial_values import SeededModel
from finetune.models.inputs import named_inputs
from finetune.models.layer_names import names_in_network
from finetune.models.loaded_weights import layers_are
from finetune.models.network import build_model
from finetune.models.summary import NETWORK_NOTE, NetworkSummary, summarise
from finetune.spec.model import ModelSpec
from finetune.spec.training import OptimizerSpec
from finetune.spec.variants import VariantSpec
from finetune.usercode.keras_config import check_config

# Of targets and predictions, both (row, ...).
Measure = Callable[[Any, Any], Any]
# Of these and the weight of each row, (row,), or None.
Loss = Callable[..., Any]


_COMPILED = (
    "model.factory: the network comes compiled; it is trained with the study's optimizer, loss and "
    "metrics, not with its own"
)


class KerasProblem:
    """One model for a problem, whose weights any seed can be given, with its loss and accuracy.

    Make and use it inside `models.precision(spec.training.dtype)`.

    Attributes:
        problem: The one given, with features as the model takes them.
        model: Not compiled.
        summary: What it is, for a report.
        loaded: What the network loaded, and what became of it.
        loss: Returns the mean loss of some rows, each times its weight where weights are given.
        row_accuracy: Returns a value for each row, 1 where it is right; None for regression.
        accuracy: Returns the mean of `row_accuracy`; None for regression.
        metrics: The study's further metrics, by name.

    Raises:
        SpecError: Keras knows no such loss, or the model cannot be built, or not as the study says.
    """

    def __init__(self, problem: Problem):
        spec = problem.spec
        self._optimizer_spec = spec.training.optimizer
        self._like = like = spec.model.begins_like
        self._seeded = SeededModel(
            partial(_build, problem, spec.model),
            spec.model,
            like=like and partial(_build, problem, like),
        )
        self._begins_alike = self._seeded.layers if like else {}
        self.problem, ids, reading = _as_network_takes(problem, self._seeded.model)
        self.loaded = self._seeded.loaded
        self.model = self._seeded.model
        unused = [_COMPILED] if self.model.compiled else []
        self._notes = (*reading, *unused)
        self._network_notes = self.loaded.notes()
        # A report describes the study's own network; that of a variant is told by what differs.
        self.summary = None if like else self._summarise(ids)
        self.loss = _loss(str(spec.training.loss))
        name = spec.training.accuracy
        self.row_accuracy: Measure | None = getattr(keras.metrics, name) if name else None
        self.accuracy = _mean(self.row_accuracy) if self.row_accuracy else None
        self.metrics: dict[str, WholeSplit] = {
            name: whole_split_metric(name) for name in spec.training.metrics or ()
        }

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences on how the network takes its data, what of it is not used, what it loaded."""
        # Those of variants with a network of their own name these: `initial_notes`.
        own = () if self._like else (NETWORK_NOTE[0] + note for note in self._network_notes)
        return (*self._notes, *own)

    def of_rest(self, rest: keras.Model, features: Features, *, note: str) -> "KerasProblem":
        """Return the same for the rest of the network, which takes `features` of every row's own.

        Random streams stay those of the whole network.
        """
        other = copy(self)
        other.model, other._seeded = rest, self._seeded.of_rest(rest)
        other.problem = self.problem.with_features(features)
        other._network_notes = (*self._network_notes, note)
        return other

    def _summarise(self, ids: Iterable[str | None]) -> NetworkSummary:
        return summarise(
            self.model,
            names=names_in_network(self.model),
            kept=self.loaded.kept_layers,
            redrawn=self.loaded.redrawn_layers,
            frozen=self.loaded.frozen_layers,
            ids=(name or "" for name in ids),
        )

    def initial_values(self, problem: Problem, seed: int, *, replicate: int) -> list[np.ndarray]:
        """Draw the initial values of all of the model's variables for a seed.

        Args:
            problem: This one, or the same where other sources vary (`Problem.varied`).
            seed: Of the run.
            replicate: See `Task`.
        """
        noise = problem.noise_stream(seed, replicate=replicate)
        return self._seeded.initial_values(problem.initial_stream(seed), noise)

    def values_of_every_seed(self) -> dict[int, np.ndarray]:
        """Return the initial values that are the same for every seed, by the variable's id."""
        return self._seeded.values_of_every_seed()

    def initial_notes(self, variants: Iterable[VariantSpec]) -> tuple[str, ...]:
        """Return what the variants' own network, if it is one, begins with."""
        if not self._like:
            return ()
        names = ", ".join(repr(variant.name) for variant in variants)
        layers = self._begins_alike
        alike, own = ([n for n, same in layers.items() if same is which] for which in (True, False))
        shared = [f"{layers_are(alike)} drawn as in the study's network"] * bool(alike)
        drawn = [f"{layers_are(own)} drawn for this network alone"] * bool(own)
        said = (*shared, *drawn, *self._network_notes)
        return tuple(f"{NETWORK_NOTE[1]}{names}: {note}" for note in said)

    def optimizer(self) -> keras.Optimizer:
        """Make a fresh optimizer.

        Raises:
            SpecError: Keras knows no such optimizer, or refuses its arguments.
        """
        return _optimizer(self._optimizer_spec)


def _build(problem: Problem, model: ModelSpec) -> keras.Model:
    return build_model(
        model, problem.spec.training, shape=problem.shape, n_classes=problem.n_classes
    )


def call_model(model: Any, x: Any, *, training: bool) -> Any:
    """Call a model as `fit` and `evaluate` do, which tell it nothing that it does not ask for.

    Source: `train_step` and `test_step`, keras/src/backend/tensorflow/trainer.py, Keras 3.15.
    """
    return model(x, training=training) if model._call_has_training_arg else model(x)


def _as_network_takes(
    problem: Problem, model: keras.Model
) -> tuple[Problem, list[str | None], tuple[str, ...]]:
    """Return a problem whose features are as the network takes them.

    Also the names of the inputs that hold ids (None for the only one), and notes on that.

    Raises:
        SpecError: Numbers that are scaled would be taken for ids.
    """
    _check_known(problem, model)
    notes, ids = [], []
    for name, whole in by_name(problem.whole).items():
        scale = problem.spec.data.scale_of(name)
        layer = layer_of_ids(model, name)
        if whole and layer and scale is None:
            ids.append(name)
            notes.append(
                f"{_whole(name)}: taken for ids, since the network has the layer {layer}, and not "
                f"scaled; {_scale(name, 'standard')} takes them for features"
            )
            continue
        _check_first_layer(model, name, whole=whole, scale=scale)
        if whole and scale is None and problem.spec.model.own:
            notes.append(
                f"{_whole(name)}: taken for features and scaled, since no layer of the network "
                f"takes ids; {_scale(name, 'none')} hands them over as they are"
            )
    return problem.with_ids(ids) if ids else problem, ids, tuple(notes)


def _check_known(problem: Problem, model: keras.Model) -> None:
    """Check that it is known which of several inputs a layer of ids takes.

    Raises:
        SpecError: The network's inputs are in the code of its class, and the study does not say.
    """
    scale_of = problem.spec.data.scale_of
    whole = [n for n, whole in by_name(problem.whole).items() if whole and scale_of(n) is None]
    layer = layer_of_ids(model)
    if len(whole) > 1 and layer and named_inputs(model) is None:
        raise SpecError(
            f"data.scale: the inputs {', '.join(map(repr, whole))} are whole numbers, and only the "
            f"code of {type(model).__name__} says which of them the layer {layer} takes for ids; "
            f"allowed is a word for each; say {_scale(whole[0], 'none')} of ids, and "
            '"standard" or "channel" of features'
        )


def _check_first_layer(
    model: keras.Model, name: str | None, *, whole: bool, scale: str | None
) -> None:
    """Check that a layer which takes an input for ids gets numbers that are not scaled.

    Raises:
        SpecError: They are scaled.
    """
    first = first_layer_of_ids(model, name)
    if first and scale != "none":
        features = f"those of the input {name!r}" if name else "the features"
        raise SpecError(
            f"data.scale: the network's first layer {first} takes whole numbers, but {features} "
            f"are {'whole numbers ' if whole else ''}scaled; allowed with it is "
            f"{_scale(name, 'none').removeprefix('data.')}, which hands them over as they are"
        )


def _whole(name: str | None) -> str:
    of = f"those of the input {name!r}" if name else "the features"
    return f"data: {of} are whole numbers"


def _scale(name: str | None, word: str) -> str:
    """Return the line of a study file that scales an input so."""
    return f'data.scale.{name} = "{word}"' if name else f'data.scale = "{word}"'


def _optimizer(spec: OptimizerSpec) -> keras.Optimizer:
    config = {"learning_rate": spec.learning_rate, **spec.args}
    check_config(spec.args, field="training.optimizer.args", error=SpecError)
    try:
        return keras.optimizers.get({"class_name": spec.name, "config": config})
    # Wrong arguments make Keras raise all kinds of exceptions.
    except Exception as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise SpecError(
            f"training.optimizer: Keras refuses {spec.name!r} with {config}: {reason}; allowed "
            "is the name of a class in keras.optimizers and its arguments"
        ) from error


def _loss(name: str) -> Loss:
    try:
        found: Any = keras.losses.get(name)
        # Base classes are found by their names too, and compute nothing; some need arguments.
        if type(found) is keras.Loss:
            raise TypeError(name)
    except (ValueError, TypeError) as error:
        raise SpecError(
            f"training.loss: received {name!r}; allowed is the name of a loss in keras.losses"
        ) from error
    # An object reduces by itself; a function returns a value a row. Keras's default reduction is
    # the mean, "sum_over_batch_size", over rows: weights are not divided by their sum.
    return found if isinstance(found, keras.Loss) else _weighted_mean(found)


def _weighted_mean(measure: Measure) -> Loss:
    def loss(y, predicted, weight=None):
        values = measure(y, predicted)
        return keras.ops.mean(values if weight is None else values * weight)

    return loss


def _mean(measure: Measure) -> Measure:
    return lambda y, predicted: keras.ops.mean(measure(y, predicted))
