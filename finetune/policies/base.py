"""The interface of every policy: the decisions of a Keras callback, for many runs at once."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from finetune.spec.metrics import higher_is_better

# What policies see after an epoch, as Keras's `logs`: each quantity by its name, float64, (run,).
Logs = Mapping[str, np.ndarray]


class Action(NamedTuple):
    """What is decided after an epoch, each of shape (run,)."""

    learning_rate: np.ndarray  # float64, for the next epoch, not yet cast to the model's dtype
    stop: np.ndarray  # bool


class Policy(ABC):
    """The decisions of one Keras callback, for many runs at once.

    A policy is made from one spec for each run, so that runs with different arguments share it.
    The methods that are not abstract return what is true of a policy that neither sets a first
    learning rate nor restores weights, so that callers need not tell policies apart.
    """

    @abstractmethod
    def update(
        self, epoch: int, logs: Logs, learning_rate: np.ndarray, *, active: np.ndarray
    ) -> Action:
        """Take in the logs of one epoch and decide for every run.

        Args:
            epoch: Counted from 0.
            logs: What the epoch measured.
            learning_rate: Of the epoch, (run,).
            active: Whether each run is still training, (run,); others keep rate and state.
        """

    def first_learning_rate(self, learning_rate: np.ndarray) -> np.ndarray:
        """Return each run's learning rate in its first epoch, (run,); called before `update`."""
        return learning_rate

    def final_epoch(self, last_epoch: np.ndarray) -> np.ndarray:
        """Return the epoch whose weights each run ends with, (run,), from its last trained one."""
        return last_epoch

    def best_epoch(self, otherwise: np.ndarray) -> np.ndarray:
        """Return the best epoch by what the policy monitors, (run,), or `otherwise`."""
        return otherwise


class Monitor:
    """The best value so far of the quantity that each run monitors.

    Comparisons are made in float32, as Keras makes them on the numbers in `logs`. The first value
    always is an improvement, NaN too, and nothing improves on a NaN.

    Source: `MonitorCallback`, keras/src/callbacks/monitor_callback.py, Keras 3.15.
    """

    def __init__(self, specs: Sequence[Any]):
        names = np.array([spec.monitor for spec in specs])
        self._names = {name: names == name for name in dict.fromkeys(names.tolist())}
        self._sign = np.where([bool(higher_is_better(name)) for name in names.tolist()], -1.0, 1.0)
        self._min_delta = column(specs, "min_delta")
        self._best = np.zeros(len(specs))
        self._seen = np.zeros(len(specs), bool)

    def values(self, logs: Logs) -> np.ndarray:
        """Return the quantity that each run monitors, (run,), its sign such that less is better."""
        chosen = np.select(list(self._names.values()), [logs[name] for name in self._names])
        return chosen * self._sign

    def improves_on(self, reference: np.ndarray, values: np.ndarray) -> np.ndarray:
        """Return whether each value is below its reference by more than `min_delta`, (run,)."""
        return (values + self._min_delta).astype(np.float32) < reference.astype(np.float32)

    def update(self, values: np.ndarray, watched: np.ndarray) -> np.ndarray:
        """Take in the values of the `watched` runs; return which of them improved, (run,)."""
        better = watched & (~self._seen | self.improves_on(self._best, values))
        self._best = np.where(better, values, self._best)
        self._seen |= better
        return better

    def oriented(self, thresholds: np.ndarray) -> np.ndarray:
        """Return thresholds of the monitored quantity with the sign that `values` has."""
        return thresholds * self._sign


def column(specs: Sequence[Any], name: str) -> np.ndarray:
    """Return one argument of every run's spec, (run,)."""
    return np.array([getattr(spec, name) for spec in specs])
