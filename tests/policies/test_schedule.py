"""Learning-rate schedules: against numbers by hand, Keras's schedule and PyTorch's formula."""

import json
import math
from typing import get_args

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from finetune.callbacks.schedule import LearningRateSchedule
from finetune.callbacks.variants import schedule_callback
from finetune.engines.keras_fit import KerasEngine
from finetune.engines.population import PopulationEngine
from finetune.models.precision import precision
from finetune.policies.schedule import _FACTORS, schedule_factor
from finetune.spec.variants import ScheduleSpec, VariantSpec
from tests.contracts.test_policies import schedule_specs
from tests.small_studies import small_study, task


def schedule_factors(spec: ScheduleSpec, epochs: int) -> np.ndarray:
    """Compute the share of the optimizer's learning rate in each epoch, float64 (epoch,)."""
    return np.array([schedule_factor(spec, epoch) for epoch in range(epochs)])


def test_every_kind_of_schedule_has_its_function():
    kinds = get_args(get_args(ScheduleSpec)[0])
    assert set(_FACTORS) == set(kinds)


def made(kind: str, **arguments) -> ScheduleSpec:
    variant = VariantSpec.model_validate({"name": "v", "schedule": {"kind": kind, **arguments}})
    assert variant.schedule is not None
    return variant.schedule


@pytest.mark.parametrize(
    ("spec", "factors"),
    [
        (made("constant"), [0.1] * 4),
        (made("constant", factor=0.3, warm_up=2), [0.1, 0.2, 0.3, 0.3]),
        (made("exponential"), [1, 0.95, 0.9025, 0.857375]),
        (made("exponential", factor=0.5, warm_up=3), [0.25, 0.5, 0.75, 1, 0.5, 0.25]),
        (made("cosine", period=4), [1, 0.5 + math.sqrt(0.125), 0.5, 0.5 - math.sqrt(0.125), 1]),
        (made("cosine", period=2, warm_up=1, decay=0.5), [0.5, 1, 0.5, 0.5, 0.25, 0.25]),
        (made("one_cycle", epochs=5, rise=0.6), [0.04, 0.52, 1, 0.500002, 4e-6, 4e-6]),
        (made("one_cycle", epochs=2, rise=0.5, initial_divisor=4, warm_up=1), [0.5, 1, 4e-6]),
    ],
)  # fmt: skip
def test_each_kind_by_hand(spec, factors):
    np.testing.assert_allclose(schedule_factors(spec, len(factors)), factors, rtol=1e-12)


@pytest.mark.parametrize("growth", [1.0, 1.5, 2.0])
@pytest.mark.parametrize("decay", [1.0, 0.75])
@pytest.mark.parametrize("floor", [0.0, 0.25])
def test_cosine_is_that_of_keras_at_epochs_for_steps(growth, decay, floor):
    # Keras rounds the arguments to float32, which 0.75 and 0.25 survive.
    with precision("float64"):
        keras_own = keras.optimizers.schedules.CosineDecayRestarts(
            np.array(1.0), 10, t_mul=growth, m_mul=decay, alpha=floor
        )
        expected = [float(keras.ops.convert_to_numpy(keras_own(epoch))) for epoch in range(120)]
    spec = made("cosine", period=10, growth=growth, decay=decay, floor=floor)
    np.testing.assert_allclose(schedule_factors(spec, 120), expected, rtol=0, atol=1e-9)


def test_a_cycle_of_uneven_length_ends_where_it_should_whatever_the_rounding():
    # 10 + 11 is 21.000000000000004 where 11 is 10 * 1.1.
    assert schedule_factor(made("cosine", period=10, growth=1.1), 21) == 1.0


def pytorch_one_cycle(total: int, *, pct_start: float, div: float, final_div: float) -> list[float]:
    """`OneCycleLR(max_lr=1, anneal_strategy="cos")`: torch/optim/lr_scheduler.py, PyTorch 2."""
    initial = 1 / div
    phases = [
        {"end": float(pct_start * total) - 1, "from": initial, "to": 1.0},
        {"end": total - 1, "from": 1.0, "to": initial / final_div},
    ]
    rates = []
    for step in range(total):
        begin = 0.0
        for number, phase in enumerate(phases):
            if step <= phase["end"] or number == len(phases) - 1:
                share = (step - begin) / (phase["end"] - begin)
                cosine = math.cos(math.pi * share) + 1
                rates.append(phase["to"] + (phase["from"] - phase["to"]) / 2.0 * cosine)
                break
            begin = phase["end"]
    return rates


