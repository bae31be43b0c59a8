"""The network of a study: the default one, one that the user's code builds, or one from a file."""

import math
from collections.abc import Mapping
from typing import Any

import keras
from keras.src.backend.common import global_state

from finetune.data.inputs import Shapes, count_numbers
from finetune.data.table import list_names
from finetune.errors import SpecError
from finetune.models.architecture import without_precision
from finetune.models.inputs import list_shapes, symbolic_rows, why_no_inputs
from finetune.models.losses import OUTPUT_ACTIVATIONS, USUAL_LOSSES
from finetune.models.network_file import LOADED
from finetune.spec.model import ModelSpec
from finetune.spec.training import TrainingSpec
from finetune.usercode.files import find_file, import_function
from finetune.usercode.keras_config import read_network, read_saved_network
from finetune.usercode.network_size import largest_product

# Of a network in a file; training holds several numbers for each.
_MAX_WEIGHTS = 10**9


def build_model(
    spec: ModelSpec, training: TrainingSpec, *, shape: Shapes, n_classes: int
) -> keras.Model:
    """Build the network, not compiled, in the study's dtype (see `precision`).

    The default network flattens rows of several axes, and takes one input. Without a loss in
    `training`, the usual one of two classes decides on the output layer.

    Raises:
        SpecError: The activation or initializer is unknown to Keras, or the user's network cannot
            be used.
    """
    loss = training.loss or USUAL_LOSSES["binary"]
    n_outputs = n_classes if loss == USUAL_LOSSES["multiclass"] else 1
    if spec.factory:
        return _from_factory(spec, spec.factory, shape, n_outputs)
    if spec.architecture:
        return _from_architecture(spec, spec.architecture, shape, n_outputs)
    if spec.file:
        return _from_file(spec, spec.file, shape, n_outputs)
    if isinstance(shape, Mapping):
        raise SpecError(
            f"model: the data have the inputs {list_names(list(shape))}, but the default network "
            "takes one; allowed is a network of your own; give model.factory, model.architecture "
            "or model.file"
        )
    hidden = [layer for units in spec.hidden for layer in _hidden(spec, units)]
    output = keras.layers.Dense(n_outputs, activation=OUTPUT_ACTIVATIONS.get(loss, "linear"))
    flat = [keras.layers.Flatten()] if len(shape) > 1 else []
    return keras.Sequential([keras.Input(shape), *flat, *hidden, output])


def _hidden(spec: ModelSpec, units: int) -> list[keras.layers.Layer]:
    try:
        activation = keras.activations.get(spec.activation)
    except ValueError as error:
        raise SpecError(
            f"model.activation: received {spec.activation!r}; allowed is a Keras activation's name"
        ) from error
    initializer = _checked_initializer(spec.kernel_initializer)
    layers: list[keras.layers.Layer] = []
    if spec.batch_normalization:
        layers += [
            keras.layers.Dense(units, kernel_initializer=initializer),
            keras.layers.BatchNormalization(),
            keras.layers.Activation(activation),
        ]
    else:
        layers += [keras.layers.Dense(units, activation=activation, kernel_initializer=initializer)]
    return [*layers, keras.layers.Dropout(spec.dropout)] if spec.dropout else layers


def _checked_initializer(name: str) -> str:
    try:
        initializer: Any = keras.initializers.get(name)
        # Base classes are found by their names too, and draw nothing; some need arguments.
        initializer((1, 1))
    # Each of these raises something else.
    except Exception as error:
        raise SpecError(
            f"model.kernel_initializer: received {name!r}; allowed is the name of a class in "
            "keras.initializers that needs no arguments, as 'he_uniform'"
        ) from error
    return name


def _from_architecture(
    spec: ModelSpec, architecture: str, shape: Shapes, n_outputs: int
) -> keras.Model:
    file, _ = find_file(spec, architecture, field="model.architecture", error=SpecError)
    tree = read_network(file, field="model.architecture")
    field = f"model.architecture: {file.name}"
    model = _from_tree(tree, shape, field=field, written_by="to_json")
    _check_shape(model, shape, n_outputs, field=field)
    return model


def _from_file(spec: ModelSpec, source: str, shape: Shapes, n_outputs: int) -> keras.Model:
    file, _ = find_file(spec, source, field="model.file", error=SpecError)
    # Its precisions are those it was once trained in; the study's own applies.
    tree = without_precision(read_saved_network(file, field="model.file"))
    loaded = tree.pop(LOADED, None)
    field = f"model.file: {file.name}"
    model = _from_tree(tree, shape, field=field, written_by="save")
    _check_shape(model, shape, n_outputs, field=field)
    first = [variable.numpy() for variable in model.variables]
    try:
        # Reads no code, and follows no link out of the file.
        model.load_weights(file)
    # Weights of other shapes, and broken bytes, make Keras and HDF5 raise all kinds of exceptions.
    except Exception as error:
        raise SpecError(
            f"{field}: its weights do not load: {' '.join(str(error).split())[:200]}; allowed is "
            "what keras.Model.save wrote; save it again"
        ) from error
    if isinstance(loaded, list):
        for index, variable in enumerate(model.variables):
            if index not in loaded:
                variable.assign(first[index])
    return model


