"""The policies of whole variants, for many runs at once."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from finetune.errors import EngineError
from finetune.policies.base import Action, Logs, Policy
from finetune.policies.early_stopping import EarlyStoppingPolicy
from finetune.policies.reduce_lr import ReduceLRPolicy
from finetune.policies.schedule import SchedulePolicy
from finetune.policies.set_lr import SetLRPolicy
from finetune.spec.variants import VariantSpec

# Each policy by its field in `VariantSpec`, in the order in which they act after an epoch, which
# is that of `callbacks.variants.CALLBACKS`.
POLICIES: Mapping[str, Callable[[Sequence[Any]], Policy]] = {
    "early_stopping": EarlyStoppingPolicy,
    "reduce_lr": ReduceLRPolicy,
    "set_lr": SetLRPolicy,
    "schedule": SchedulePolicy,
}


class VariantPolicies:
    """All policies of many runs.

    Args:
        variants: The variant of each run.

    Raises:
        EngineError: A variant has Keras callbacks of the user's, which have no policy.
    """

    def __init__(self, variants: Sequence[VariantSpec]):
        for variant in variants:
            if variant.callbacks:
                raise EngineError(
                    f"{variant.name!r}: {variant.callbacks[0].callback} is a callback of your own; "
                    "allowed are the policies of finetune, since only fit calls callbacks; use an "
                    "engine that trains by keras.Model.fit"
                )
        self._policies: list[tuple[Policy, np.ndarray]] = []
        for field, policy in POLICIES.items():
            runs = [i for i, v in enumerate(variants) if getattr(v, field) is not None]
            if runs:
                specs = [getattr(variants[run], field) for run in runs]
                self._policies.append((policy(specs), np.array(runs)))

    def first_learning_rate(self, learning_rate: np.ndarray) -> np.ndarray:
        """Return each run's learning rate in its first epoch, (run,), from its optimizer's."""
        first = learning_rate.copy()
        for policy, runs in self._policies:
            first[runs] = policy.first_learning_rate(first[runs])
        return first

    def update(
        self, epoch: int, logs: Logs, learning_rate: np.ndarray, *, active: np.ndarray
    ) -> Action:
        """Take in the logs of one epoch (counted from 0) and decide for every `active` run.

        Each policy sees the learning rate that those before it have set.
        """
        action = Action(learning_rate.copy(), np.zeros(len(learning_rate), bool))
        for policy, runs in self._policies:
            rates = action.learning_rate[runs]
            seen = {name: values[runs] for name, values in logs.items()}
            decided = policy.update(epoch, seen, rates, active=active[runs])
            action.learning_rate[runs] = decided.learning_rate
            action.stop[runs] |= decided.stop
        return action

    def final_epoch(self, last_epoch: np.ndarray) -> np.ndarray:
        """Return the epoch whose weights each run ends with, (run,), from its last trained one."""
        final = last_epoch.copy()
        for policy, runs in self._policies:
            final[runs] = policy.final_epoch(final[runs])
        return final

    def best_epoch(self, otherwise: np.ndarray) -> np.ndarray:
        """Return the best epoch by what a policy monitors, (run,), or `otherwise`."""
        best = otherwise.copy()
        for policy, runs in self._policies:
            best[runs] = policy.best_epoch(best[runs])
        return best
