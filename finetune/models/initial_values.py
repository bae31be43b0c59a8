"""Initial values of a network's variables: drawn for each seed, or kept as they were loaded."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from finetune.errors import SpecError
from finetune.models.layer_names import names_in_network
from finetune.models.loaded_weights import LoadedWeights
from finetune.spec.model import ModelSpec
from finetune.spec.seeds import integer_seed

Initializer = Callable[..., object]
Factory = Callable[[], keras.Model]

_DRAWING_NOTHING = (
    keras.initializers.Zeros,
    keras.initializers.Ones,
    keras.initializers.Constant,
)


class SeededModel:
    """A model whose weights can be drawn afresh for any seed, by its layers' own initialisers.

    What was loaded is kept where `spec.pretrained` says so. What no initialiser gave, as a
    variable made of an array, is always kept.

    Args:
        factory: Builds the model; called once, or twice where what it loads is kept.
        spec: Which layers keep what was loaded, and which do not train.
        like: Builds another model: variables of the same path and shape get the values that they
            have there for the same seed, and all others values of their own.

    Attributes:
        loaded: What was loaded into the model, and what became of it.

    Raises:
        SpecError: The study names layers that the network does not have, or keeps weights that
            nothing loaded or that differ each time they are loaded.
    """

    def __init__(
        self,
        factory: Factory,
        spec: ModelSpec | None = None,
        *,
        like: Factory | None = None,
    ):
        spec = spec or ModelSpec()
        built = _build(factory)
        self.model = built.model
        self.loaded = LoadedWeights(built.model, spec, changed=built.changed)
        self._initializers, self._changed = built.initializers, built.changed
        self._kept = {
            index: variable.numpy()
            for index, variable in enumerate(self.model.variables)
            if not is_seed_state(variable)
            and (id(variable) in self.loaded.kept or self._initializers[index] is None)
        }
        if self.loaded.kept and spec.factory:
            self._check_repeated(_build(factory).model, spec.factory)
        # The stream of each variable, and how many streams another model has.
        self._numbers, self._n_like = list(range(len(self.model.variables))), 0
        if like:
            self._number_like(_build(like).model)

    def of_rest(self, rest: keras.Model) -> "SeededModel":
        """Return the same for a part of the model, whose variables get the values that they have.

        Args:
            rest: Has no variables but the model's.
        """
        at = {id(variable): index for index, variable in enumerate(self.model.variables)}
        places = [at[id(variable)] for variable in rest.variables]
        other = copy(self)
        other.model = rest
        other._numbers = [self._numbers[place] for place in places]
        other._initializers = [self._initializers[place] for place in places]
        other._kept = {
            index: self._kept[place] for index, place in enumerate(places) if place in self._kept
        }
        return other

    @property
    def layers(self) -> dict[str, bool]:
        """Whether each layer with drawn weights has all of them from the other model, by path."""
        alike: dict[str, bool] = {}
        numbered = zip(_paths(self.model), self.model.variables, self._numbers, strict=True)
        for index, (path, variable, number) in enumerate(numbered):
            if not (is_seed_state(variable) or index in self._kept):
                layer = path.rpartition("/")[0]
                alike[layer] = alike.get(layer, True) and number < self._n_like
        return alike

    def _number_like(self, other: keras.Model) -> None:
        """Number the streams of variables as in another model, and all others after those."""
        shapes = [v.shape for v in other.variables]
        known = {key: at for at, key in enumerate(zip(_paths(other), shapes, strict=True))}
        self._n_like = len(shapes)
        self._numbers = [
            known.get((path, v.shape), self._n_like + index)
            for index, (path, v) in enumerate(
                zip(_paths(self.model), self.model.variables, strict=True)
            )
        ]

    def initial_values(
        self, weights: np.random.SeedSequence, noise: np.random.SeedSequence
    ) -> list[np.ndarray]:
        """Return a value for each of `model.variables`.

        Args:
            weights: Stream of the initial weights.
            noise: Stream of what is random during training, such as dropout masks: it sets the
                state of the model's seed generators.
        """
        values = []
        for index, (variable, number) in enumerate(
            zip(self.model.variables, self._numbers, strict=True)
        ):
            initializer = self._initializers[index]
            if is_seed_state(variable):
                value = np.array([integer_seed(_child(noise, number)), 0])
            elif index in self._kept or initializer is None:
                value = self._kept[index]
            else:
                seed = integer_seed(_child(weights, number))
                value = _draw(initializer, variable, seed)
            values.append(np.asarray(value, dtype=variable.dtype))
        return values

    def values_of_every_seed(self) -> dict[int, np.ndarray]:
        """Return the initial values that are the same whatever the seed, by variable's id.

        They were loaded and are kept, or come from an initialiser that draws nothing.
        """
        drawn = {
            index: np.asarray(initializer(variable.shape, dtype=variable.dtype))
            for index, variable in enumerate(self.model.variables)
            if isinstance(initializer := self._initializers[index], _DRAWING_NOTHING)
        }
        same = {**drawn, **self._kept}
        return {id(self.model.variables[index]): value for index, value in same.items()}

    def loaded_positions(self) -> list[int]:
        """Return the positions of the variables that something was loaded into, kept or not."""
        return [i for i, v in enumerate(self.model.variables) if id(v) in self._changed]

    def _check_repeated(self, again: keras.Model, factory: str) -> None:
        for index, value in self._kept.items():
            if not np.array_equal(value, again.variables[index].numpy(), equal_nan=True):
                raise SpecError(
                    f"model.factory: {factory} gives {self.model.variables[index].path} other "
                    "values each time it is called; allowed are weights from a file, or trained "
                    "with a fixed seed; save them once, and load them there"
                )


@dataclass(frozen=True)
class _Built:
    """A model, what drew each of its variables, and the ids of those that changed since."""

    model: keras.Model
    initializers: list[Initializer | None]
    changed: frozenset[int]


def _build(factory: Factory) -> _Built:
    with _initializers_recorded() as drawn:
        model = factory()
    variables = model.variables
    recorded = [drawn.get(id(variable), (None, None, None)) for variable in variables]
    changed = frozenset(
        id(variable)
        for variable, (_, _, first) in zip(variables, recorded, strict=True)
        if not (is_seed_state(variable) or first is None)
        and not np.array_equal(first, variable.numpy(), equal_nan=True)
    )
    return _Built(model, [initializer for _, initializer, _ in recorded], changed)


@contextmanager
def _initializers_recorded() -> Iterator[dict[int, tuple[Any, Initializer | None, Any]]]:
    """Record for each variable made within, by its id: itself, its initialiser, its first value.

    Keras forgets a variable's initialiser once it has a value.
    """
    drawn: dict[int, tuple[Any, Initializer | None, Any]] = {}
    kind: Any = keras.Variable
    original = kind._initialize_with_initializer

    def recording(variable: keras.Variable, initializer: Initializer) -> None:
        original(variable, initializer)
        # With the variable itself, so that no other can have its id.
        drawn[id(variable)] = variable, initializer, variable.numpy()

    kind._initialize_with_initializer = recording
    try:
        yield drawn
    finally:
        kind._initialize_with_initializer = original


def _paths(model: keras.Model) -> list[str]:
    """Return the path of each variable within its model, whatever the model itself is called.

    Keras numbers the layers that it names throughout a process; here they are numbered by model.
    """
    names = names_in_network(model)
    paths = [str(v.path).removeprefix(f"{model.name}/").split("/") for v in model.variables]
    return ["/".join(names.get(step, step) for step in path) for path in paths]


def _child(sequence: np.random.SeedSequence, index: int) -> np.random.SeedSequence:
    """Return a child stream by its number, always the same: `spawn` would count on instead."""
    return np.random.SeedSequence(sequence.entropy, spawn_key=(*sequence.spawn_key, index))


def _draw(initializer: Initializer, variable: keras.Variable, seed: int) -> np.ndarray:
    # A seed in the network's own code would give every replicate the same weights.
    config = initializer.get_config() if isinstance(initializer, keras.Initializer) else {}
    if "seed" in config:
        initializer = type(initializer).from_config({**config, "seed": seed})
    return np.asarray(initializer(variable.shape, dtype=variable.dtype))


def is_seed_state(variable: keras.Variable) -> bool:
    """Return whether a variable is the state of a `keras.random.SeedGenerator`."""
    return variable.path.endswith("seed_generator_state")


def set_values(variables: Sequence[keras.Variable], values: Sequence[np.ndarray]) -> None:
    """Assign each variable its value."""
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)
