"""The policies of whole variants: which runs they are asked about, and what they hold for best."""

import keras
import numpy as np

from finetune.callbacks.reduce_lr import DelayedReduceLROnPlateau
from finetune.callbacks.variants import CALLBACKS, callbacks
from finetune.policies.base import Logs
from finetune.policies.variants import POLICIES, VariantPolicies
from finetune.spec.variants import EarlyStoppingSpec, ReduceLRSpec, VariantSpec

PLAIN = VariantSpec(name="plain")
STOPS = VariantSpec(name="stops", early_stopping=EarlyStoppingSpec(patience=1))
CUTS = VariantSpec(name="cuts", reduce_lr=ReduceLRSpec(factor=0.5, patience=1))
BOTH = VariantSpec(name="both", early_stopping=STOPS.early_stopping, reduce_lr=CUTS.reduce_lr)
VARIANTS = (PLAIN, STOPS, CUTS, BOTH)
ALL = np.ones(4, bool)
RATES = np.array([0.1, 0.2, 0.3, 0.4])


def flat(loss: float = 1.0) -> Logs:
    return {"val_loss": np.full(len(VARIANTS), loss)}


def test_every_policy_has_a_keras_form_that_acts_in_the_same_order():
    assert list(POLICIES) == list(CALLBACKS)


def test_every_run_gets_callbacks_of_its_own():
    kinds = [[type(callback) for callback in callbacks(variant)] for variant in VARIANTS]
    stopping = keras.callbacks.EarlyStopping
    assert kinds == [
        [],
        [stopping],
        [DelayedReduceLROnPlateau],
        [stopping, DelayedReduceLROnPlateau],
    ]
    first, second = callbacks(BOTH), callbacks(BOTH)
    assert not any(one is other for one in first for other in second)


def test_each_run_is_decided_by_its_own_policies_alone():
    policies = VariantPolicies(VARIANTS)
    policies.update(0, flat(), RATES, active=ALL)
    step = policies.update(1, flat(), RATES, active=ALL)
    np.testing.assert_array_equal(step.learning_rate, [0.1, 0.2, 0.15, 0.2])
    np.testing.assert_array_equal(step.stop, [False, True, False, True])


def test_the_learning_rates_given_are_left_as_they_are():
    policies, rates = VariantPolicies(VARIANTS), RATES.copy()
    for epoch in range(3):
        policies.update(epoch, flat(), rates, active=ALL)
    np.testing.assert_array_equal(rates, RATES)


def test_nothing_is_decided_for_runs_that_have_ended():
    policies = VariantPolicies(VARIANTS)
    policies.update(0, flat(), RATES, active=ALL)
    for epoch in (1, 2):
        step = policies.update(epoch, flat(0.1), RATES, active=~ALL)
        np.testing.assert_array_equal(step.learning_rate, RATES)
        assert not step.stop.any()
    # What they did not see does not count: the loss of epoch 0 is still the best.
    step = policies.update(3, flat(), RATES, active=ALL)
    np.testing.assert_array_equal(step.stop, [False, True, False, True])
    np.testing.assert_array_equal(policies.best_epoch(np.full(4, 7)), [7, 0, 7, 0])


def test_the_best_epoch_is_early_stoppings_or_that_of_the_lowest_loss():
    late = STOPS.model_copy(
        update={"early_stopping": EarlyStoppingSpec(patience=1, start_from_epoch=5)}
    )
    policies = VariantPolicies([PLAIN, STOPS, CUTS, late])
    for epoch, loss in enumerate([3.0, 1.0, 2.0]):
        policies.update(epoch, flat(loss), RATES, active=ALL)
    np.testing.assert_array_equal(policies.best_epoch(np.array([8, 8, 8, 8])), [8, 1, 8, 8])
    np.testing.assert_array_equal(policies.final_epoch(np.array([2, 2, 2, 2])), [2, 1, 2, 2])


def test_variants_without_policies_need_no_machine():
    step = VariantPolicies([PLAIN, PLAIN]).update(
        0, {"val_loss": np.ones(2)}, RATES[:2], active=ALL[:2]
    )
    np.testing.assert_array_equal(step.learning_rate, RATES[:2])
    assert not step.stop.any()
