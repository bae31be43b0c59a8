"""What was loaded into a network, which layers keep it, and which are drawn anew all the same."""

from collections.abc import Iterable

import keras
import numpy as np

from finetune.errors import SpecError
from finetune.models.layer_names import layers_by_name, listed_names, matching_layers
from finetune.spec.model import ModelSpec


class LoadedWeights:
    """Freezes the layers that a study names, and decides which layers keep what was loaded.

    A layer counts by its own variables, not by those of layers in it. One with nothing to train,
    since it is frozen or holds only what it was adapted to, keeps what was loaded whatever
    `spec.pretrained` says; one that trains keeps it where that is "all" or names the layer.

    Args:
        model: The network; its layers named by `spec.freeze` are frozen here.
        spec: Of the network.
        changed: The ids of variables that hold other values than their initialisers gave.

    Attributes:
        kept: The ids of variables that keep what was loaded.
        loaded_layers, kept_layers, redrawn_layers, frozen_layers: Paths of layers: those that
            weights were loaded into, those of them that keep these, those that are drawn anew for
            each seed all the same, and those of all layers that have weights and train none.
        n_weights, n_trainable: Numbers of all the network's weights, and of those that train.

    Raises:
        SpecError: A layer that is named is not there, nothing was loaded where weights are to be
            kept, or nothing is left to train.
    """

    def __init__(self, model: keras.Model, spec: ModelSpec, *, changed: frozenset[int]):
        _freeze(model, spec)
        # A layer that the network itself is, as of a class of the user's, may have its own too.
        layers = {model.name: model, **layers_by_name(model)}
        own = {path: _own_variables(layer) for path, layer in layers.items()}
        loaded = {path: [v for v in own[path] if id(v) in changed] for path in own}
        self.loaded_layers = [path for path in own if loaded[path]]
        wanted = _wanted(model, spec, loaded=self.loaded_layers)
        self.kept_layers = [
            path for path in self.loaded_layers if path in wanted or not _trains(own[path])
        ]
        self.redrawn_layers = [p for p in self.loaded_layers if p not in self.kept_layers]
        self.frozen_layers = [path for path in own if own[path] and not _trains(own[path])]
        self.kept = frozenset(id(v) for path in self.kept_layers for v in loaded[path])
        self.n_weights = _count(model.variables)
        self.n_trainable = _count(model.trainable_variables)

    def notes(self) -> tuple[str, ...]:
        """Return a sentence on what was loaded and is kept, and a loud one on what is not."""
        notes = []
        if self.kept_layers:
            notes.append(f"{layers_are(self.kept_layers)} as loaded, at every seed")
        if self.redrawn_layers:
            notes.append(
                f"WEIGHTS WERE LOADED AND ARE NOT USED: {layers_are(self.redrawn_layers)} "
                "drawn anew for each seed, as all that trains is; model.pretrained = "
                '"all", or with names of layers, starts from what was loaded'
            )
        if self.loaded_layers or self.frozen_layers:
            notes.append(f"{self.n_trainable:,} of {self.n_weights:,} weights train")
        return tuple(notes)


def _freeze(model: keras.Model, spec: ModelSpec) -> None:
    for layer in matching_layers(model, spec.freeze, field="model.freeze").values():
        layer.trainable = False
    # One that is not built yet has no weights at all.
    if model.weights and not model.trainable_variables:
        raise SpecError(_nothing_trains(spec))


def _own_variables(layer: keras.Layer) -> list[keras.Variable]:
    """Return the variables of a layer that are in no layer within it."""
    return [*layer._trainable_variables, *layer._non_trainable_variables]


def _trains(variables: Iterable[keras.Variable]) -> bool:
    return any(variable.trainable for variable in variables)


def _wanted(model: keras.Model, spec: ModelSpec, *, loaded: list[str]) -> set[str]:
    """Return the paths of layers that keep what was loaded even where they train."""
    if spec.pretrained == "frozen":
        return set()
    if spec.pretrained == "all":
        wanted = set(loaded)
    else:
        wanted = set(matching_layers(model, spec.pretrained, field="model.pretrained"))
    if not wanted.intersection(loaded):
        there = f"layers with loaded weights: {listed_names(loaded)}"
        raise SpecError(
            f"model.pretrained: received {_shown(spec.pretrained)}, but no weights were loaded "
            f"there; allowed are {there if loaded else 'networks that load weights'}; load them in "
            'model.factory or by model.file, or say "frozen"'
        )
    return wanted


def _shown(pretrained: str | tuple[str, ...]) -> str:
    return repr(pretrained) if isinstance(pretrained, str) else listed_names(list(pretrained))


def _nothing_trains(spec: ModelSpec) -> str:
    if spec.freeze:
        return (
            f"model.freeze: received {listed_names(list(spec.freeze))}, which leaves no weights to "
            "train; allowed is to freeze some of the layers; name fewer"
        )
    where = "model.factory" if spec.factory else "model"
    return (
        f"{where}: none of the network's weights train; allowed is at least one; set "
        "trainable = True on a layer, or add one"
    )


def layers_are(paths: list[str]) -> str:
    """Return the beginning of a sentence on some layers, as "the layers conv, dense are"."""
    noun = "layer" if len(paths) == 1 else "layers"
    return f"the {noun} {listed_names(paths, most=5)} {'is' if len(paths) == 1 else 'are'}"


def _count(variables: Iterable[keras.Variable]) -> int:
    # States of seed generators are no weights; all others are floats.
    return sum(
        int(np.prod(v.shape))
        for v in variables
        if "float" in keras.backend.standardize_dtype(v.dtype)
    )
