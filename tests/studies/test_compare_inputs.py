"""What a Keras user hands `finetune.compare`: taken over as it is meant, or one line."""

from functools import partial

import keras
import numpy as np
import pandas as pd
import pytest
from scipy import sparse

import finetune
from finetune.errors import DataError, FinetuneError, SpecError
from finetune.studies.load import load_spec
from finetune.studies.run import run_study
from finetune.usercode.files import locate_files

N = 60
ROWS = np.random.default_rng(0).normal(size=(N, 4))
CLASSES = (ROWS[:, 0] > 0).astype(int)
TABLE = pd.DataFrame(
    {
        "size": ROWS[:, 0],
        "count": pd.array([None if i % 5 == 0 else i for i in range(N)], dtype="Int64"),
        "colour": ["red", "blue", None] * (N // 3),
        "old": pd.array([None if i % 7 == 0 else i % 2 == 0 for i in range(N)], dtype="boolean"),
    }
)


# Of fifteen houses, in the order of their names.
HOUSED = TABLE.assign(house=np.repeat(list("abcdefghijklmno"), 4))


def network(input_shape=(4,), n_outputs=1) -> keras.Model:
    return keras.Sequential(
        [
            keras.Input(input_shape),
            keras.layers.Dense(4, activation="relu"),
            keras.layers.Dense(n_outputs, activation="softmax" if n_outputs > 1 else "sigmoid"),
        ]
    )


def of_both() -> keras.Model:
    """Take an image and a table; called with nothing."""
    image, table = keras.Input((2, 2, 1), name="image"), keras.Input((4,), name="table")
    flat = keras.layers.Flatten()(keras.layers.Conv2D(2, 2)(image))
    joined = keras.layers.Concatenate()([flat, table])
    return keras.Model([table, image], keras.layers.Dense(1, activation="sigmoid")(joined))


BOTH = {"image": ROWS.reshape(N, 2, 2, 1), "table": ROWS}


def broken(input_shape, n_outputs) -> keras.Model:
    raise KeyError("units")


@pytest.fixture
def compare(executor, tmp_path):
    arguments = {"seeds": 2, "epochs": 3, "variants": {"plain": {}}, "figures": False}
    return partial(finetune.compare, executor=executor, out=tmp_path, **arguments)


def test_callback_objects_are_variants(compare):
    stop = keras.callbacks.EarlyStopping(monitor="loss", patience=np.int64(2), min_delta=0.5)
    late = finetune.DelayedReduceLROnPlateau(factor=0.5, start_from_epoch=2)
    spec = compare(
        network, ROWS, CLASSES, variants={"none": [], "stop": stop, "both": [stop, late]}
    ).spec
    assert spec.variant("none").bare
    early_stopping = spec.variant("stop").early_stopping
    assert early_stopping == spec.variant("both").early_stopping
    assert early_stopping is not None
    assert (early_stopping.monitor, early_stopping.patience) == ("loss", 2)
    assert early_stopping.min_delta == 0.5
    assert not early_stopping.restore_best_weights
    reduce_lr = spec.variant("both").reduce_lr
    assert reduce_lr is not None
    assert (reduce_lr.factor, reduce_lr.start_from_epoch) == (0.5, 2)


def test_a_table_trains_as_the_same_table_in_a_study_file(tmp_path):
    y = np.where(CLASSES, "yes", "no")
    variants = {"plain": {}, "stop": keras.callbacks.EarlyStopping(patience=1)}
    ours = finetune.compare(
        lambda shape, n: network(input_shape=shape, n_outputs=n),
        TABLE,
        y,
        seeds=2,
        epochs=3,
        variants=variants,
        out=tmp_path / "a",
        figures=False,
    )
    folder = tmp_path / "b"
    folder.mkdir()
    TABLE.assign(target=y).to_csv(folder / "rows.csv", index=False)
    (folder / "network.json").write_bytes((tmp_path / "a" / "network.json").read_bytes())
    data = ours.spec.data.model_copy(update={"source": "rows.csv", "content": None})
    model = ours.spec.model.model_copy(update={"content": None})
    spec = ours.spec.model_copy(update={"data": data, "model": model})
    theirs = run_study(locate_files(spec, folder), folder)
    pd.testing.assert_frame_equal(ours.runs, theirs.runs, check_exact=True)


def test_the_network_is_built_for_the_encoded_row(compare):
    shapes = []

    def build(input_shape, n_outputs):
        shapes.append((input_shape, n_outputs))
        return network(input_shape, n_outputs)

    compare(build, TABLE, np.arange(N) % 3)
    # Two numbers; red, blue and missing; true, false and missing.
    assert shapes == [((8,), 3)]
    compare(build, TABLE, CLASSES, data={"drop": ["colour"]})
    assert shapes[1:] == [((5,), 1)]


def test_a_sparse_matrix_is_the_array_that_it_stands_for(compare, executor):
    rows = np.where(ROWS > 0, ROWS, 0.0)
    dense = compare(network, rows, CLASSES)
    executor.trained.clear()
    same = compare(network, sparse.csr_matrix(rows), CLASSES)
    assert same.spec == dense.spec
    assert executor.trained == []


def test_scalars_of_numpy_are_settings(compare):
    spec = compare(network, ROWS, CLASSES, batch_size=np.int64(16), vary=("init",)).spec
    assert spec.training.batch_size == 16


@pytest.mark.parametrize(
    ("change", "kind", "words"),
    [
        ({"model_fn": network()}, SpecError, "model_fn: received a Sequential"),
        ({"model_fn": None}, SpecError, "model_fn: received a NoneType"),
        ({"model_fn": "network"}, SpecError, "model_fn: received a str"),
        ({"model_fn": lambda: 3}, SpecError, "model_fn: returned int"),
        ({"model_fn": broken}, SpecError, r"broken raised KeyError: 'units' \(test_compare_inp"),
        ({"model_fn": lambda a, b, c: a}, SpecError, "model_fn: <lambda> raised TypeError"),
        ({"model_fn": keras.Sequential}, SpecError, "model_fn: Sequential raised ValueError"),
        ({"x": ROWS[:50]}, DataError, "x, y: received 50 rows of features and 60 targets"),
        ({"x": TABLE, "y": "colour"}, DataError, "y: received str"),
        ({"y": None}, DataError, "y: received NoneType"),
        ({"x": {"a": ROWS[:, 0], "b": ROWS[:, 1]}}, DataError, "'a' has one axis; .*DataFrame"),
        ({"x": {"a": ROWS, "b": ROWS}}, SpecError, "model_fn: the network takes the inputs"),
        ({"model_fn": of_both}, SpecError, "takes 2 inputs .*, but the data have one"),
        ({"data": {"inputs": ["a", "b"]}}, SpecError, "data.inputs: received .* are x and y"),
        ({"y": np.full(N, "2020-01-01", "M8[D]")}, DataError, "data.target: received datetime64"),
        ({"y": pd.array([None, *CLASSES[1:]], dtype="Int64")}, DataError, "target: missing in row"),
        ({"variants": [keras.callbacks.EarlyStopping()]}, SpecError, "received list; .* a dict"),
        ({"variants": {}}, SpecError, "variants: received"),
        ({"variants": {"a": None}}, SpecError, "variants.a: received NoneType"),
        (
            {"variants": {"a": {"early_stopping": keras.callbacks.EarlyStopping()}}},
            SpecError,
            "variants.a.early_stopping: received an object of EarlyStopping",
        ),
        (
            {"variants": {"a": {"callbacks": [keras.callbacks.EarlyStopping()]}}},
            SpecError,
            "variants.a.callbacks: received an object of EarlyStopping",
        ),
        (
            {"variants": {"a": keras.callbacks.EarlyStopping(monitor="val_auc_1")}},
            SpecError,
            "early_stopping.monitor: received 'val_auc_1'; allowed",
        ),
        ({"epochs": "10"}, SpecError, "training.epochs: received '10'"),
        ({"seeds": 0}, SpecError, "seeds: received 0"),
        ({"batch_size": None}, SpecError, "training.batch_size: received None"),
        ({"name": 3}, SpecError, "name: received int"),
        ({"out": 3}, SpecError, "out: received 3"),
        ({"workers": "two"}, SpecError, "workers: received 'two'"),
        ({"workers": -1}, SpecError, "workers: received -1"),
        ({"executor": "dask"}, SpecError, "executor: received str; allowed is a Executor"),
        ({"progress": True}, SpecError, "progress: received bool"),
        ({"progress": finetune.ProgressBar}, SpecError, "progress: received ProgressBar"),
        ({"claims": "better"}, SpecError, "claims: received str; allowed is a list"),
        ({"data": "rows.csv"}, SpecError, "data: received str"),
        ({"data": {"source": "rows.csv"}}, SpecError, "data.source: received 'rows.csv'"),
        ({"training": "adam"}, SpecError, "training: received str"),
        (
            {"training": {"optimizer": keras.optimizers.Adam()}},
            SpecError,
            "training.optimizer: rec",
        ),
        ({"verbose": 0}, SpecError, "verbose: is no argument of compare; it is progress"),
        ({"callbacks": [1]}, SpecError, "callbacks: is no argument of compare; give them by name"),
        ({"shuffle": True}, SpecError, "shuffle: unknown key"),
    ],
)
def test_what_cannot_be_taken_is_named_in_one_line(change, kind, words, compare):
    arguments = {"model_fn": network, "x": ROWS, "y": CLASSES} | change
    with pytest.raises(FinetuneError, match=words) as caught:
        compare(arguments.pop("model_fn"), arguments.pop("x"), arguments.pop("y"), **arguments)
    assert type(caught.value) is kind
    assert "\n" not in str(caught.value)


def test_what_is_refused_leaves_the_folder_as_it_was(compare, tmp_path):
    compare(network, ROWS, CLASSES)
    before = (tmp_path / "data.npz").read_bytes()
    for model_fn, y in ((broken, CLASSES), (network, CLASSES * 0)):
        with pytest.raises(FinetuneError):
            compare(model_fn, ROWS + 1, y)
    assert (tmp_path / "data.npz").read_bytes() == before


def test_several_inputs_are_a_dictionary_of_arrays(compare, tmp_path):
    results = compare(of_both, BOTH, CLASSES)
    assert results.spec.data.inputs == ("image", "table")
    assert "2 inputs of the network: image (4 numbers a row" in (tmp_path / "report.md").read_text()
    # The same runs, in whatever order the dictionary has its inputs.
    again = compare(of_both, dict(reversed(BOTH.items())), CLASSES)
    assert again.spec.problem == results.spec.problem


def test_several_inputs_train_whatever_their_order(tmp_path):
    arguments = {"seeds": 1, "epochs": 2, "variants": {"plain": {}}, "figures": False}
    one, other = (
        finetune.compare(of_both, x, CLASSES, out=tmp_path / str(at), **arguments)
        for at, x in enumerate((BOTH, dict(reversed(BOTH.items()))))
    )
    assert list(one.runs["status"]) == ["ok"]
    pd.testing.assert_frame_equal(one.runs, other.runs, check_exact=True)


def test_the_network_is_built_for_the_shapes_of_its_inputs(compare):
    shapes = []

    def build(input_shape, n_outputs):
        shapes.append((input_shape, n_outputs))
        return of_both()

    compare(build, BOTH, CLASSES, vary=["init", "split"])
    assert shapes == [({"image": (2, 2, 1), "table": (4,)}, 1)]


def test_an_entry_that_the_study_names_is_no_input(compare):
    x = {**BOTH, "house": HOUSED["house"]}
    spec = compare(of_both, x, CLASSES, data={"groups": "house"}).spec
    assert (spec.data.inputs, spec.data.groups) == (("image", "table"), "house")


def test_the_founding_variants_stay_the_default(executor, tmp_path):
    results = finetune.compare(
        network, ROWS, CLASSES, seeds=2, epochs=3, executor=executor, out=tmp_path, figures=False
    )
    assert results.spec.variants == load_spec().variants


def test_a_frame_s_column_of_groups_splits_its_rows(compare):
    manifest = compare(network, HOUSED, CLASSES, data={"groups": "house"}).manifest
    kinship = [split.kinship for split in manifest.data.splits]
    assert kinship == ["9 groups", "3 groups", "3 groups"]
    assert "house" not in {column.name for column in manifest.data.reading.columns}
