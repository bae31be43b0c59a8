"""What is tried next: a sampler that knows only the batches before."""

from typing import Any, Literal, get_args

import numpy as np
import optuna
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler, RandomSampler, TPESampler
from optuna.trial import FrozenTrial

from finetune.spec.seeds import integer_seed

SamplerName = Literal["TPE", "random"]
SAMPLERS: tuple[SamplerName, ...] = get_args(SamplerName)

_RANDOM_FIRST = 10
Space = dict[str, BaseDistribution]


def describe_sampler(name: SamplerName) -> str:
    """Return a sampler and all options that decide what it proposes, in words."""
    if name == "random":
        return "random search"
    return (
        f"TPE of Optuna {optuna.__version__}: multivariate, constant liar, 24 candidates a "
        f"proposal, random until {_RANDOM_FIRST} trials are known; a batch is proposed from the "
        "batches before it"
    )


class BatchSampler(BaseSampler):
    """Proposes what a fresh sampler would that knows only the trials before the batch.

    So what a trial tries follows from its number, the seed and the batches before, and a search
    that was cut and resumed goes on as if it had not been. Optuna does not store its samplers.

    Args:
        name: Of Optuna's sampler.
        space: All parameters.
        batch: Trials that are proposed together.
        seed: Of all proposals of the study.
        stream: Numbers of the random stream, its own for every search.
    """

    def __init__(
        self, name: SamplerName, *, space: Space, batch: int, seed: int, stream: tuple[int, ...]
    ):
        self._name: SamplerName = name
        self._space, self._batch = space, batch
        self._seed, self._stream = seed, stream
        self._proposed: dict[int, list[dict[str, Any]]] = {}

    def infer_relative_search_space(self, study: optuna.Study, trial: FrozenTrial) -> Space:
        """Return all parameters: they are proposed together."""
        return self._space

    def sample_relative(
        self, study: optuna.Study, trial: FrozenTrial, search_space: Space
    ) -> dict[str, Any]:
        """Return the setting of a trial, by its place in its batch."""
        begin = trial.number - trial.number % self._batch
        if begin not in self._proposed:
            self._proposed = {begin: self._propose(study, begin)}
        return self._proposed[begin][trial.number - begin]

    def sample_independent(
        self,
        study: optuna.Study,
        trial: FrozenTrial,
        param_name: str,
        param_distribution: BaseDistribution,
    ) -> Any:
        """Refuse: no parameter is proposed on its own."""
        raise NotImplementedError(f"{param_name} is not among {list(self._space)}")

    def _propose(self, study: optuna.Study, begin: int) -> list[dict[str, Any]]:
        """Propose a batch; within it, the constant liar keeps proposals apart."""
        sequence = np.random.SeedSequence(self._seed, spawn_key=(*self._stream, begin))
        past = optuna.create_study(sampler=_fresh(self._name, integer_seed(sequence)))
        before = study.get_trials(deepcopy=False)[:begin]
        past.add_trials([trial for trial in before if trial.params.keys() == self._space.keys()])
        return [past.ask(self._space).params for _ in range(self._batch)]


def _fresh(name: SamplerName, seed: int) -> BaseSampler:
    if name == "random":
        return RandomSampler(seed=seed)
    # Every option is set here, since Optuna's defaults change between versions.
    return TPESampler(
        seed=seed,
        n_startup_trials=_RANDOM_FIRST,
        n_ei_candidates=24,
        multivariate=True,
        group=False,
        constant_liar=True,
    )