def _from_tree(tree: dict[str, Any], shape: Shapes, *, field: str, written_by: str) -> keras.Model:
    try:
        if largest_product(tree, count_numbers(shape)) > _MAX_WEIGHTS:
            _check_weights(tree, field=field)
        model = keras.saving.deserialize_keras_object(tree)
        if not isinstance(model, keras.Model):
            raise TypeError(f"it holds {type(model).__name__}, not a model")
    except SpecError:
        raise
    # Unknown layers, and arguments that they do not have, make Keras raise all kinds of exceptions.
    except Exception as error:
        raise SpecError(
            f"{field} is no network that Keras can read: {' '.join(str(error).split())[:200]}; "
            f"allowed is what keras.Model.{written_by} wrote, with layers that are Keras's own"
        ) from error
    return model


def _check_weights(tree: dict[str, Any], *, field: str) -> None:
    """Check that a network has not more weights than memory holds, without making any.

    Raises:
        SpecError: It has.
        Exception: Of any kind: Keras cannot read it.
    """
    try:
        with keras.StatelessScope(initialize_variables=False):
            model: Any = keras.saving.deserialize_keras_object(tree)
    finally:
        # Keras would make the variables once the next scope ends.
        global_state.set_global_attribute("uninitialized_variables", [])
    found = sum(math.prod(variable.shape) for variable in model.variables)
    if found > _MAX_WEIGHTS:
        raise SpecError(
            f"{field} has {found:,} weights; allowed are at most {_MAX_WEIGHTS:,}; make its layers "
            "smaller"
        )


def _from_factory(spec: ModelSpec, factory: str, shape: Shapes, n_outputs: int) -> keras.Model:
    build = import_function(spec, factory, field="model.factory", error=SpecError)
    model = build(shape, n_outputs)
    if not isinstance(model, keras.Model):
        raise SpecError(
            f"model.factory: {factory} returned {type(model).__name__}; allowed is a keras.Model"
        )
    _check_shape(model, shape, n_outputs, field=f"model.factory: {factory}")
    return model


def _check_shape(model: keras.Model, shape: Shapes, n_outputs: int, *, field: str) -> None:
    """Check that a network takes the data's rows and returns what their target needs.

    Raises:
        SpecError: It does not; `field` names the network.
    """
    if reason := why_no_inputs(model, shape):
        raise SpecError(f"{field} {reason}")
    rows = symbolic_rows(model, shape)
    try:
        if not model.built:
            # As `fit` would on the first batch; a call does it with all that is in the model.
            model(rows)
        # Traces the shapes alone, so that a large network computes nothing here.
        output = model.compute_output_spec(rows)
    # Whatever the user's layers raise at rows of this shape.
    except Exception as error:
        reason = " ".join(str(error).split())[:200]
        raise SpecError(f"{field} {_why_no_rows(model, shape, reason)}") from error
    if not isinstance(output, keras.KerasTensor):
        raise SpecError(
            f"{field} returns {len(output)} tensors for a row; allowed is one, of shape "
            f"{(n_outputs,)}; make it of one of its outputs, as keras.Model(inputs, output)"
        )
    found = tuple(output.shape[1:])
    if found != (n_outputs,):
        raise SpecError(
            f"{field} returns {found} for a row; the target needs {(n_outputs,)}; change its last "
            "layer"
        )


def _why_no_rows(model: keras.Model, shape: Shapes, reason: str) -> str:
    """Say why a network does not take rows of a shape, and what to do."""
    if isinstance(shape, Mapping):
        return (
            f"does not take the data's rows of {list_shapes(shape)}: {reason}; allowed is a "
            "network that takes a dictionary of these; change its inputs, or the arrays"
        )
    takes = getattr(model, "input_shape", None)
    wanted = tuple(takes[1:]) if takes else None
    if wanted is None or None in wanted:
        shown = f", but rows of {wanted}" if wanted else ""
        return (
            f"does not take the data's rows of {shape}{shown}: {reason}; allowed is a network that "
            "does; change its first layer, or the rows by data.shape"
        )
    fits = math.prod(wanted) == math.prod(shape)
    remedy = f"say data.shape = {list(wanted)}" if fits else "change its input, or the data"
    return (
        f"takes rows of {wanted}, but the data have rows of {shape}; allowed is one shape for "
        f"both; {remedy}"
    )
