"""The two forms of a variant's policies, played over tables of what training measured."""

from collections.abc import Sequence
from typing import NamedTuple

import keras
import numpy as np

from finetune.callbacks.variants import callbacks
from finetune.models.precision import precision
from finetune.policies.base import Logs
from finetune.policies.variants import VariantPolicies
from finetune.spec.variants import VariantSpec

NEVER = -1


class Outcome(NamedTuple):
    """What a run's policies decided; epochs count from 0."""

    rates: tuple[float, ...]  # the learning rate after each epoch, up to the last one trained
    best_epoch: int  # that early stopping holds for best, or NEVER
    final_epoch: int  # whose weights the run ends with
    first_rate: float  # the learning rate of the first epoch


class StandIn:
    """What callbacks need of a model; its only weight is the epoch that made it."""

    def __init__(self, learning_rate: float):
        self.optimizer = keras.optimizers.SGD(learning_rate)
        self.stop_training = False
        self.weight = NEVER

    def get_weights(self) -> list[int]:
        return [self.weight]

    def set_weights(self, weights: list[int]) -> None:
        (self.weight,) = weights

    @property
    def rate(self) -> float:
        return float(keras.ops.convert_to_numpy(self.optimizer.learning_rate))


def length(table: Logs) -> int:
    """Return how many epochs a table has."""
    return len(table["loss"])


def play_keras(
    policies: Sequence[keras.callbacks.Callback], table: Logs, *, learning_rate: float
) -> Outcome:
    """Let Keras callbacks see a table, each of whose quantities is (epoch,)."""
    model, rates = StandIn(learning_rate), []
    for policy in policies:
        policy.set_model(model)
        policy.on_train_begin()
    first = model.rate
    for epoch in range(length(table)):
        model.weight = epoch
        logs = {name: float(values[epoch]) for name, values in table.items()}
        for policy in policies:
            policy.on_epoch_end(epoch, logs)
        rates.append(model.rate)
        if model.stop_training:
            break
    for policy in policies:
        policy.on_train_end()
    best = [p.best_epoch for p in policies if getattr(p, "best_epoch", None) is not None]
    seen = [p.best is not None for p in policies if hasattr(p, "best_epoch")]
    return Outcome(tuple(rates), best[0] if any(seen) else NEVER, model.weight, first)


def keras_outcomes(
    variants: Sequence[VariantSpec], tables: Sequence[Logs], *, learning_rate: float, dtype: str
) -> list[Outcome]:
    """Play each run by its own Keras callbacks."""
    with precision(dtype):
        return [
            play_keras(callbacks(variant), table, learning_rate=learning_rate)
            for variant, table in zip(variants, tables, strict=True)
        ]


def policy_outcomes(
    variants: Sequence[VariantSpec], tables: Sequence[Logs], *, learning_rate: float, dtype: str
) -> list[Outcome]:
    """Play all runs by one policy; runs whose tables end sooner than others' end there."""
    policies = VariantPolicies(variants)
    lengths = np.array([length(table) for table in tables])
    base = np.full(len(variants), learning_rate).astype(dtype).astype(float)
    rate = first = policies.first_learning_rate(base).astype(dtype).astype(float)
    active, rates = np.ones(len(variants), bool), []
    epochs_run = np.zeros(len(variants), int)
    for epoch in range(lengths.max()):
        active &= epoch < lengths
        logs = {name: _column(tables, name, epoch) for name in set().union(*tables)}
        step = policies.update(epoch, logs, rate, active=active)
        rate = np.where(active, step.learning_rate.astype(dtype).astype(float), rate)
        rates.append(rate)
        epochs_run += active
        active &= ~step.stop
    best = policies.best_epoch(np.full(len(variants), NEVER)).tolist()
    final = policies.final_epoch(epochs_run - 1).tolist()
    table = np.array(rates)
    trained = [tuple(table[:count, run].tolist()) for run, count in enumerate(epochs_run)]
    outcomes = zip(trained, best, final, first.tolist(), strict=True)
    return [Outcome(*outcome) for outcome in outcomes]


def _column(tables: Sequence[Logs], name: str, epoch: int) -> np.ndarray:
    """Return one quantity of all runs after an epoch; a value that improves where a table ended.

    Where a table lacks it, no policy of its run asks for it, and any value will do.
    """
    values = [table.get(name, table["loss"]) for table in tables]
    return np.array([v[epoch] if epoch < len(v) else -1e9 for v in values])
