"""Networks: initial weights drawn for any seed as the layers' own initialisers would."""

import keras
import numpy as np
import pytest

from finetune.errors import SpecError
from finetune.models.initial_values import SeededModel, is_seed_state, set_values
from finetune.models.losses import fitting_loss
from finetune.models.network import build_model
from finetune.models.precision import precision
from finetune.spec.model import ModelSpec
from finetune.spec.seeds import stream
from finetune.spec.training import TrainingSpec
from tests.engines import networks

DRAWS = 200


def init(seed: int) -> np.random.SeedSequence:
    return stream("init", seed, vary=("init",))


def noise(seed: int) -> np.random.SeedSequence:
    return stream("order", seed, vary=("order",))


def draw(seeded: SeededModel, seed: int) -> list[np.ndarray]:
    return seeded.initial_values(init(seed), noise(0))


def sequential(*makers, inputs=(5,)) -> SeededModel:
    return SeededModel(lambda: keras.Sequential([keras.Input(inputs), *(m() for m in makers)]))


def dense(units: int, **options):
    return lambda: keras.layers.Dense(units, **options)


def many(seeded: SeededModel) -> np.ndarray:
    """Draw the first variable for many seeds."""
    return np.array([draw(seeded, seed)[0] for seed in range(DRAWS)])


def test_the_default_network():
    model = build_model(ModelSpec(), TrainingSpec(), shape=(10,), n_classes=2)
    assert [layer.units for layer in model.layers] == [64, 32, 16, 1]
    activations = [layer.activation.__name__ for layer in model.layers]
    assert activations == ["relu", "relu", "relu", "sigmoid"]
    assert model.count_params() == 11 * 64 + 65 * 32 + 33 * 16 + 17


@pytest.mark.parametrize(
    ("loss", "units", "activation"),
    [
        ("binary_crossentropy", 1, "sigmoid"),
        ("sparse_categorical_crossentropy", 3, "softmax"),
        ("mean_squared_error", 1, "linear"),
    ],
)
def test_the_output_fits_the_loss(loss, units, activation):
    spec = ModelSpec(hidden=())
    (output,) = build_model(spec, TrainingSpec(loss=loss), shape=(4,), n_classes=3).layers
    assert (output.units, output.activation.__name__) == (units, activation)


@pytest.mark.parametrize(
    ("task", "n_classes", "wanted", "loss"),
    [
        ("binary", 2, None, "binary_crossentropy"),
        ("multiclass", 10, None, "sparse_categorical_crossentropy"),
        ("multiclass", 2, None, "sparse_categorical_crossentropy"),
        ("regression", 0, None, "mean_squared_error"),
        ("binary", 2, "sparse_categorical_crossentropy", "sparse_categorical_crossentropy"),
        ("binary", 2, "binary_focal_crossentropy", "binary_focal_crossentropy"),
        ("binary", 2, "hinge", "hinge"),
        ("binary", 2, "mean_squared_error", "mean_squared_error"),
        ("regression", 0, "huber", "huber"),
    ],
)
def test_the_loss_follows_the_task_where_it_is_not_said(task, n_classes, wanted, loss):
    assert fitting_loss(wanted, task=task, n_classes=n_classes) == loss


@pytest.mark.parametrize(
    ("task", "n_classes", "wanted", "parts"),
    [
        ("multiclass", 10, "binary_crossentropy", ["10 classes", "'sparse_categorical_cros"]),
        ("multiclass", 3, "mean_squared_error", ["3 classes", "data.task"]),
        ("multiclass", 3, "categorical_crossentropy", ["3 classes"]),
        ("multiclass", 3, "SparseCategoricalCrossentropy", ["'sparse_categorical_crossentropy'"]),
        ("binary", 2, "BinaryCrossentropy", ["2 classes", "'binary_crossentropy'"]),
        ("binary", 2, "categorical_crossentropy", ["2 classes"]),
        ("regression", 0, "binary_crossentropy", ["numbers for regression", "'mean_squared_e"]),
    ],
)
def test_a_loss_that_does_not_fit_the_target_is_told_in_one_line(task, n_classes, wanted, parts):
    with pytest.raises(SpecError) as caught:
        fitting_loss(wanted, task=task, n_classes=n_classes)
    line = str(caught.value)
    assert len(line.splitlines()) == 1
    expected = [f"training.loss: received '{wanted}'", "allowed", *parts]
    assert [part for part in expected if part not in line] == []


