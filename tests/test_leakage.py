"""No test row influences training or callbacks: other test rows change test metrics alone."""

import keras
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import datasets

from finetune.data.splits import load_splits
from finetune.engines.base import TaskTables
from finetune.engines.keras_fit import KerasEngine
from finetune.engines.population import PopulationEngine
from finetune.spec.data import DataSpec
from tests.data.user_data import people, write
from tests.small_studies import small_study, task

SPEC = small_study(
    "data.args.n_samples=200",
    "training.epochs=8",
    "training.optimizer.learning_rate=0.1",
    "claims=[{kind='underfits', treatment='stops', control='cuts'}]",
    "variants=[{name='stops', early_stopping={patience=1}}, "
    "{name='cuts', reduce_lr={factor=0.5, patience=1}}]",
)


def corrupt(monkeypatch, index: np.ndarray) -> None:
    """Make the source give other features and the opposite class for some rows."""
    original = datasets.make_classification

    def source(**arguments):
        x, y = original(**arguments)
        x[index] += np.random.default_rng(1).normal(size=x[index].shape)
        y[index] = 1 - y[index]
        return x, y

    monkeypatch.setattr(datasets, "make_classification", source)


def train(engine, weights: list[list[np.ndarray]]) -> TaskTables:
    """Train by a fresh engine, since one keeps its rows; gather the weights after each fit."""
    original = keras.Model.fit

    def recorded(model, *arguments, **options):
        history = original(model, *arguments, **options)
        weights.append(model.get_weights())
        return history

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(keras.Model, "fit", recorded)
        return engine().train(task(SPEC, seeds=[0]))


def differing(one: pd.DataFrame, other: pd.DataFrame) -> set[str]:
    return {name for name in one if not one[name].equals(other[name])}


@pytest.mark.parametrize(
    "engine", [KerasEngine, pytest.param(PopulationEngine, marks=pytest.mark.slow)]
)
def test_other_test_rows_change_test_metrics_alone(engine, monkeypatch):
    weights, other_weights = [], []
    clean = train(engine, weights)
    # Callbacks did act, so that a leak would have shown in what they do.
    assert clean.runs["lr_reductions"].sum() > 0
    assert (clean.runs["epochs_run"] < SPEC.training.epochs).any()

    corrupt(monkeypatch, load_splits(SPEC.data, 0).test.index)
    other = train(engine, other_weights)
    assert differing(clean.runs, other.runs) == {"test_loss", "test_accuracy"}
    assert differing(clean.epochs, other.epochs) == {"test_loss", "test_accuracy"}
    assert len(weights) == (len(clean.runs) if engine is KerasEngine else 0)
    for one, again in zip(weights, other_weights, strict=True):
        assert all(np.array_equal(a, b) for a, b in zip(one, again, strict=True))


@settings(max_examples=20)
@given(st.data())
def test_other_test_rows_leave_imputer_scaler_and_encoder_as_they_are(tmp_path_factory, data):
    """Training and validation rows become the same numbers, to the last bit."""
    file = tmp_path_factory.getbasetemp() / "people.csv"
    table = people().astype({"town": object})
    spec = DataSpec(source=write(file, table), target="plan")
    # Of the whole table only the names of categories are used: here test rows add none.
    table.loc[load_splits(spec, 0).train.index[0], "town"] = None
    write(file, table)
    clean = load_splits(spec, 0)
    row = st.tuples(
        st.floats(-1e6, 1e6) | st.none(),
        st.sampled_from(["Ely", "Rye", "Ayr", None]),
        st.booleans(),
        st.integers(-(10**6), 10**6),
    )
    test = clean.test.index
    rows = data.draw(st.lists(row, min_size=len(test), max_size=len(test)))
    columns = ["age", "town", "member", "children"]
    changed = pd.DataFrame(rows, index=test, columns=columns).astype(table[columns].dtypes)
    table.loc[test, columns] = changed
    write(file, table)
    other = load_splits(spec, 0)
    for one, again in ((clean.train, other.train), (clean.val, other.val)):
        np.testing.assert_array_equal(one.index, again.index)
        np.testing.assert_array_equal(one.x, again.x)


def test_other_validation_rows_do_have_influence(monkeypatch):
    """The same corruption elsewhere is seen, so the test above could have failed."""
    clean = train(KerasEngine, [])
    corrupt(monkeypatch, load_splits(SPEC.data, 0).val.index)
    changed = differing(clean.runs, train(KerasEngine, []).runs)
    assert {"val_loss", "epochs_run", "train_loss"} <= changed
