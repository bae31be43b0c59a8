"""The reference engine: which rows each step gets, and that runs start afresh."""

import keras
import numpy as np
import pandas as pd
import tensorflow as tf

from finetune.engines.keras_fit import KerasEngine
from finetune.engines.keras_fit.trainer import batches
from finetune.engines.problem import Arrays
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