@pytest.mark.parametrize("epochs", [7, 30, 100])
@pytest.mark.parametrize("rise", [0.2, 0.3, 0.5])
def test_one_cycle_is_that_of_pytorch(epochs, rise):
    expected = pytorch_one_cycle(epochs, pct_start=rise, div=25.0, final_div=1e4)
    ours = schedule_factors(made("one_cycle", epochs=epochs, rise=rise), epochs)
    np.testing.assert_allclose(ours, expected, rtol=1e-9)


@given(schedule_specs, st.integers(1, 60))
def test_no_epoch_has_more_than_the_optimizer_s_rate_or_less_than_none(spec, epochs):
    factors = schedule_factors(spec, epochs)
    assert factors.dtype == np.float64
    assert ((factors >= 0) & (factors <= 1)).all()
    rising = factors[: spec.warm_up + 1]
    assert (np.diff(rising) > 0).all()
    np.testing.assert_allclose(np.diff(rising, n=2), 0, atol=1e-15)


@given(schedule_specs)
def test_survives_serialisation(spec):
    callback = schedule_callback(spec)
    config = json.loads(json.dumps(callback.get_config()))
    assert LearningRateSchedule.from_config(config).spec == spec
    saved = json.loads(json.dumps(keras.saving.serialize_keras_object(callback)))
    again = keras.saving.deserialize_keras_object(saved)
    assert type(again) is LearningRateSchedule
    assert again.get_config() == config


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"kind": "cosine", "perod": 3}, "perod: received 3"),
        ({"kind": "cosine", "period": 0}, "period: received 0"),
        ({"kind": "one_cycle"}, "epochs: received"),
        ({"kind": "linear"}, "kind: received .*'linear'"),
    ],
)
def test_wrong_arguments_are_refused(arguments, words):
    with pytest.raises(ValueError, match=words):
        LearningRateSchedule(**arguments)


def test_sets_every_epoch_of_a_real_fit_and_starts_anew_in_the_next():
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile(keras.optimizers.SGD(0.8), "mse")
    x, seen = np.zeros((4, 1)), []
    watch = keras.callbacks.LambdaCallback(
        on_epoch_begin=lambda epoch, logs: seen.append(float(model.optimizer.learning_rate))
    )
    schedule = LearningRateSchedule("exponential", factor=0.5, warm_up=1)
    for _ in range(2):
        model.fit(x, x, epochs=3, verbose=0, callbacks=[schedule, watch])
    # The rate that the first training leaves is the base of the second.
    np.testing.assert_allclose(seen, [0.4, 0.8, 0.4, 0.1, 0.2, 0.1], rtol=1e-6)


ARMS = (
    VariantSpec(name="plain"),
    VariantSpec(name="late", schedule=made("exponential", factor=0.5)),
    VariantSpec(name="warmed", schedule=made("constant", factor=1.0, warm_up=2)),
)


@pytest.mark.parametrize("engine", [KerasEngine, PopulationEngine])
def test_both_engines_record_the_same_rates_and_count_the_same_cuts(engine):
    spec = small_study("training.dtype=float64", "training.epochs=4")
    frames = engine().train(task(spec, seeds=(0,), variants=ARMS))
    rates = {name: list(rows["learning_rate"]) for name, rows in frames.epochs.groupby("variant")}
    np.testing.assert_allclose(rates["late"], [0.01, 0.005, 0.0025, 0.00125])
    np.testing.assert_allclose(rates["warmed"], [0.01 / 3, 0.02 / 3, 0.01, 0.01])
    assert list(frames.runs["lr_reductions"]) == [0, 4, 0]
    assert frames.runs["first_reduction_epoch"].fillna(-1).tolist() == [-1, 0, -1]
    np.testing.assert_allclose(frames.runs["final_lr"], [0.01, 0.000625, 0.01])


def test_runs_share_a_row_while_their_rates_are_equal():
    spec = small_study("training.epochs=4")
    trained = PopulationEngine().train(task(spec, seeds=(0,), variants=ARMS)).rows_trained
    # Only the first epoch of the first two is at the same rate.
    assert trained == 3 * 4 - 1
