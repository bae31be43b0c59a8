"""The search of one arm: Optuna proposes its trials in batches, and gets their values back."""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from typing import NamedTuple

import numpy as np
import optuna
from optuna.importance import PedAnovaImportanceEvaluator, get_param_importances
from optuna.storages import BaseStorage
from optuna.trial import FrozenTrial, TrialState, create_trial

from finetune.analysis.tuned import IMPORTANCE_TRIALS
from finetune.errors import SpecError
from finetune.search.arms import Setting
from finetune.search.distributions import distribution, params_of, setting_of
from finetune.search.sampler import BatchSampler, SamplerName
from finetune.spec.dimensions import ChoicesSpec, RangeSpec
from finetune.spec.search import SearchSpec

# The mark that a study in Optuna's storage is the search it seems to be: the search's digest.
_DIGEST = "finetune search"

# A trial without a setting for so long is not about to get one.
_ABANDONED = timedelta(minutes=1)


class Trial(NamedTuple):
    """One setting that was tried; `value` is None while it is open, NaN where it failed."""

    number: int
    setting: Setting
    value: float | None

    @property
    def written(self) -> str:
        """The setting as JSON in one form, in which equal settings are equal texts."""
        return json.dumps(self.setting, sort_keys=True, separators=(",", ":"))


class ArmSearch:
    """The search of one arm's parameters for the lowest value.

    Args:
        storage: Where Optuna keeps its trials (`open_storage`).
        name: Of the study in the storage.
        space: What is searched, by path.
        spec: The batch and the sampler's seed.
        digest: Of all that decides the search, but not of how many trials it gets.
        stream: Numbers of the sampler's random stream, its own for every search.
        sampler: Which sampler proposes settings.
        now: Returns the time, which is compared with that at which open trials were begun.

    Raises:
        SpecError: The storage holds another search of that name.
    """

    def __init__(
        self,
        storage: BaseStorage,
        name: str,
        *,
        space: Mapping[str, RangeSpec | ChoicesSpec],
        spec: SearchSpec,
        digest: str,
        stream: tuple[int, ...],
        sampler: SamplerName = "TPE",
        now: Callable[[], datetime] = datetime.now,
    ):
        self.digest, self._now = digest, now
        self._dimensions = space
        self._space = {path: distribution(dimension) for path, dimension in space.items()}
        self._study = optuna.create_study(
            storage=storage,
            study_name=name,
            direction="minimize",
            load_if_exists=True,
            sampler=BatchSampler(
                sampler, space=self._space, batch=spec.batch, seed=spec.seed, stream=stream
            ),
        )
        self._mark_study()
        self._close_abandoned()

    def restore(self, known: Iterable[Trial]) -> None:
        """Add finished trials that the storage does not hold, in the order of their numbers."""
        held = Counter(trial.written for trial in self.trials())
        for trial in sorted(known, key=lambda trial: trial.number):
            if held[trial.written]:
                # A setting may have been tried more than once, where the space holds few of them.
                held[trial.written] -= 1
                continue
            # One between two steps is none of this search, whatever its search is called.
            with suppress(ValueError):
                self._study.add_trial(self._finished(trial))

    def _finished(self, trial: Trial) -> FrozenTrial:
        value = None if trial.value is None or np.isnan(trial.value) else trial.value
        return create_trial(
            state=TrialState.FAIL if value is None else TrialState.COMPLETE,
            value=value,
            params=params_of(trial.setting, self._dimensions),
            distributions=self._space,
        )

    def trials(self) -> list[Trial]:
        """Return all trials that have a setting, by number."""
        return [
            Trial(trial.number, setting_of(trial.params, self._dimensions), _value(trial))
            for trial in self._study.get_trials(deepcopy=False)
            if trial.params.keys() == self._space.keys()
        ]

    def ask(self, most: int, *, budget: int) -> list[Trial]:
        """Open further trials: at most so many, and not beyond the budget of all trials."""
        count = min(most, budget - len(self.trials()))
        opened = [self._study.ask(self._space) for _ in range(count)]
        return [
            Trial(trial.number, setting_of(trial.params, self._dimensions), None)
            for trial in opened
        ]

    def tell(self, number: int, value: float) -> None:
        """Close a trial with its value, NaN if it failed; one that is closed stays as it is."""
        self._close(number, None if np.isnan(value) else value)

    def importances(self, budget: int) -> dict[str, float]:
        """Return each parameter's share in reaching the best tenth of values; empty for few trials.

        Only the first trials count, as many as the budget.

        Source: PED-ANOVA, Watanabe, Bansal and Hutter (2023); optuna 5.0,
        `PedAnovaImportanceEvaluator`.
        """
        complete = [
            self._finished(t)
            for t in self.trials()[:budget]
            if t.value is not None and not np.isnan(t.value)
        ]
        if len(complete) < IMPORTANCE_TRIALS:
            return {}
        within = optuna.create_study()
        within.add_trials(complete)
        return get_param_importances(within, evaluator=PedAnovaImportanceEvaluator())

    def _mark_study(self) -> None:
        found = self._study.user_attrs.get(_DIGEST)
        if found is None and not self._study.get_trials(deepcopy=False):
            self._study.set_user_attr(_DIGEST, self.digest)
        elif found != self.digest:
            raise SpecError(
                f"--storage: its study {self._study.study_name!r} holds another search "
                f"({found or 'not one of finetune'}; this one is {self.digest}): the data, the "
                "training, the space or the seeds differ; give another storage or --out, or "
                "another name to the study; the default search.db may be deleted, since it is "
                "rebuilt from the store"
            )

    def _close_abandoned(self) -> None:
        """Close what a crash left between opening a trial and giving it a setting."""
        for trial in self._study.get_trials(deepcopy=False, states=[TrialState.RUNNING]):
            begun = trial.datetime_start or datetime.min
            if trial.params.keys() != self._space.keys() and self._now() - begun > _ABANDONED:
                self._close(trial.number, None)

    def _close(self, number: int, value: float | None) -> None:
        state = TrialState.FAIL if value is None else TrialState.COMPLETE
        # Another controller may close it at this moment, which Optuna notices late; the value
        # follows from the setting, so that it is the same.
        with suppress(optuna.exceptions.UpdateFinishedTrialError):
            self._study.tell(number, value, state=state, skip_if_finished=True)


def _value(trial: FrozenTrial) -> float | None:
    if not trial.state.is_finished():
        return None
    return float("nan") if trial.value is None else trial.value
