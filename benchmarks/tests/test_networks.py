"""The networks that are timed are trained by the population as `keras.Model.fit` trains them."""

import numpy as np
import pandas as pd
import pytest

from benchmarks.speed.networks import NETWORKS
from finetune.engines.base import Task, TaskTables
from finetune.engines.registry import DEFAULT, REFERENCE
from finetune.spec.study import StudySpec
from finetune.studies.load import load_spec

pytestmark = pytest.mark.slow

# Fewer rows than are timed, of what is made of any number.
ROWS = {
    "cnn-32": "data.args={n_rows=64}",
    "lstm": "data.args={n_rows=100}",
    "embedding": "data.args={n_rows=100}",
}
# With the founding rate rounding has grown to 0.01 after ten epochs of 34 steps on digits.
SLOWLY = "training.optimizer.learning_rate=1e-4"


def study(network: str, *overrides: str) -> StudySpec:
    rows = ROWS.get(network, "training.batch_size=32")
    return load_spec(overrides=["claims=[]", *NETWORKS[network].overrides, rows, *overrides])


def trained(spec: StudySpec, *, first: int, last: int, seeds: tuple[int, ...]) -> list[TaskTables]:
    variants = spec.variants[first:last]
    return [one.train(Task(spec, variants, seeds, one.name)) for one in (DEFAULT, REFERENCE)]


def assert_same(tables: list[TaskTables], *, tolerance: float, rows: float = 0.0) -> None:
    """Compare losses within a tolerance, and accuracies but for a share of the rows."""
    ours, reference = (one.epochs for one in tables)
    keys = ["variant", "seed", "epoch", "learning_rate"]
    pd.testing.assert_frame_equal(ours.loc[:, keys], reference.loc[:, keys])
    for ending, most in (("loss", tolerance), ("accuracy", max(rows, tolerance))):
        curves = [name for name in ours if name.endswith(ending)]
        np.testing.assert_allclose(ours[curves], reference[curves], rtol=most, atol=most)


@pytest.mark.parametrize("network", NETWORKS)
def test_float32_agrees_for_ten_epochs(network: str):
    tables = trained(study(network, SLOWLY, "training.epochs=10"), first=2, last=3, seeds=(0, 1))
    # Rounding tells a row of some hundred otherwise; of a normalised network it grows faster.
    assert_same(tables, tolerance=1e-3 if network == "regularised" else 1e-5, rows=6e-3)


@pytest.mark.parametrize("network", NETWORKS)
def test_float64_agrees_to_the_end(network: str):
    spec = study(network, "training.dtype=float64", "training.epochs=15")
    assert_same(trained(spec, first=2, last=5, seeds=(0,)), tolerance=1e-9)
