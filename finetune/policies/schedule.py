"""Learning-rate schedules: the learning rate as a function of the epoch alone."""

import math
from collections.abc import Sequence

import numpy as np

from finetune.policies.base import Logs, Policy, Step
from finetune.spec.variants import (
    ConstantSpec,
    CosineSpec,
    ExponentialSpec,
    OneCycleSpec,
    ScheduleSpec,
)

# How far before its computed end a cycle is over, in epochs: lengths that are no whole numbers are
# summed up with rounding, and an epoch just short of the end would be trained at the lowest LR.
_ROUNDING = 1e-9


def schedule_factors(spec: ScheduleSpec, epochs: int) -> np.ndarray:
    """Give the share of the optimizer's learning rate in each epoch, float64 (epoch,)."""
    return np.array([schedule_factor(spec, epoch) for epoch in range(epochs)])


def schedule_factor(spec: ScheduleSpec, epoch: int) -> float:
    """Give the share of the optimizer's learning rate in one epoch, counted from 0."""
    if epoch < spec.warm_up:
        return _after_warm_up(spec, 0) * (epoch + 1) / (spec.warm_up + 1)
    return _after_warm_up(spec, epoch - spec.warm_up)


def _after_warm_up(spec: ScheduleSpec, epoch: int) -> float:
    match spec:
        case ConstantSpec():
            return spec.factor
        case ExponentialSpec():
            return spec.factor**epoch
        case CosineSpec():
            return _cosine(spec, epoch)
        case OneCycleSpec():
            return _one_cycle(spec, epoch)


def _cosine(spec: CosineSpec, epoch: int) -> float:
    """Anneal with warm restarts.

    Source: Loshchilov and Hutter (2017), SGDR, equation 5; `CosineDecayRestarts`,
    keras/src/optimizers/schedules/learning_rate_schedule.py, Keras 3.15, at epochs for steps.
    """
    begin, length, peak = 0.0, float(spec.period), 1.0
    while epoch >= begin + length - _ROUNDING:
        begin, length, peak = begin + length, length * spec.growth, peak * spec.decay
    annealed = _annealed(peak, 0.0, (epoch - begin) / length)
    return spec.floor + (1 - spec.floor) * annealed


def _one_cycle(spec: OneCycleSpec, epoch: int) -> float:
    """Rise to the optimizer's learning rate, then fall far below it, each by half a cosine.

    Source: Smith (2018), A disciplined approach to neural network hyper-parameters; `OneCycleLR`
    of PyTorch 2 with `anneal_strategy="cos"` and two phases. Its `final_div_factor` counts from
    the first learning rate, ours from the highest.
    """
    peak, last = spec.rise * spec.epochs - 1, spec.epochs - 1
    if epoch < peak:
        return _annealed(1 / spec.initial_divisor, 1.0, epoch / peak)
    return _annealed(1.0, 1 / spec.final_divisor, (epoch - peak) / (last - peak))


def _annealed(begin: float, end: float, done: float) -> float:
    """Go from one value to another by half a cosine, of which a share from 0 to 1 is done."""
    return end + (begin - end) * (1 + math.cos(math.pi * min(max(done, 0.0), 1.0))) / 2


class SchedulePolicy(Policy):
    """`LearningRateSchedule` for many runs at once; `first_learning_rate` comes before `update`."""

    def __init__(self, specs: Sequence[ScheduleSpec]):
        self._distinct = list(dict.fromkeys(specs))
        self._of_run = np.array([self._distinct.index(spec) for spec in specs])
        self._base = np.full(len(specs), np.nan)

    def first_learning_rate(self, learning_rate: np.ndarray) -> np.ndarray:
        """Take every run's learning rate (run,) for its base; give that of its first epoch."""
        self._base = learning_rate
        return self._rate(0)

    def update(
        self, epoch: int, logs: Logs, learning_rate: np.ndarray, *, active: np.ndarray
    ) -> Step:
        """Give every run's learning rate after this epoch (counted from 0)."""
        rate = np.where(active, self._rate(epoch + 1), learning_rate)
        return Step(rate, np.zeros(len(rate), bool))

    def _rate(self, epoch: int) -> np.ndarray:
        factors = np.array([schedule_factor(spec, epoch) for spec in self._distinct])
        return self._base * factors[self._of_run]
