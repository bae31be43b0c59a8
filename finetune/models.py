"""The network of a study, and the initial weights that each seed gives it."""

import importlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import keras
import numpy as np

from finetune.errors import SpecError
from finetune.spec import ModelSpec, TrainingSpec
from finetune.streams import integer_seed

# What the last layer does and how many outputs it has, told by the loss.
_OUTPUTS = {"binary_crossentropy": "sigmoid", "sparse_categorical_crossentropy": "softmax"}


def is_classification(loss: str) -> bool:
    """Tell whether a loss is one of a classifier, for which accuracy is measured too."""
    return loss in _OUTPUTS


def build_model(
    spec: ModelSpec, training: TrainingSpec, *, n_features: int, n_classes: int
) -> keras.Model:
    """Build the network, not compiled, in the study's dtype (see `precision`).

    Raises:
        SpecError: the activation is unknown to Keras, or the user's factory cannot be used.
    """
    n_outputs = n_classes if training.loss == "sparse_categorical_crossentropy" else 1
    if spec.factory:
        return _import_factory(spec.factory)((n_features,), n_outputs)
    try:
        hidden = [keras.layers.Dense(units, activation=spec.activation) for units in spec.hidden]
    except ValueError as error:
        raise SpecError(
            f"model.activation: received {spec.activation!r}; allowed is a Keras activation's name"
        ) from error
    output = keras.layers.Dense(n_outputs, activation=_OUTPUTS.get(training.loss, "linear"))
    return keras.Sequential([keras.Input((n_features,)), *hidden, output])


def _import_factory(path: str) -> Callable[..., keras.Model]:
    module, _, function = path.partition(":")
    try:
        return getattr(importlib.import_module(module), function)
    except (ImportError, AttributeError) as error:
        raise SpecError(f"model.factory: cannot import {path!r}: {error}") from error


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
    """Give a child stream by its number, leaving the parent as it is (`spawn` would count on)."""
    return np.random.SeedSequence(sequence.entropy, spawn_key=(*sequence.spawn_key, index))


def _draw(initializer: Callable[..., object], variable: keras.Variable, seed: int) -> np.ndarray:
    config = initializer.get_config() if isinstance(initializer, keras.Initializer) else {}
    if "seed" in config:
        initializer = type(initializer).from_config({**config, "seed": seed})
    return np.asarray(initializer(variable.shape, dtype=variable.dtype))


@contextmanager
def precision(dtype: str) -> Iterator[None]:
    """Make a dtype Keras's default for layers, metrics and optimizers made or used within."""
    before = keras.config.floatx(), keras.config.dtype_policy()
    keras.config.set_floatx(dtype)
    keras.config.set_dtype_policy(dtype)
    try:
        yield
    finally:
        keras.config.set_floatx(before[0])
        keras.config.set_dtype_policy(before[1])


def is_seed_state(variable: keras.Variable) -> bool:
    """Tell whether a variable is the state of a `keras.random.SeedGenerator`."""
    return variable.path.endswith("seed_generator_state")


def set_values(variables: Sequence[keras.Variable], values: Sequence[np.ndarray]) -> None:
    """Give each variable its value."""
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)
