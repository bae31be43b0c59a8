"""What both forms of every policy must obey: the decisions of Keras's own callbacks."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from finetune.policies.base import Logs
from finetune.spec.variants import (
    ConstantSpec,
    CosineSpec,
    EarlyStoppingSpec,
    ExponentialSpec,
    OneCycleSpec,
    ReduceLRSpec,
    SetLRSpec,
    VariantSpec,
)
from tests.contracts.policy_forms import NEVER, Outcome, keras_outcomes, policy_outcomes

NAN, INF = float("nan"), float("inf")


@dataclass(frozen=True)
class Case:
    """A variant's arguments, what it monitors epoch by epoch, and what it must decide.

    `last` is the last epoch trained, where it is not that of the table; `best` and `final` are
    for early stopping, `rates` (after each epoch) for reduction and schedules, whose rate in the
    first epoch is `first`. The optimizer's is 1.
    """

    policies: dict[str, Any]
    values: list[float]
    rates: list[float] | None = None
    last: int | None = None
    best: int = NEVER
    final: int | None = None
    first: float = 1.0

    @property
    def variant(self) -> VariantSpec:
        return VariantSpec.model_validate({"name": "v", **self.policies})

    @property
    def table(self) -> Logs:
        """The values as what is monitored; all else misleads, since it improves for ever."""
        falling = -np.arange(len(self.values), dtype=float)
        table = {"loss": falling, "val_loss": falling, "val_accuracy": -falling}
        monitors = [policy.get("monitor", "val_loss") for policy in self.policies.values()]
        return table | {name: np.array(self.values) for name in monitors}

    @property
    def outcome(self) -> Outcome:
        last = len(self.values) - 1 if self.last is None else self.last
        rates = self.rates or [1.0] * (last + 1)
        final = last if self.final is None else self.final
        return Outcome(tuple(rates), self.best, final, self.first)


def cut(values, rates, **arguments) -> Case:
    return Case({"reduce_lr": {"factor": 0.5, "patience": 1, **arguments}}, values, rates)


def stop(values, *, best, last=None, final=None, **arguments) -> Case:
    kept = best if final is None else final
    return Case({"early_stopping": arguments}, values, last=last, best=best, final=kept)


def scheduled(kind, first, rates, **arguments) -> Case:
    values = [1.0] * len(rates)
    return Case({"schedule": {"kind": kind, **arguments}}, values, rates, first=first)


CASES = {
    "reduction, constant loss": cut([1, 1, 1, 1, 1], [1, 1, 0.5, 0.5, 0.25], patience=2),
    "reduction, patience 0 is 1": cut([1, 1, 1], [1, 0.5, 0.25], patience=0),
    "reduction, patience 1": cut([1, 1, 1], [1, 0.5, 0.25]),
    "reduction, improvement ends the wait": cut(
        [1, 1, 0.5, 0.5, 0.4, 0.4, 0.4], [1, 1, 1, 1, 1, 1, 0.5], patience=2
    ),
    "reduction, best of all epochs counts": cut([1, 0.2, 0.9, 0.8], [1, 1, 0.5, 0.25]),
    "reduction, too small an improvement": cut([1, 0.95, 0.85], [1, 0.5, 0.5], min_delta=0.1),
    "reduction, exactly min_delta is too small": cut([1, 0.75], [1, 0.5], min_delta=0.25),
    "reduction, default min_delta": cut([1, 0.99995, 0.9998], [1, 0.5, 0.5]),
    "reduction, equal in float32": cut([1, 1 - 1e-9], [1, 0.5], min_delta=0.0),
    "reduction, unequal in float32": cut([1, 1 - 1e-7], [1, 1], min_delta=0.0),
    "reduction, cooldown": cut([1] * 6, [1, 0.5, 0.5, 0.25, 0.25, 0.125], cooldown=2),
    "reduction, best set while cooling": cut(
        [1, 1, 0.2, 0.5, 0.5], [1, 0.5, 0.5, 0.25, 0.25], cooldown=2
    ),
    "reduction, min_lr": cut([1] * 4, [1, 0.5, 0.375, 0.375], min_lr=0.375),
    "reduction, min_lr above the rate": cut([1] * 3, [1, 1, 1], min_lr=2.0),
    "reduction, later epochs only": cut(
        [0.1, 5, 5, 5, 5, 5], [1, 1, 1, 1, 0.5, 0.25], start_from_epoch=3
    ),
    "reduction, up to an epoch only": cut(
        [1, 1, 1, 0.5, 1, 1], [1, 0.5, 0.25, 0.25, 0.25, 0.25], until_epoch=3
    ),
    "reduction, no epoch at all": cut([1] * 3, [1, 1, 1], start_from_epoch=2, until_epoch=2),
    "reduction, delay longer than training": cut([1] * 3, [1, 1, 1], start_from_epoch=9),
    "reduction, NaN first": cut([NAN, 1, 0.5], [1, 0.5, 0.25]),
    "reduction, NaN later": cut([1, NAN, 0.5], [1, 0.5, 0.5]),
    "reduction, infinite": cut([INF, INF, 1], [1, 0.5, 0.5]),
    "reduction, accuracy": cut([0.5, 0.6, 0.6, 0.7], [1, 1, 0.5, 0.5], monitor="val_accuracy"),
    "reduction, accuracy and min_delta": cut(
        [0.5, 0.6, 0.8], [1, 0.5, 0.5], monitor="val_accuracy", min_delta=0.2
    ),
    "reduction, further metric": cut([0.5, 0.6, 0.6, 0.7], [1, 1, 0.5, 0.5], monitor="val_auc"),
    "reduction, further error": cut([0.5, 0.6, 0.4], [1, 0.5, 0.5], monitor="val_rmse"),
    "reduction, training loss": cut([1, 1], [1, 0.5], monitor="loss"),
    "stopping": stop([1, 0.5, 0.6, 0.7, 0.4], patience=2, last=3, best=1),
    "stopping, patience 0": stop([1, 0.5, 0.6, 0.1], patience=0, last=2, best=1),
    "stopping, patience 1": stop([1, 0.5, 0.6, 0.1], patience=1, last=2, best=1),
    "stopping, tie": stop([1, 1, 1], patience=2, last=2, best=0),
    "stopping, last weights": stop(
        [1, 0.5, 0.6], patience=1, restore_best_weights=False, last=2, best=1, final=2
    ),
    "stopping, trained to the end": stop([1, 0.5, 0.6], patience=5, best=1),
    "stopping, later epochs only": stop(
        [0.1, 0.2, 5, 4, 6, 7, 1], patience=2, start_from_epoch=2, last=5, best=3
    ),
    "stopping, delay longer than training": stop(
        [1, 2, 3], patience=1, start_from_epoch=9, best=NEVER, final=2
    ),
    "stopping, min_delta": stop([1, 0.8, 0.7, 0.1], patience=2, min_delta=0.5, last=2, best=0),
    "stopping, no min_delta by default": stop([1, 0.99995, 0.9999], patience=1, best=2),
    "stopping, improving short of the baseline": stop(
        [1, 0.9, 0.8, 0.8, 0.1], patience=2, baseline=0.3, last=3, best=2
    ),
    "stopping, first epoch counts short of the baseline": stop(
        [1, 1.1, 0.1], patience=2, baseline=0.3, last=1, best=0
    ),
    "stopping, past the baseline": stop([0.2, 0.3, 0.3], patience=2, baseline=0.5, last=2, best=0),
    "stopping, accuracy baseline": stop(
        [0.6, 0.5, 0.9], patience=2, baseline=0.7, monitor="val_accuracy", last=1, best=0
    ),
    "stopping, NaN first": stop([NAN, 0.5, 0.4, 0.3], patience=2, last=2, best=0),
    "stopping, NaN later": stop([1, NAN, 0.5, NAN, NAN, 0.1], patience=2, last=4, best=2),
    "stopping, accuracy": stop(
        [0.5, 0.7, 0.6, 0.9], patience=1, monitor="val_accuracy", last=2, best=1
    ),
    "stopping, further metric": stop(
        [0.5, 0.7, 0.6, 0.9], patience=1, monitor="val_r2", last=2, best=1
    ),
    "stopping, training loss": stop([1, 2], patience=1, monitor="loss", last=1, best=0),
    "both, the last epoch cuts too": Case(
        {"early_stopping": {"patience": 2}, "reduce_lr": {"factor": 0.5, "patience": 1}},
        [1, 1, 1, 0.1],
        rates=[1, 0.5, 0.25],
        last=2,
        best=0,
        final=0,
    ),
    "neither": Case({}, [1, 2, 3]),
    "rate set": Case({"set_lr": {"epoch": 2, "learning_rate": 2.0}}, [1, 1, 1], [1, 2, 2]),
    "rate set too late": Case({"set_lr": {"epoch": 9, "learning_rate": 2.0}}, [1, 1], [1, 1]),
    "rate set after it was cut": Case(
        {
            "reduce_lr": {"factor": 0.5, "patience": 1, "until_epoch": 3},
            "set_lr": {"epoch": 2, "learning_rate": 4.0},
        },
        [1, 1, 1, 1],
        [1, 4, 2, 2],
    ),
    "constant": scheduled("constant", 0.25, [0.25, 0.25], factor=0.25),
    "constant, warm-up": scheduled(
        "constant", 0.125, [0.25, 0.375, 0.5, 0.5], factor=0.5, warm_up=3
    ),
    "warm-up alone": scheduled("constant", 0.25, [0.5, 0.75, 1, 1], factor=1.0, warm_up=3),
    "exponential": scheduled("exponential", 1.0, [0.5, 0.25, 0.125], factor=0.5),
    "exponential, warm-up": scheduled("exponential", 0.5, [1, 0.5, 0.25], factor=0.5, warm_up=1),
    "cosine": scheduled("cosine", 1.0, [0.5, 1, 0.5, 1], period=2),
    "cosine, growing": scheduled("cosine", 1.0, [1, 0.5, 1], period=1, growth=2.0),
    "cosine, lower peaks": scheduled("cosine", 1.0, [0.5, 0.5, 0.25, 0.25], period=2, decay=0.5),
    "cosine, floor": scheduled("cosine", 1.0, [0.75, 1], period=2, floor=0.5),
    "one cycle": scheduled(
        "one_cycle",
        0.5,
        [0.75, 1, 0.625, 0.25, 0.25],
        epochs=5,
        rise=0.6,
        initial_divisor=2.0,
        final_divisor=4.0,
    ),
    "schedule and stopping": Case(
        {
            "early_stopping": {"patience": 1},
            "schedule": {"kind": "exponential", "factor": 0.5},
        },
        [1, 2, 1],
        rates=[0.5, 0.25],
        last=1,
        best=0,
        final=0,
    ),
}
FORMS = {"callbacks": keras_outcomes, "policy": policy_outcomes}


@pytest.fixture(scope="module", params=FORMS)
def outcomes(request) -> dict[str, Outcome]:
    """What one form decides on all cases; the policy sees them all at once."""
    played = FORMS[request.param](
        [case.variant for case in CASES.values()],
        [case.table for case in CASES.values()],
        learning_rate=1.0,
        dtype="float32",
    )
    return dict(zip(CASES, played, strict=True))


@pytest.mark.parametrize("name", CASES)
def test_decides_as_the_table_says(name, outcomes):
    assert outcomes[name] == CASES[name].outcome


# Few distinct values, so that ties, plateaus and near ties in float32 are common.
levels = st.sampled_from([0.1, 0.3, 0.5, 0.7, 0.9])
near = st.builds(lambda level, steps: level * (1 + steps * 2e-8), levels, st.integers(-6, 6))
# TensorFlow takes the subnormal numbers of float32, below 1e-38, for 0.
finite = st.floats(-(2.0**99), 2.0**99, width=32, allow_subnormal=False)
values = levels | near | st.sampled_from([NAN, INF, -INF, 0.0]) | finite
deltas = st.sampled_from([0.0, 1e-9, 1e-4, 0.2]) | st.floats(2.0**-99, 1)
MONITORED = ("val_loss", "val_accuracy", "loss", "val_auc", "val_rmse", "val_huber")
monitors = st.sampled_from(MONITORED)
few = st.integers(0, 4)

early_stopping_specs = st.builds(
    EarlyStoppingSpec,
    monitor=monitors,
    min_delta=deltas,
    patience=few,
    baseline=st.none() | near | finite,
    restore_best_weights=st.booleans(),
    start_from_epoch=few,
)
reduce_lr_specs = st.builds(
    ReduceLRSpec,
    monitor=monitors,
    factor=st.sampled_from([0.5, 0.1]) | st.floats(1e-3, 0.999),
    patience=few,
    min_delta=deltas,
    cooldown=few,
    min_lr=st.sampled_from([0.0, 0.3, 0.7, 0.01]) | st.floats(0, 1),
    start_from_epoch=few,
    until_epoch=st.none() | st.integers(1, 9),
)
set_lr_specs = st.builds(
    SetLRSpec, epoch=st.integers(1, 9), learning_rate=st.sampled_from([0.1, 0.7, 1.0])
)
shares = st.sampled_from([0.5, 0.1]) | st.floats(1e-3, 0.999)
schedule_specs = st.one_of(
    st.builds(ConstantSpec, kind=st.just("constant"), factor=shares, warm_up=few),
    st.builds(ExponentialSpec, kind=st.just("exponential"), factor=shares, warm_up=few),
    st.builds(
        CosineSpec,
        kind=st.just("cosine"),
        period=st.integers(1, 5),
        growth=st.sampled_from([1.0, 2.0]) | st.floats(1, 3),
        decay=shares | st.just(1.0),
        floor=st.just(0.0) | shares,
        warm_up=few,
    ),
    st.builds(
        OneCycleSpec,
        kind=st.just("one_cycle"),
        epochs=st.integers(2, 12),
        rise=shares,
        initial_divisor=st.floats(1, 100),
        final_divisor=st.floats(1, 1e6),
        warm_up=few,
    ),
)
shared = {
    "name": st.just("v"),
    "early_stopping": st.none() | early_stopping_specs,
}
variants = st.builds(VariantSpec, schedule=schedule_specs, **shared) | st.builds(
    VariantSpec,
    reduce_lr=st.none() | reduce_lr_specs,
    set_lr=st.none() | set_lr_specs,
    **shared,
)


@st.composite
def runs(draw: st.DrawFn) -> tuple[VariantSpec, Logs]:
    epochs = draw(st.integers(1, 12))
    columns = st.lists(values, min_size=epochs, max_size=epochs).map(np.array)
    return draw(variants), {name: draw(columns) for name in MONITORED}


@given(
    st.lists(runs(), min_size=1, max_size=4),
    # Just above some min_lr in float64, not so in float32.
    st.sampled_from([1.0, 0.01, 0.7 + 1e-9, 0.3]) | st.floats(1e-6, 10),
    st.sampled_from(["float32", "float64"]),
)
def test_a_policy_decides_as_keras_does(drawn, learning_rate, dtype):
    chosen, tables = zip(*drawn, strict=True)
    options = {"learning_rate": learning_rate, "dtype": dtype}
    expected = keras_outcomes(chosen, tables, **options)
    assert policy_outcomes(chosen, tables, **options) == expected


def test_min_lr_is_compared_in_float32_whatever_the_dtype():
    case = cut([1, 1, 1], [0.7 + 1e-9] * 3, min_lr=0.7)
    for form in FORMS.values():
        options = {"learning_rate": 0.7 + 1e-9, "dtype": "float64"}
        expected = case.outcome._replace(first_rate=0.7 + 1e-9)
        assert form([case.variant], [case.table], **options) == [expected]


@given(st.lists(runs(), min_size=2, max_size=6), st.data())
def test_a_run_is_decided_whoever_shares_its_policy(drawn, data):
    options = {"learning_rate": 0.01, "dtype": "float32"}
    order = data.draw(st.permutations(range(len(drawn))))
    together = policy_outcomes(*zip(*(drawn[i] for i in order), strict=True), **options)
    for place, i in enumerate(order):
        assert policy_outcomes([drawn[i][0]], [drawn[i][1]], **options) == [together[place]]