@pytest.mark.parametrize("batch_normalization", [False, True])
def test_hidden_weights_are_drawn_as_the_study_says(batch_normalization):
    def network() -> keras.Model:
        spec = ModelSpec(
            hidden=(100,),
            kernel_initializer="he_uniform",
            batch_normalization=batch_normalization,
        )
        return build_model(spec, TrainingSpec(), shape=(6,), n_classes=2)

    seeded = SeededModel(network)
    hidden, *_, output, _ = draw(seeded, 0)
    # Uniform within sqrt(6 / inputs); the output layer keeps Glorot's sqrt(6 / (inputs + outputs)).
    assert np.abs(hidden).max() == pytest.approx(1, rel=0.02)
    assert np.abs(output).max() < (6 / 101) ** 0.5


def test_a_users_own_network():
    spec = ModelSpec(factory="tests.engines.networks:dropout")
    model = build_model(spec, TrainingSpec(), shape=(6,), n_classes=2)
    assert (model.input_shape, model.output_shape) == ((None, 6), (None, 1))


@pytest.mark.parametrize(
    ("changes", "parts"),
    [
        ({"activation": "relo"}, ["model.activation", "'relo'", "allowed"]),
        ({"kernel_initializer": "he"}, ["model.kernel_initializer", "'he'", "allowed"]),
        # Of Keras, but without numbers to draw: a base class, and one that needs an argument.
        ({"kernel_initializer": "initializer"}, ["model.kernel_initializer", "'initializer'"]),
        ({"kernel_initializer": "constant"}, ["model.kernel_initializer", "'constant'"]),
        ({"factory": "no_such_module:f"}, ["model.factory", "'no_such_module:f'"]),
        ({"factory": "tests.engines.networks:f"}, ["model.factory", "networks:f'"]),
    ],
)
def test_a_network_that_cannot_be_built_is_told_in_one_line(changes, parts):
    with pytest.raises(SpecError) as caught:
        build_model(ModelSpec(**changes), TrainingSpec(), shape=(4,), n_classes=2)
    line = str(caught.value)
    assert len(line.splitlines()) == 1
    assert [part for part in parts if part not in line] == []


def built(network: str, *, loss: str = "mean_squared_error", shape=(4,)) -> keras.Model:
    """Build one of these tests' networks for 2 classes."""
    spec = ModelSpec(factory=f"tests.models.test_network:{network}")
    return build_model(spec, TrainingSpec(loss=loss), shape=shape, n_classes=2)


def five_outputs(input_shape, n_outputs):
    return keras.Sequential([keras.Input(input_shape), keras.layers.Dense(5)])


def one_output(input_shape, n_outputs):
    return keras.Sequential([keras.Input(input_shape), keras.layers.Dense(1)])


def seven_features(input_shape, n_outputs):
    return keras.Sequential([keras.Input((7,)), keras.layers.Dense(n_outputs)])


def unit_axis_lost(input_shape, n_outputs):
    x = keras.Input(input_shape)
    return keras.Model(x, keras.ops.squeeze(keras.layers.Dense(n_outputs)(x), -1))


def two_tensors(input_shape, n_outputs):
    x = keras.Input(input_shape)
    return keras.Model(x, [keras.layers.Dense(1)(x), keras.layers.Dense(1)(x)])


def any_features(input_shape, n_outputs):
    x = keras.Input((None,))
    return keras.Model(x, keras.layers.Dense(n_outputs)(keras.layers.Reshape(input_shape)(x)))


def no_input(input_shape, n_outputs):
    return keras.Sequential([keras.layers.Dense(3), keras.layers.Dense(n_outputs)])


def any_six_features(input_shape, n_outputs):
    return any_features((6,), n_outputs)


