"""What a network is, as data."""

import keras
import pytest

from finetune.models.layer_names import names_in_network
from finetune.models.summary import LayerSummary, summarise


def test_layers_shapes_and_weights_are_those_of_keras():
    model = keras.Sequential(
        [
            keras.Input((6, 1)),
            keras.layers.Conv1D(4, 3),
            keras.layers.BatchNormalization(),
            keras.layers.Flatten(),
            keras.layers.Dropout(0.1),
            keras.layers.Dense(1),
        ]
    )
    names = names_in_network(model)
    summary = summarise(model, names=names)
    # As in a fresh process, whatever was built before.
    assert (summary.layers[0].name, summary.layers[-1].name) == ("conv1d", "dense")
    assert [(layer.kind, layer.shape, layer.weights) for layer in summary.layers] == [
        ("Conv1D", (4, 4), 16),
        ("BatchNormalization", (4, 4), 16),
        ("Flatten", (16,), 0),
        ("Dropout", (16,), 0),
        ("Dense", (1,), 17),
    ]
    assert summary.trainable + summary.other == model.count_params() == 49
    # The moving mean and variance.
    assert (summary.other, summary.penalised) == (8, False)


@pytest.mark.parametrize("frozen", [True, False])
def test_a_frozen_layer_is_not_trained(frozen):
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(4), keras.layers.Dense(1)])
    model.layers[0].trainable = not frozen
    assert (summarise(model, names={}).trainable, summarise(model, names={}).other) == (
        (5, 16) if frozen else (21, 0)
    )


def test_a_regulariser_is_a_penalty():
    dense = keras.layers.Dense(1, kernel_regularizer="l2")
    assert summarise(keras.Sequential([keras.Input((3,)), dense]), names={}).penalised


class Subclassed(keras.Model):
    """A network whose layers are called by its own code alone."""

    def __init__(self):
        super().__init__()
        self.dense = keras.layers.Dense(1, name="last")

    def call(self, rows):
        return self.dense(rows)


def test_of_a_subclassed_model_the_shapes_are_not_known():
    model = Subclassed()
    model(keras.KerasTensor((None, 3)))
    assert summarise(model, names={}).layers == (LayerSummary("last", "Dense", None, 4),)
