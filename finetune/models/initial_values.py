"""Initial values of a network's variables, drawn for each seed by its layers' initialisers."""

from collections.abc import Callable, Sequence

import keras
import numpy as np

from finetune.spec.seeds import integer_seed


class SeededModel:
    """A model whose weights can be drawn afresh for any seed, by its layers' own initialisers.

    Args:
        factory: Builds the model; called once.
    """

    def __init__(self, factory: Callable[[], keras.Model]):
        # Keras forgets a variable's initialiser once it has a value. Inside a stateless scope it
        # has none yet (it gets one on leaving), so the initialisers can be read.
        with keras.StatelessScope():
            self.model = factory()
            self._initializers = [v._initializer for v in self.model.variables]

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
        for index, variable in enumerate(self.model.variables):
            if is_seed_state(variable):
                value = np.array([integer_seed(_child(noise, index)), 0])
            else:
                seed = integer_seed(_child(weights, index))
                value = _draw(self._initializers[index], variable, seed)
            values.append(np.asarray(value, dtype=variable.dtype))
        return values


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
