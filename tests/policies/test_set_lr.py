"""Setting the learning rate once, and ending the watch of a reduction, as the probe needs it."""

import numpy as np
import pytest

from finetune.engines.keras_fit import KerasEngine
from finetune.engines.population import PopulationEngine
from finetune.spec.variants import ReduceLRSpec, SetLRSpec, VariantSpec
from tests.small_studies import small_study, task

EAGER = ReduceLRSpec(factor=0.5, patience=1, min_delta=1e3, until_epoch=4)
ARMS = (
    VariantSpec(name="raised", reduce_lr=EAGER, set_lr=SetLRSpec(epoch=4, learning_rate=0.02)),
    VariantSpec(name="own", reduce_lr=EAGER),
)


@pytest.mark.parametrize("engine", [KerasEngine, PopulationEngine])
def test_the_rate_is_set_and_nothing_cuts_it_afterwards(engine):
    spec = small_study("training.dtype=float64", "training.epochs=6")
    epochs = engine().train(task(spec, seeds=(0,), variants=ARMS)).epochs
    rates = {name: list(rows["learning_rate"]) for name, rows in epochs.groupby("variant")}
    cut = [0.01, 0.01, 0.005, 0.0025]
    np.testing.assert_allclose(rates["raised"], [*cut, 0.02, 0.02])
    np.testing.assert_allclose(rates["own"], [*cut, 0.00125, 0.00125])
