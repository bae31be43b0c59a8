"""The policies of whole variants: Keras callbacks for one run, one machine for many runs."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import keras
import numpy as np

from finetune.errors import EngineError
from finetune.policies.base import Logs, Machine, Step
from finetune.policies.early_stopping import EarlyStoppingMachine, early_stopping_callback
from finetune.policies.own_callback import own_callback
from finetune.policies.reduce_lr import ReduceLRMachine, reduce_lr_callback
from finetune.policies.schedule import ScheduleMachine, schedule_callback
from finetune.policies.set_lr import SetLearningRate, SetLRMachine
from finetune.policy_spec import VariantSpec


class _Forms(NamedTuple):
    callback: Callable[[Any], keras.callbacks.Callback]
    machine: Callable[[Sequence[Any]], Machine]


# The two forms of each policy, by its field in `VariantSpec`, in the order in which they act.
_POLICIES = {
    "early_stopping": _Forms(early_stopping_callback, EarlyStoppingMachine),
    "reduce_lr": _Forms(reduce_lr_callback, ReduceLRMachine),
    "set_lr": _Forms(lambda spec: SetLearningRate(**spec.model_dump()), SetLRMachine),
    "schedule": _Forms(schedule_callback, ScheduleMachine),
}


def callbacks(variant: VariantSpec, *, field: str = "variant") -> list[keras.callbacks.Callback]:
    """Give fresh Keras callbacks for one run; callbacks carry state and must not be shared.

    Args:
        variant: Whose they are; those of the user's own come last.
        field: The place of the variant in the study, for what is told of errors.

    Raises:
        SpecError: A callback of the user's own cannot be made.
    """
    specs = {name: getattr(variant, name) for name in _POLICIES}
    made = [_POLICIES[name].callback(spec) for name, spec in specs.items() if spec is not None]
    own = enumerate(variant.callbacks)
    return made + [own_callback(spec, field=f"{field}.callbacks.{number}") for number, spec in own]


class VariantsMachine:
    """All policies of many runs at once; `variants` gives the variant of each run.

    Raises:
        EngineError: A variant has callbacks of the user's own, which have no such form.
    """

    def __init__(self, variants: Sequence[VariantSpec]):
        for variant in variants:
            if variant.callbacks:
                raise EngineError(
                    f"{variant.name!r}: {variant.callbacks[0].callback} is a callback of your own; "
                    "allowed are the policies of finetune, since a population is not trained by "
                    "fit; use the engine keras"
                )
        self._machines: dict[str, tuple[Machine, np.ndarray]] = {}
        for name, forms in _POLICIES.items():
            runs = [i for i, v in enumerate(variants) if getattr(v, name) is not None]
            if runs:
                specs = [getattr(variants[run], name) for run in runs]
                self._machines[name] = forms.machine(specs), np.array(runs)

    def first(self, learning_rate: np.ndarray) -> np.ndarray:
        """Give each run's learning rate in its first epoch, (run,), from its optimizer's."""
        first = learning_rate.copy()
        for machine, runs in self._machines.values():
            if isinstance(machine, ScheduleMachine):
                first[runs] = machine.first(learning_rate[runs])
        return first

    def update(
        self, epoch: int, logs: Logs, learning_rate: np.ndarray, *, active: np.ndarray
    ) -> Step:
        """Take in the logs of one epoch (counted from 0) and decide for every `active` run."""
        step = Step(learning_rate.copy(), np.zeros(len(learning_rate), bool))
        for machine, runs in self._machines.values():
            rates = step.learning_rate[runs]
            decided = machine.update(epoch, logs.of(runs), rates, active=active[runs])
            step.learning_rate[runs] = decided.learning_rate
            step.stop[runs] |= decided.stop
        return step

    def final_epoch(self, last_epoch: np.ndarray) -> np.ndarray:
        """Give the epoch whose weights each run ends with, (run,), from its last trained epoch."""
        final = last_epoch.copy()
        stopping, runs = self._stopping()
        if stopping:
            final[runs] = stopping.final_epoch(last_epoch[runs])
        return final

    def best_epoch(self, lowest: np.ndarray) -> np.ndarray:
        """Give the epoch that early stopping holds for best, (run,), else that of lowest loss."""
        best = lowest.copy()
        stopping, runs = self._stopping()
        if stopping:
            best[runs] = np.where(stopping.best_epoch >= 0, stopping.best_epoch, lowest[runs])
        return best

    def _stopping(self) -> tuple[EarlyStoppingMachine | None, np.ndarray]:
        machine, runs = self._machines.get("early_stopping", (None, np.array([], int)))
        return (machine if isinstance(machine, EarlyStoppingMachine) else None), runs
