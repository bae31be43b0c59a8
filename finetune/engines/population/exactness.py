"""What of a network the population engine cannot reproduce exactly, found before it trains.

Whatever the engine drops or shares between runs is looked for: methods of `fit` that the user
overrides, and, in a trace of one call in training and one at rest, state, randomness and losses
that are not Keras's.
"""

import re
from collections.abc import Sequence
from typing import Any

import keras
from keras.src.backend.common.masking import get_keras_mask
from keras.src.backend.tensorflow.trainer import TensorFlowTrainer
from keras.src.trainers.trainer import Trainer

from finetune.data.inputs import Rows, row_shapes
from finetune.engines.population.model_trace import (
    ModelTrace,
    all_operations,
    in_words,
    layer_in,
    trace_model,
)
from finetune.errors import NeedsFitError, SpecError, describe_exception

# What neither engine calls; `loss` is what a model was compiled with.
_UNUSED = re.compile("__|predict|make_predict|get_compile_config|loss$")
_TRAINING_METHODS = frozenset(
    name for kind in (TensorFlowTrainer, Trainer) for name in vars(kind) if not _UNUSED.match(name)
)

# Regularisers whose loss of a batch is the sum over its rows, so that batches of any size agree.
_ROW_BY_ROW = (keras.regularizers.L1, keras.regularizers.L2, keras.regularizers.L1L2)

# Operations that change what all rows share, draw random numbers that no seed of the run decides,
# or leave TensorFlow.
_IMPURE = re.compile(
    "Assign.*VariableOp|ResourceScatter|ResourceApply|Random(Uniform|Standard|Gamma|Poisson|Shuffle"
    "|Binomial)|TruncatedNormal|ParameterizedTruncatedNormal|Multinomial|StatefulUniform"
    "|StatefulStandard|StatefulTruncated|StatefulRandom|RngReadAndSkip|(Eager)?PyFunc"
)


def check_exact(model: Any, x: Rows) -> int:
    """Check that rows reproduce a model exactly; return how many numbers a row of data takes.

    Args:
        model: Built.
        x: Rows as it takes them, of which only their shape and type count.

    Raises:
        NeedsFitError: They do not.
        SpecError: The model cannot be called.
    """
    if reason := own_training(model):
        raise NeedsFitError(reason)
    try:
        in_training, at_rest = (trace_model(model, x, training=t) for t in (True, False))
    # Whatever the user's layers raise.
    except Exception as error:
        raise SpecError(
            f"model: the network cannot be called with rows of {row_shapes(x)} in "
            f"{keras.config.floatx()}: {describe_exception(error)[:300]}; change its layers, or "
            "training.dtype"
        ) from error
    if reason := why_no_pure_function(model, in_training, at_rest):
        raise NeedsFitError(reason)
    return in_training.values_per_row()


def own_training(model: Any) -> str | None:
    """Return how `fit` trains a model in another way than it trains most; None if it does not.

    It is the words for a sentence, as "Net.train_step is the network's own".
    """
    if found := _own_method(model):
        return f"{found} is the network's own"
    if model.dtype_policy.name == "mixed_float16":
        return "its precision is mixed_float16, for which fit scales the loss"
    return None


def why_no_pure_function(model: Any, in_training: ModelTrace, at_rest: ModelTrace) -> str | None:
    """Return why a model is no function of a row's variables alone, in words; None if it is one."""
    found = _changed(model.trainable_variables, in_training.weights, in_training.outcome.weights)
    if found is not None:
        return f"the weights of {_owner(found, model)} are set when the network is called"
    # `fit` evaluates after each epoch, and trains on from what that leaves.
    found = _changed(model.non_trainable_variables, at_rest.others, at_rest.outcome.others)
    if found is not None:
        return f"{_owner(found, model)} changes its state when it is evaluated"
    if get_keras_mask(in_training.outcome.predicted) is not None:
        return "its outputs carry a mask, by which fit weighs the loss"
    reasons = (_why_not_alone(model, trace) for trace in (in_training, at_rest))
    return next(filter(None, reasons), None)


def _own_method(model: Any) -> str | None:
    """Return the method of `fit` that a model overrides, as "Net.train_step"; None without one."""
    for kind in type(model).__mro__:
        found = sorted(_TRAINING_METHODS & vars(kind).keys())
        if found and not kind.__module__.startswith("keras."):
            return f"{kind.__name__}.{found[0]}"
    # One that was assigned to the model itself.
    found = sorted(_TRAINING_METHODS & vars(model).keys())
    return f"{type(model).__name__}.{found[0]}" if found else None


def _changed(variables: Sequence, before: Sequence, after: Sequence) -> Any:
    """Return the first variable that a call changed; None without one."""
    triples = zip(variables, before, after, strict=True)
    return next((v for v, old, new in triples if new is not old), None)


def _owner(variable: Any, model: Any) -> str:
    """Name the innermost layer that holds a variable."""
    layers = [
        layer
        for layer in model._flatten_layers()
        if any(one is variable for one in layer.variables)
    ]
    return in_words(min(layers, key=lambda layer: len(layer.variables)))


def _why_not_alone(model: Any, trace: ModelTrace) -> str | None:
    """Return what a call uses or gives beside the model's own variables and outputs."""
    # Those of metrics are read by nothing but the logs.
    if trace.outcome.foreign - {id(v) for v in model.metrics_variables}:
        return "it changes variables that are not among its own"
    for layer in model._flatten_layers():
        usual = type(layer.activity_regularizer) in _ROW_BY_ROW
        if layer._loss_ids and not (usual and type(layer).__module__.startswith("keras.")):
            return f"{in_words(layer)} adds a loss of its own"
    for operation in all_operations(trace.graph):
        if _IMPURE.match(operation.type):
            layer = layer_in(operation.name, model)
            what = in_words(layer) if layer else "it"
            return f"{what} computes with {operation.type}, which runs cannot share"
    return None
