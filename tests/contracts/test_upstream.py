"""What we rely on in other packages though they do not promise it.

Each test fails with a sentence that says what changed and which of our files rests on it. The
upper bounds in pyproject.toml keep versions out that these tests have not seen.
"""

import inspect
import io
import json
import re
from typing import Any

import keras
import optuna
import pandas as pd
import pytest
import tensorflow as tf
from keras.src.backend.tensorflow.optimizer import TFOptimizer
from keras.src.optimizers.base_optimizer import BaseOptimizer
from keras.src.saving import serialization_lib
from pydantic import ValidationError
from pydantic_core import ErrorDetails
from tensorflow.python.ops.parallel_for import control_flow_ops
from tensorflow.python.ops.parallel_for import pfor as conversion

from finetune.engines.population.stateless_optimizer import _Stateless
from finetune.spec.messages import _WORDINGS
from finetune.spec.metrics import KERAS_METRICS
from finetune.spec.study import StudySpec
from finetune.usercode.keras_config import _MODULES, _REFUSED

VECTORIZED = "see finetune/engines/population/vectorized.py"
OPERATIONS = "see finetune/engines/population/operations/"
STATELESS = "see finetune/engines/population/stateless_optimizer.py"
KERAS_CONFIG = "see finetune/usercode/keras_config.py"
MESSAGES = "see finetune/spec/messages.py"
SAMPLER = "see finetune/search/sampler.py"


def test_keras_has_the_metrics_that_a_study_may_name():
    functions = {
        name
        for name, function in vars(keras.metrics).items()
        if inspect.isfunction(function)
        and list(inspect.signature(function).parameters)[:2] == ["y_true", "y_pred"]
    }
    assert functions == set(KERAS_METRICS), (
        f"the functions of keras.metrics are others: {sorted(functions ^ set(KERAS_METRICS))}: see "
        "finetune/spec/metrics.py"
    )


def test_pfor_converts_a_gather_by_its_registry():
    registry = getattr(conversion, "_pfor_converter_registry", {})
    assert "GatherV2" in registry, (
        f"TensorFlow's pfor registry no longer has 'GatherV2': {VECTORIZED}"
    )
    assert list(inspect.signature(registry["GatherV2"]).parameters)[:1] == ["pfor_input"], (
        f"TensorFlow's pfor converters no longer take one input alone: {VECTORIZED}"
    )
    for name in ("wrap", "ConversionNotImplementedError"):
        assert hasattr(conversion, name), f"TensorFlow's pfor no longer has {name!r}: {VECTORIZED}"


def test_pfor_has_what_our_converters_build_on():
    names = ("_create_op", "_tile_variant", "_transpose_first_two_dims")
    missing = [name for name in names if not hasattr(conversion, name)]
    assert not missing, f"TensorFlow's pfor no longer has {missing}: {OPERATIONS}"


def test_pfor_knows_whether_an_index_takes_every_row():
    source = inspect.getsource(conversion.PFor)
    for name in ("all_indices", "all_indices_partitioned"):
        assert f"def {name}(" in source or f"self.{name} =" in source, (
            f"TensorFlow's PFor no longer has {name!r}: {OPERATIONS}"
        )


def test_pfor_converts_what_a_converter_asks_for():
    for name in ("_add_conversion", "convert", "op_is_inside_loop"):
        assert hasattr(conversion.PFor, name), (
            f"TensorFlow's PFor no longer has {name!r}: {OPERATIONS}"
        )
    assert "self._conversion_map =" in inspect.getsource(conversion.PFor), (
        f"TensorFlow's PFor no longer has '_conversion_map': {OPERATIONS}"
    )


def test_a_graph_knows_the_graphs_of_the_functions_that_it_calls():
    innermost = tf.function(tf.exp, autograph=False)
    inner = tf.function(lambda x: innermost(x) * 2, autograph=False)
    outer = tf.function(lambda x: inner(x) + 1, autograph=False)
    graph = outer.get_concrete_function(tf.TensorSpec([None])).graph
    functions = getattr(graph, "_functions", {})
    called = [f.graph for f in functions.values() if hasattr(f, "graph")]
    assert any(op.type == "Exp" for one in called for op in one.get_operations()), (
        "TensorFlow's FuncGraph no longer has '_functions' with their graphs: see "
        "finetune/engines/population/model_trace.py"
    )


def test_pfor_takes_our_options():
    options = inspect.signature(control_flow_ops.pfor).parameters
    for name in ("fallback_to_while_loop", "warn"):
        assert name in options, f"TensorFlow's pfor no longer takes {name!r}: {VECTORIZED}"


# What `_Stateless` leaves to `TFOptimizer`, since no row of weights comes by it: state that a row
# does not have, and options that the population engine refuses.
LEFT_TO_TENSORFLOW = {
    "__init__",
    "_backend_increment_gradient_accumulators",
    "_overwrite_model_variables_with_average_value",
    "add_variable_from_reference",
}


def test_all_that_keras_overrides_for_tensorflow_is_undone():
    def methods(kind: type) -> set[str]:
        return {name for name, value in vars(kind).items() if callable(value)}

    overridden = methods(TFOptimizer) & methods(BaseOptimizer)
    unknown = overridden - methods(_Stateless) - LEFT_TO_TENSORFLOW
    assert not unknown, f"Keras's TFOptimizer now overrides {sorted(unknown)} too: {STATELESS}"
    gone = methods(_Stateless) - overridden
    assert not gone, f"Keras's TFOptimizer no longer overrides {sorted(gone)}: {STATELESS}"


