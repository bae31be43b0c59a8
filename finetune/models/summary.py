"""What a network is, as data: its layers, and which of its weights are trained."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from finetune.spec.data import DataSpec

# What a note begins with that tells of a network's weights, those of all variants or of some.
NETWORK_NOTE = ("model: ", "model of ")


@dataclass(frozen=True)
class LayerSummary:
    """One layer.

    Attributes:
        name: Its name in the network.
        kind: Name of its class.
        shape: Of what it returns for a row, an open axis as None; None where Keras cannot tell.
        weights: Number of its weights, its layers' own too.
    """

    name: str
    kind: str
    shape: tuple[int | None, ...] | None
    weights: int


@dataclass(frozen=True)
class NetworkSummary:
    """A network.

    Attributes:
        layers: In Keras's order.
        trainable: Number of weights that the optimizer changes.
        other: Number of all others: frozen ones, and statistics that layers keep themselves.
        penalised: Whether its loss has more terms than the study's loss, as regularisers add them.
        kept, redrawn: Paths of the layers into which weights were loaded: those that begin with
            them at every seed, and those that are drawn all the same.
        frozen: Paths of the layers that have weights and train none.
        ids: Names of the inputs whose whole numbers it takes for ids, which are then not scaled
            though the study says nothing of it; "" where there is one input.
    """

    layers: tuple[LayerSummary, ...]
    trainable: int
    other: int
    penalised: bool
    kept: tuple[str, ...] = ()
    redrawn: tuple[str, ...] = ()
    frozen: tuple[str, ...] = ()
    ids: tuple[str, ...] = ()

    def as_taken(self, data: DataSpec) -> DataSpec:
        """Return a study's data as the network takes them, with ids not scaled."""
        return data.unscaled(name or None for name in self.ids) if self.ids else data


def summarise(
    model: Any,
    *,
    names: Mapping[str, str],
    kept: Iterable[str] = (),
    redrawn: Iterable[str] = (),
    frozen: Iterable[str] = (),
    ids: Iterable[str] = (),
) -> NetworkSummary:
    """Summarise a `keras.Model`; states of random generators are no weights.

    `names` are those of its layers in the network alone (`layer_names.names_in_network`), since
    Keras numbers the ones that it gives throughout a process.
    """
    return NetworkSummary(
        layers=tuple(
            _layer(layer, names.get(layer.name, layer.name))
            for layer in model.layers
            # A functional network has one for its input, which says nothing of what it computes.
            if type(layer).__name__ != "InputLayer"
        ),
        trainable=_count(model.trainable_weights),
        other=_count(model.non_trainable_weights),
        penalised=bool(model.losses),
        kept=tuple(kept),
        redrawn=tuple(redrawn),
        frozen=tuple(frozen),
        ids=tuple(ids),
    )


def _layer(layer: Any, name: str) -> LayerSummary:
    return LayerSummary(name, type(layer).__name__, _shape(layer), _count(layer.weights))


def _shape(layer: Any) -> tuple[int | None, ...] | None:
    try:
        shape = layer.output.shape
    # Of a subclassed model nobody has called its layers, and some return several tensors.
    except (AttributeError, ValueError):
        return None
    return tuple(shape[1:])


def _count(weights: Iterable[Any]) -> int:
    return sum(math.prod(weight.shape) for weight in weights)