class OwnClass(keras.Model):
    def __init__(self, outputs):
        super().__init__()
        self.dense = keras.layers.Dense(outputs)

    def call(self, inputs):
        return self.dense(inputs)


def two_inputs(input_shape, n_outputs):
    inputs = [keras.Input(input_shape), keras.Input(input_shape)]
    return keras.Model(inputs, keras.layers.Dense(n_outputs)(keras.layers.Add()(inputs)))


def two_by_two(input_shape, n_outputs):
    inputs = keras.Input((2, 2))
    return keras.Model(inputs, keras.layers.Dense(n_outputs)(keras.layers.Flatten()(inputs)))


def own_class(input_shape, n_outputs):
    return OwnClass(n_outputs)


def own_class_of_five(input_shape, n_outputs):
    return OwnClass(5)


@pytest.mark.parametrize("network", ["one_output", "any_features", "own_class"])
def test_a_network_that_takes_the_data_is_used(network):
    assert isinstance(built(network), keras.Model)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_stack_without_an_input_is_built_from_the_data(dtype):
    with precision(dtype):
        seeded = SeededModel(lambda: built("no_input"))
    assert [variable.shape for variable in seeded.model.variables] == [(4, 3), (3,), (3, 1), (1,)]
    streams = np.random.SeedSequence(1), np.random.SeedSequence(2)
    kernel, bias, *_ = seeded.initial_values(*streams)
    assert kernel.dtype == bias.dtype == dtype
    assert kernel.std() > 0
    assert not bias.any()


@pytest.mark.parametrize(
    ("network", "loss", "parts"),
    [
        ("five_outputs", "mean_squared_error", ["returns (5,)", "needs (1,)"]),
        ("own_class_of_five", "mean_squared_error", ["returns (5,)", "needs (1,)"]),
        ("one_output", "sparse_categorical_crossentropy", ["returns (1,)", "needs (2,)"]),
        ("unit_axis_lost", "mean_squared_error", ["returns ()", "needs (1,)"]),
        ("two_tensors", "mean_squared_error", ["returns 2 tensors", "one, of shape (1,)"]),
        ("two_inputs", "mean_squared_error", ["takes 2 inputs (", "but the data have one"]),
        ("seven_features", "mean_squared_error", ["takes rows of (7,), but", "rows of (4,)"]),
        ("two_by_two", "mean_squared_error", ["takes rows of (2, 2)", "say data.shape = [2, 2]"]),
        ("any_six_features", "mean_squared_error", ["rows of (4,), but rows of (None,): "]),
    ],
)
def test_a_network_of_another_shape_than_the_data_is_told_in_one_line(network, loss, parts):
    with pytest.raises(SpecError) as caught:
        built(network, loss=loss)
    line = str(caught.value)
    assert len(line.splitlines()) == 1
    expected = [f"model.factory: tests.models.test_network:{network}", *parts]
    assert [part for part in expected if part not in line] == []


@pytest.mark.parametrize(
    ("network", "part"),
    [
        (
            five_outputs,
            "model.architecture: net.json returns (5,) for a row; the target needs",
        ),
        (seven_features, "model.architecture: net.json takes rows of (7,), but the data have"),
    ],
)
def test_an_architecture_of_another_shape_is_told_in_one_line(network, part, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "net.json").write_text(network((4,), 1).to_json())
    with pytest.raises(SpecError) as caught:
        build_model(ModelSpec(architecture="net.json"), TrainingSpec(), shape=(4,), n_classes=2)
    assert part in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


def two_by_name(input_shape, n_outputs):
    inputs = [keras.Input((4,), name="left"), keras.Input((3,), name="right")]
    return keras.Model(inputs, keras.layers.Dense(n_outputs)(keras.layers.Concatenate()(inputs)))


class OfLeft(keras.Model):
    def __init__(self, n_outputs):
        super().__init__()
        self.dense = keras.layers.Dense(n_outputs)

    def call(self, inputs):
        return self.dense(inputs["left"])


def of_left(input_shape, n_outputs):
    return OfLeft(n_outputs)


