"""Initial values of a network's variables, drawn for each seed by its layers' initialisers."""

import re
from collections import Counter
from collections.abc import Callable, Sequence

import keras
import numpy as np
from keras.src.utils.naming import to_snake_case

from finetune.spec.seeds import integer_seed


class SeededModel:
    """A model whose weights can be drawn afresh for any seed, by its layers' own initialisers.

    Args:
        factory: Builds the model; called once.
        like: Builds another model: variables of the same path and shape get the values that they
            have there for the same seed, and all others values of their own.
    """

    def __init__(
        self, factory: Callable[[], keras.Model], *, like: Callable[[], keras.Model] | None = None
    ):
        # Keras forgets a variable's initialiser once it has a value. Inside a stateless scope it
        # has none yet (it gets one on leaving), so the initialisers can be read.
        with keras.StatelessScope():
            self.model = factory()
            self._initializers = [v._initializer for v in self.model.variables]
        # The stream of each variable, and how many streams another model has.
        self._numbers, self._n_like = list(range(len(self.model.variables))), 0
        if like:
            self._number_like(like)

    @property
    def layers(self) -> dict[str, bool]:
        """Whether each layer with weights has all of them from the other model, by its name."""
        alike: dict[str, bool] = {}
        for variable, number in zip(self.model.variables, self._numbers, strict=True):
            if not is_seed_state(variable):
                layer = variable.path.removeprefix(f"{self.model.name}/").rpartition("/")[0]
                alike[layer] = alike.get(layer, True) and number < self._n_like
        return alike

    def _number_like(self, factory: Callable[[], keras.Model]) -> None:
        """Number the streams of variables as in another model, and all others after those."""
        with keras.StatelessScope():
            other = factory()
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
        """Draw a value for each of `model.variables`.

        Args:
            weights: Stream of the initial weights.
            noise: Stream of what is random during training, such as dropout masks: it sets the
                state of the model's seed generators.
        """
        values = []
        for index, (variable, number) in enumerate(
            zip(self.model.variables, self._numbers, strict=True)
        ):
            if is_seed_state(variable):
                value = np.array([integer_seed(_child(noise, number)), 0])
            else:
                seed = integer_seed(_child(weights, number))
                value = _draw(self._initializers[index], variable, seed)
            values.append(np.asarray(value, dtype=variable.dtype))
        return values


def _paths(model: keras.Model) -> list[str]:
    """Return the path of each variable within its model, whatever the model itself is called.

    Keras numbers the layers that it names throughout a process; here they are numbered by model.

    Source: `auto_name`, keras/src/utils/naming.py, Keras 3.15.
    """
    numbers: Counter[str] = Counter()
    names = {}
    for layer in model._flatten_layers(include_self=False):
        stem = to_snake_case(type(layer).__name__)
        if re.fullmatch(rf"{stem}(_\d+)?", layer.name) and layer.name not in names:
            names[layer.name] = f"{stem}_{numbers[stem]}"
            numbers[stem] += 1
    paths = (v.path.removeprefix(f"{model.name}/").split("/") for v in model.variables)
    return ["/".join(names.get(step, step) for step in path) for path in paths]


def _child(sequence: np.random.SeedSequence, index: int) -> np.random.SeedSequence:
    """Return a child stream by its number, always the same: `spawn` would count on instead."""
    return np.random.SeedSequence(sequence.entropy, spawn_key=(*sequence.spawn_key, index))


def _draw(initializer: Callable[..., object], variable: keras.Variable, seed: int) -> np.ndarray:
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
