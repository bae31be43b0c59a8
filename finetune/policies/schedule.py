"""Learning-rate schedules: the learning rate as a function of the epoch alone.

A new kind is its spec in `spec/variants.py`, a function here and a line in `_FACTORS`.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from finetune.policies.base import Action, Logs, Policy
from finetune.spec.variants import (
    ConstantSpec,
    CosineSpec,
    ExponentialSpec,
    OneCycleSpec,
    ScheduleSpec,
)

# In epochs. The ends of cycles whose lengths are no whole numbers are sums with rounding errors; a
# cycle ends this much early, lest an epoch that belongs to the next be trained at the lowest LR.
_ROUNDING = 1e-9


def schedule_factor(spec: ScheduleSpec, epoch: int) -> float:
    """Return the learning rate of one epoch (counted from 0) as a share of the optimizer's."""
    factor = _FACTORS[type(spec)]
    if epoch < spec.warm_up:
        return factor(spec, 0) * (epoch + 1) / (spec.warm_up + 1)
    return factor(spec, epoch - spec.warm_up)


def _constant(spec: ConstantSpec, epoch: int) -> float:
    return spec.factor


def _exponential(spec: ExponentialSpec, epoch: int) -> float:
    return spec.factor**epoch


def _cosine(spec: CosineSpec, epoch: int) -> float:
    """Anneal with warm restarts.

    Source: Loshchilov and Hutter (2017), SGDR, equation 5; `CosineDecayRestarts`,
    keras/src/optimizers/schedules/learning_rate_schedule.py, Keras 3.15, at epochs for steps.
    """
    begin, length, peak = 0.0, float(spec.period), 1.0
    while epoch >= begin + length - _ROUNDING:
        begin, length, peak = begin + length, length * spec.growth, peak * spec.decay
    annealed = _anneal(peak, 0.0, (epoch - begin) / length)
    return spec.floor + (1 - spec.floor) * annealed


def _one_cycle(spec: OneCycleSpec, epoch: int) -> float:
    """Rise to the optimizer's learning rate, then fall far below it, each by half a cosine.

    Source: Smith (2018), A disciplined approach to neural network hyper-parameters; `OneCycleLR`
    of PyTorch 2 with `anneal_strategy="cos"` and two phases. Its `final_div_factor` counts from
    the first learning rate, ours from the highest.
    """
    peak, last = spec.rise * spec.epochs - 1, spec.epochs - 1
    if epoch < peak:
        return _anneal(1 / spec.initial_divisor, 1.0, epoch / peak)
    return _anneal(1.0, 1 / spec.final_divisor, (epoch - peak) / (last - peak))


def _anneal(begin: float, end: float, done: float) -> float:
    """Interpolate between two values along half a cosine, of which the share `done` is over."""
    return end + (begin - end) * (1 + math.cos(math.pi * min(max(done, 0.0), 1.0))) / 2


# The share of the optimizer's learning rate in an epoch after the warm-up, by the type of spec.
_FACTORS: Mapping[type, Callable[[Any, int], float]] = {
    ConstantSpec: _constant,
    ExponentialSpec: _exponential,
    CosineSpec: _cosine,
    OneCycleSpec: _one_cycle,
}


class SchedulePolicy(Policy):
    """`LearningRateSchedule` for many runs at once; `first_learning_rate` comes before `update`."""

    def __init__(self, specs: Sequence[ScheduleSpec]):
        self._distinct = list(dict.fromkeys(specs))
        self._of_run = np.array([self._distinct.index(spec) for spec in specs])
        self._base = np.full(len(specs), np.nan)

    def first_learning_rate(self, learning_rate: np.ndarray) -> np.ndarray:
        """Take each run's learning rate, (run,), as its base; return that of its first epoch."""
        self._base = learning_rate
        return self._rate(0)

    def update(
        self, epoch: int, logs: Logs, learning_rate: np.ndarray, *, active: np.ndarray
    ) -> Action:
        """Decide every run's learning rate after this epoch (counted from 0)."""
        rate = np.where(active, self._rate(epoch + 1), learning_rate)
        return Action(rate, np.zeros(len(rate), bool))

    def _rate(self, epoch: int) -> np.ndarray:
        factors = np.array([schedule_factor(spec, epoch) for spec in self._distinct])
        return self._base * factors[self._of_run]
