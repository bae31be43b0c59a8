"""The network of a study, and the initial weights that each seed gives it."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import keras
import numpy as np

from finetune.content import own_file, own_function
from finetune.data_spec import TargetTask
from finetune.errors import SpecError
from finetune.keras_config import read_network
from finetune.spec import ModelSpec, TrainingSpec
from finetune.streams import integer_seed

# What the last layer does and how many outputs it has, told by the loss.
_OUTPUTS: dict[str | None, str] = {
    "binary_crossentropy": "sigmoid",
    "binary_focal_crossentropy": "sigmoid",
    "sparse_categorical_crossentropy": "softmax",
}


_LOSSES: dict[TargetTask, str] = {
    "binary": "binary_crossentropy",
    "multiclass": "sparse_categorical_crossentropy",
    "regression": "mean_squared_error",
}

_ALLOWED: dict[TargetTask, str] = {
    "binary": "are 'binary_crossentropy' and other losses of one output",
    "multiclass": "is 'sparse_categorical_crossentropy'",
    "regression": "are 'mean_squared_error' and other losses of numbers",
}


def is_classification(loss: str | None) -> bool:
    """Tell whether a loss is one of a classifier, for which accuracy is measured too."""
    return loss in _OUTPUTS


def fitting_loss(wanted: str | None, *, task: TargetTask, n_classes: int) -> str:
    """Give the loss to train with: the wanted one, or the one that is usual for the task.

    Two classes may be told apart by any loss of one output; more classes need one of as many.

    Raises:
        SpecError: The wanted loss is not one for the task.
    """
    if wanted is None:
        return _LOSSES[task]
    # With Keras's other names for them the output layer would not fit.
    other = wanted.lower().replace("_", "").endswith(("crossentropy", "bce"))
    fits = {
        "binary": is_classification(wanted) or not other,
        "multiclass": wanted == _LOSSES["multiclass"],
        "regression": not other,
    }
    if not fits[task]:
        target = f"{n_classes} classes" if n_classes else "numbers for regression"
        raise SpecError(
            f"training.loss: received {wanted!r}; the target has {target}; allowed "
            f"{_ALLOWED[task]}; leave it out, or say data.task"
        )
    return wanted


def build_model(
    spec: ModelSpec, training: TrainingSpec, *, n_features: int, n_classes: int
) -> keras.Model:
    """Build the network, not compiled, in the study's dtype (see `precision`).

    A loss that is not said is taken to be that of two classes.

    Raises:
        SpecError: the activation is unknown to Keras, or the user's factory cannot be used.
    """
    loss = training.loss or _LOSSES["binary"]
    n_outputs = n_classes if loss == _LOSSES["multiclass"] else 1
    if spec.factory:
        return _made_by(spec, spec.factory, (n_features,), n_outputs)
    if spec.architecture:
        return _read_from(spec, (n_features,), n_outputs)
    hidden = [layer for units in spec.hidden for layer in _hidden(spec, units)]
    output = keras.layers.Dense(n_outputs, activation=_OUTPUTS.get(loss, "linear"))
    return keras.Sequential([keras.Input((n_features,)), *hidden, output])


def _hidden(spec: ModelSpec, units: int) -> list[keras.layers.Layer]:
    try:
        activation = keras.activations.get(spec.activation)
    except ValueError as error:
        raise SpecError(
            f"model.activation: received {spec.activation!r}; allowed is a Keras activation's name"
        ) from error
    layers: list[keras.layers.Layer] = [keras.layers.Dense(units, activation=activation)]
    if spec.batch_normalization:
        normalised = [keras.layers.BatchNormalization(), keras.layers.Activation(activation)]
        layers = [keras.layers.Dense(units), *normalised]
    return [*layers, keras.layers.Dropout(spec.dropout)] if spec.dropout else layers


def _read_from(spec: ModelSpec, shape: tuple[int], n_outputs: int) -> keras.Model:
    file, _ = own_file(spec, str(spec.architecture), field="model.architecture", error=SpecError)
    tree = read_network(file, field="model.architecture")
    try:
        model = keras.saving.deserialize_keras_object(tree)
        if not isinstance(model, keras.Model):
            raise TypeError(f"it holds {type(model).__name__}, not a model")
    # Unknown layers, and arguments that they do not have, make Keras raise all kinds of exceptions.
    except Exception as error:
        raise SpecError(
            f"model.architecture: {file.name} is no network that Keras can read: "
            f"{' '.join(str(error).split())[:200]}; allowed is what keras.Model.to_json wrote, "
            "with layers that are Keras's own"
        ) from error
    _check_shape(model, shape, n_outputs, field=f"model.architecture: {file.name}")
    return model


def _made_by(spec: ModelSpec, factory: str, shape: tuple[int], n_outputs: int) -> keras.Model:
    make = own_function(spec, factory, field="model.factory", error=SpecError)
    model = make(shape, n_outputs)
    if not isinstance(model, keras.Model):
        raise SpecError(
            f"model.factory: {factory} returned {type(model).__name__}; allowed is a keras.Model"
        )
    _check_shape(model, shape, n_outputs, field=f"model.factory: {factory}")
    return model


def _check_shape(model: keras.Model, shape: tuple[int], n_outputs: int, *, field: str) -> None:
    """See that a network takes the data's rows and gives what their target needs.

    Raises:
        SpecError: It does not; `field` names the network.
    """
    try:
        gives = model.compute_output_spec(keras.KerasTensor((None, *shape)))
    # Whatever the user's layers raise at rows of this shape.
    except Exception as error:
        takes = getattr(model, "input_shape", None)
        said = tuple(takes[1:]) if isinstance(takes, tuple) else takes or "other rows"
        raise SpecError(
            f"{field} takes {said}, but the data have rows of {shape}: "
            f"{' '.join(str(error).split())[:200]}"
        ) from error
    found = tuple(gives.shape[1:]) if isinstance(gives, keras.KerasTensor) else "several tensors"
    if found != (n_outputs,):
        raise SpecError(f"{field} gives {found} for a row; the data need {(n_outputs,)}")


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
