"""The reference engine: which rows each step gets, and that runs start afresh."""

import keras
import numpy as np
import pandas as pd
import pytest
import tensorflow as tf

from finetune.engines.keras_fit import KerasEngine
from finetune.engines.keras_fit.trainer import batches
from finetune.engines.keras_problem import KerasProblem
from finetune.engines.problem import Arrays, Problem
from finetune.errors import SpecError
from finetune.models.initial_values import set_values
from finetune.models.precision import precision
from finetune.spec.seeds import batch_order
from tests.small_studies import small_study, task


class Spy(keras.layers.Layer):
    """Passes its input on and keeps the rows that it was given in training."""

    def __init__(self):
        super().__init__()
        self.seen = []

    def call(self, inputs, training=False):
        if training:
            tf.py_function(lambda rows: self.seen.append(rows.numpy()[:, 0]), [inputs], [])
        return inputs


def test_each_step_gets_the_rows_of_the_order():
    rows, size, epochs = 11, 4, 3
    order = batch_order(np.random.SeedSequence(5), epochs=epochs, rows=rows)
    x = np.arange(rows, dtype=np.float32)[:, None]
    spy = Spy()
    model = keras.Sequential([keras.Input((1,)), spy, keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    model.fit(
        batches(Arrays(x, x), order, batch_size=size),
        steps_per_epoch=3,
        epochs=epochs,
        shuffle=False,
        verbose=0,
    )
    expected = [epoch[begin : begin + size] for epoch in order for begin in range(0, rows, size)]
    assert [list(seen) for seen in spy.seen] == [list(batch) for batch in expected]


def test_a_run_does_not_depend_on_the_runs_before_it():
    spec = small_study("training.epochs=3", "training.optimizer={name='adagrad'}")
    together = KerasEngine().train(task(spec, engine="keras"))
    alone = KerasEngine().train(task(spec, seeds=(1,), engine="keras"))
    last = together.epochs[together.epochs["seed"] == 1].reset_index(drop=True)
    pd.testing.assert_frame_equal(last, alone.epochs, check_exact=True)


def test_the_optimizer_of_a_run_begins_at_the_runs_own_weights():
    """Some keep averages of the weights, which begin with them."""
    spec = small_study(
        "training.dtype=float64",
        "training.epochs=2",
        "training.optimizer={name='ScheduleFreeAdamW'}",
    )
    problem, seed = Problem(spec), 3
    rows, order = (
        problem.data(seed).train,
        problem.order(seed, rows=problem.training_rows, epochs=2, replicate=0),
    )
    with precision("float64"):
        ours = KerasProblem(problem)
        model = keras.models.clone_model(ours.model)
        set_values(model.variables, ours.initial_values(problem, seed, replicate=0))
        model.compile(ours.optimizer(), "binary_crossentropy", jit_compile=False)
        # In the graph of a step, where `fit` would build it, Keras loses the values it begins with.
        model.optimizer.build(model.trainable_variables)
        for epoch in order:
            model.fit(rows.x[epoch], rows.y[epoch], batch_size=16, shuffle=False, verbose=0)
        expected = model.evaluate(rows.x, rows.y, verbose=0)
    # Not the first run of the engine's model.
    runs = KerasEngine().train(task(spec, seeds=(0, seed), variants=spec.variants[:1])).runs
    np.testing.assert_allclose(runs["train_loss"].iloc[1], expected, rtol=1e-9)


def test_logs_without_what_is_reported_or_watched_are_refused_after_an_epoch():
    spec = small_study("model.factory=tests.engines.networks:unnamed", "training.epochs=2")
    with pytest.raises(SpecError, match=r"^model\.factory: the report shows 'val_loss', .*val_own"):
        KerasEngine().train(task(spec, seeds=(0,), engine="keras"))