def test_a_network_of_several_inputs_is_built_for_their_shapes():
    shapes = {"right": (3,), "left": (4,)}
    assert built("two_by_name", loss="mean_squared_error", shape=shapes).output_shape == (None, 1)
    assert built("of_left", loss="mean_squared_error", shape=shapes).count_params() == 5


@pytest.mark.parametrize(
    ("network", "shapes", "parts"),
    [
        ("two_by_name", {"left": (4,), "up": (3,)}, ["takes the inputs 'left', 'right'", "'up'"]),
        ("two_by_name", {"left": (5,), "right": (3,)}, ["takes rows of (4,) for 'left'"]),
        ("seven_features", {"left": (7,), "right": (3,)}, ["takes the inputs", "rename"]),
        (
            "of_left",
            {"up": (4,), "right": (3,)},
            ["does not take the data's rows of (4,) for 'up'"],
        ),
    ],
)
def test_a_network_of_other_inputs_than_the_data_is_told_in_one_line(network, shapes, parts):
    with pytest.raises(SpecError) as caught:
        built(network, loss="mean_squared_error", shape=shapes)
    line = str(caught.value)
    assert len(line.splitlines()) == 1
    assert [part for part in parts if part not in line] == []


def test_the_default_network_takes_one_input():
    shapes = {"left": (4,), "right": (3,)}
    with pytest.raises(SpecError, match=r"^model: the data have the inputs 'left', 'right', but"):
        build_model(ModelSpec(), TrainingSpec(), shape=shapes, n_classes=2)


def test_dense_kernels_are_glorot_uniform():
    kernels = many(sequential(dense(7)))
    limit = np.sqrt(6 / (5 + 7))
    assert np.abs(kernels).max() <= limit
    assert np.abs(kernels).max() > 0.999 * limit
    # A uniform variable's mean is 0 and its variance limit**2 / 3; 7,000 draws come close.
    assert abs(kernels.mean()) < 4 * limit / np.sqrt(3 * kernels.size)
    assert kernels.var() == pytest.approx(limit**2 / 3, rel=0.05)


@pytest.mark.parametrize(
    ("initializer", "mean", "deviation"),
    [("random_normal", 0, 0.05), ("he_normal", 0, np.sqrt(2 / 5)), ("ones", 1, 0)],
)
def test_the_layers_own_initialiser_is_the_one_used(initializer, mean, deviation):
    kernels = many(sequential(dense(7, kernel_initializer=initializer)))
    assert kernels.mean() == pytest.approx(mean, abs=0.02)
    assert kernels.std() == pytest.approx(deviation, rel=0.05)


def test_an_initialiser_given_as_a_function_or_with_a_seed():
    def thirds(shape, dtype):
        return keras.ops.full(shape, 1 / 3, dtype=dtype)

    seeded = keras.initializers.GlorotUniform(seed=5)
    model = sequential(dense(2, kernel_initializer=thirds), dense(2, kernel_initializer=seeded))
    (plain, _, kernel, _), (_, _, other, _) = draw(model, 0), draw(model, 1)
    np.testing.assert_array_equal(plain, np.float32(1 / 3))
    # Each seed is a replicate: a seed in the network's own code does not make them equal.
    assert not np.array_equal(kernel, other)


def test_values_follow_from_the_seed_alone():
    model, twin = (sequential(dense(4), dense(4), inputs=(4,)) for _ in range(2))
    for one, again, other in zip(draw(model, 3), draw(twin, 3), draw(model, 4), strict=True):
        np.testing.assert_array_equal(one, again)
        assert np.array_equal(one, other) == (one.ndim == 1)  # biases are zeros


def test_variables_of_one_shape_differ():
    kernels = draw(sequential(*[dense(4)] * 3, inputs=(4,)), 0)[::2]
    assert len({kernel.tobytes() for kernel in kernels}) == 3


def test_biases_scales_and_statistics_start_as_their_layers_say():
    seeded = SeededModel(lambda: networks.batch_normalization((6,), 1))
    kinds = [variable.path.split("/")[-1] for variable in seeded.model.variables]
    for kind, value in zip(kinds, draw(seeded, 0), strict=True):
        if kind != "kernel":
            np.testing.assert_array_equal(value, float(kind in ("gamma", "moving_variance")))
    assert set(kinds) == {"kernel", "bias", "gamma", "beta", "moving_mean", "moving_variance"}