def test_an_optimizer_keeps_its_learning_rate_in_a_variable():
    optimizer = keras.optimizers.Adam(0.5)
    optimizer.build([keras.Variable([1.0])])
    rate = getattr(optimizer, "_learning_rate", None)
    assert any(variable is rate for variable in optimizer.variables), (
        f"A Keras optimizer's variables no longer hold its '_learning_rate': {STATELESS}"
    )


def test_a_variable_has_its_initializer_inside_a_stateless_scope():
    with keras.StatelessScope():
        layer = keras.layers.Dense(1, kernel_initializer="he_normal")
        layer.build((None, 2))
        found = getattr(layer.kernel, "_initializer", None)
    assert isinstance(found, keras.initializers.HeNormal), (
        "A Keras variable no longer keeps its '_initializer' inside a StatelessScope: see "
        "finetune/models/initial_values.py"
    )


def test_keras_looks_its_functions_up_in_modules_that_we_know():
    known = set(_MODULES.split("|"))
    unknown = set(serialization_lib.BUILTIN_MODULES) - known
    assert not unknown, f"Keras looks functions up in {sorted(unknown)} too: {KERAS_CONFIG}"
    gone = {name for name in known if not hasattr(keras, name)}
    assert not gone, f"Keras no longer has the modules {sorted(gone)}: {KERAS_CONFIG}"


# Arguments by which a layer takes code, the graph of another program, or a file.
DANGEROUS = {"call_fn", "filepath", "function", "init_fn", "module", "path", "vocabulary"}
# They may hold their words, but no path: `vocabulary` is checked where it is text.
OF_WORDS = {"IntegerLookup", "StringLookup", "TextVectorization"}


def test_no_further_layer_of_keras_holds_code_or_reads_a_file():
    layers = inspect.getmembers(keras.layers, inspect.isclass)
    found = {name for name, kind in layers if DANGEROUS & {*inspect.signature(kind).parameters}}
    unknown = {name for name in found - OF_WORDS if name.lower() not in _REFUSED}
    assert not unknown, f"Keras has layers that may hold code, {sorted(unknown)}: {KERAS_CONFIG}"
    assert found >= {"Lambda", "TFSMLayer"}, f"Keras's Lambda takes other arguments: {KERAS_CONFIG}"


TREE = {"name": "s", "data": {"source": "load_iris"}, "variants": [{"name": "v"}]}
# A change to the study, and the type of pydantic's error.
MISTAKES: dict[str, tuple[dict[str, Any], str]] = {
    "unknown key": ({"sedes": 3}, "extra_forbidden"),
    "missing": ({"variants": [{}]}, "missing"),
    "no kind": ({"variants": [{"name": "v", "schedule": {}}]}, "union_tag_not_found"),
    "other kind": (
        {"variants": [{"name": "v", "schedule": {"kind": "x"}}]}, "union_tag_invalid"
    ),
    "two models": ({"model": {"factory": "a:b", "architecture": "c"}}, "value_error"),
    "number": ({"training": {"batch_size": 0}}, "greater_than_equal"),
    "pattern": ({"name": "a/b"}, "string_pattern_mismatch"),
    "short text": ({"variants": [{"name": ""}]}, "string_too_short"),
    "table": ({"data": 3}, "model_type"),
    "table of any": ({"data": {"source": "load_iris", "args": 3}}, "dict_type"),
    "array": ({"vary": "init"}, "tuple_type"),
    "empty array": ({"variants": []}, "too_short"),
}  # fmt: skip


def mistake(changes: dict[str, Any]) -> ErrorDetails:
    with pytest.raises(ValidationError) as caught:
        StudySpec.model_validate_json(json.dumps(TREE | changes), strict=True)
    return caught.value.errors(include_url=False)[0]


@pytest.mark.parametrize("name", MISTAKES)
def test_pydantic_names_its_errors_as_we_read_them(name):
    changes, kind = MISTAKES[name]
    found = mistake(changes)["type"]
    assert found == kind, f"pydantic now calls {name!r} {found!r}, not {kind!r}: {MESSAGES}"


def test_pydantic_words_its_errors_as_we_reword_them():
    messages = [mistake(changes)["msg"] for changes, _ in MISTAKES.values()]
    for pattern, _ in _WORDINGS:
        assert any(re.search(pattern, message) for message in messages), (
            f"pydantic no longer words any error as {pattern!r}: {MESSAGES}"
        )


def test_pandas_says_which_line_has_too_many_fields():
    with pytest.raises(pd.errors.ParserError) as caught:
        pd.read_csv(io.StringIO("a,b\n1,2\n1,2,3\n"))
    assert "Error tokenizing data. C error: Expected 2 fields in line 3, saw 3" in str(
        caught.value
    ), "pandas words a line with too many fields otherwise: see finetune/data/files.py"


def test_optuna_s_sampler_takes_every_option_that_decides_what_it_proposes():
    taken = set(inspect.signature(optuna.samplers.TPESampler).parameters)
    ours = {"seed", "n_startup_trials", "n_ei_candidates", "multivariate", "group", "constant_liar"}
    # Each is set by us or is, at its default, no part of how it samples here.
    known = ours | {
        "consider_prior", "prior_weight", "consider_magic_clip", "consider_endpoints", "gamma",
        "weights", "warn_independent_sampling", "constraints_func",
    }  # fmt: skip
    assert ours <= taken, f"Optuna's TPESampler lost {sorted(ours - taken)}: {SAMPLER}"
    assert taken <= known, f"Optuna's TPESampler gained {sorted(taken - known)}: {SAMPLER}"
