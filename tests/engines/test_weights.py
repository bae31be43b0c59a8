"""Weights of classes and rows mean what they mean to `keras.Model.fit` with plain arrays."""

import numpy as np
import pytest

from finetune.engines.keras_problem import KerasProblem
from finetune.engines.problem import Problem
from finetune.engines.registry import engine_names, get_engine
from finetune.models.initial_values import set_values
from finetune.models.precision import precision
from tests.contracts.test_engines import WEIGHTED
from tests.small_studies import small_study, task

# One batch a step, so that the order of its rows is nothing but rounding.
WHOLE = ("training.dtype=float64", "training.batch_size=500", "training.epochs=4")
CLASS_WEIGHT = {0: 0.5, 1: 4.0}


def fitted(problem: Problem, **weights) -> dict[str, list[float]]:
    """Train a fresh model by Keras alone; return the losses that it reports, by name."""
    made, data = KerasProblem(problem), problem.data(0)
    model = made.model
    set_values(model.variables, made.initial_values(problem, 0, replicate=0))
    model.compile(made.optimizer(), loss=problem.spec.training.loss, jit_compile=False)
    history = model.fit(
        data.train.x,
        data.train.y,
        batch_size=500,
        epochs=4,
        validation_data=(data.val.x, data.val.y),
        shuffle=False,
        verbose=0,
        **weights,
    )
    return history.history


@pytest.mark.parametrize("name", engine_names())
@pytest.mark.parametrize("kind", ["classes", "rows"])
def test_a_run_is_that_of_fit_with_the_same_weights(name, kind):
    weights = ["training.class_weight={'0'=0.5, '1'=4.0}"] if kind == "classes" else WEIGHTED
    spec, plain = small_study(*WHOLE, *weights), small_study(*WHOLE)
    with precision("float64"):
        problem = Problem(spec)
        train = problem.data(0).train
        fit_weights = (
            {"class_weight": CLASS_WEIGHT} if kind == "classes" else {"sample_weight": train.weight}
        )
        expected = fitted(problem, **fit_weights)
        unweighted = fitted(problem)
    ours = get_engine(name).train(task(spec, seeds=(0,), engine=name, variants=plain.variants[:1]))
    for loss in ("loss", "val_loss"):
        np.testing.assert_allclose(ours.epochs[loss], expected[loss], rtol=1e-9)
        assert abs(ours.epochs[loss].iloc[-1] - unweighted[loss][-1]) > 1e-4
    # The loss of training is weighed, that of evaluations is not.
    assert abs(ours.epochs["loss"].iloc[1] / ours.epochs["train_loss"].iloc[0] - 1) > 0.05