def test_recurrent_kernels_are_orthogonal_and_forget_gates_open():
    seeded = sequential(lambda: keras.layers.LSTM(4), inputs=(3, 2))
    kernel, recurrent, bias, _ = draw(seeded, 0)  # the last is the state of its dropout
    assert (kernel.shape, recurrent.shape) == ((2, 16), (4, 16))
    np.testing.assert_allclose(recurrent @ recurrent.T, np.eye(4), atol=1e-5)
    np.testing.assert_array_equal(bias, [0.0] * 4 + [1.0] * 4 + [0.0] * 8)


def test_noise_sets_the_seed_generators_and_no_weight():
    seeded = SeededModel(lambda: networks.dropout((6,), 1))
    states = [is_seed_state(variable) for variable in seeded.model.variables]
    assert sum(states) == 2
    one = seeded.initial_values(init(0), noise(0))
    other = seeded.initial_values(init(0), noise(1))
    assert [np.array_equal(a, b) for a, b in zip(one, other, strict=True)] == [
        not state for state in states
    ]
    first, second = (value for value, state in zip(one, states, strict=True) if state)
    assert not np.array_equal(first, second)


@pytest.mark.parametrize("network", ["dropout", "batch_normalization", "lstm", "embedding"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_network_with_drawn_values_predicts_in_its_dtype(network, dtype):
    x = np.linspace(-1, 1, 12).reshape(2, 6)
    with precision(dtype):
        seeded = SeededModel(lambda: getattr(networks, network)((6,), 1))
        predictions = []
        for seed in (0, 1, 0):
            set_values(seeded.model.variables, seeded.initial_values(init(seed), noise(0)))
            predictions.append(keras.ops.convert_to_numpy(seeded.model(x.astype(dtype))))
    assert predictions[0].dtype == dtype
    np.testing.assert_array_equal(predictions[0], predictions[2])
    assert not np.array_equal(predictions[0], predictions[1])


def keras_globals() -> tuple[str, str]:
    return keras.config.floatx(), keras.config.dtype_policy().name


def test_precision_restores_what_was_set():
    before = keras_globals()
    with precision("float64"):
        assert keras_globals() == ("float64", "float64")
        with precision("float32"):
            assert keras_globals() == ("float32", "float32")
        assert keras_globals() == ("float64", "float64")
        assert keras.layers.Dense(1).compute_dtype == "float64"
    assert keras_globals() == before


def test_precision_restores_after_an_error():
    before = keras_globals()
    with pytest.raises(RuntimeError, match="oops"), precision("float64"):
        raise RuntimeError("oops")
    assert keras_globals() == before


def test_precision_restores_a_policy_of_its_own():
    mixed = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_float16")
    try:
        with precision("float64"):
            pass
        assert keras_globals() == ("float32", "mixed_float16")
    finally:
        keras.config.set_dtype_policy(mixed)


def test_layers_of_the_same_name_and_shape_begin_as_another_models():
    def network(*makers):
        return lambda: keras.Sequential([keras.Input((5,)), *(make() for make in makers)])

    def dense(units):
        return lambda: keras.layers.Dense(units)

    plain = network(dense(4), dense(3), dense(1))
    other = network(dense(4), lambda: keras.layers.Dropout(0.5), dense(3), dense(2))
    own, both = SeededModel(plain), SeededModel(other, like=plain)
    # Numbered within the network, not within the process: whichever task builds it names it alike.
    assert both.layers == {"dense": True, "dense_1": True, "dense_2": False}
    # Kernels and biases in turn, and the state of the dropout after the first layer.
    first, second = draw(own, 3), draw(both, 3)
    same = [np.array_equal(first[i], second[j]) for i, j in ((0, 0), (1, 1), (2, 3), (3, 4))]
    assert same == [True] * 4
    assert second[5].shape == (3, 2)
