"""Tune both arms of the claim at equal budgets: all searches of a study, in batches."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from finetune.execution.progress import Progress
from finetune.execution.training import Options, train_blocks
from finetune.planning.block import Block
from finetune.planning.search import trial_block
from finetune.search.arms import Arm, arms_of, search_digest
from finetune.search.distributions import params_of
from finetune.search.sampler import SAMPLERS, SamplerName
from finetune.search.storage import Storage
from finetune.search.trials import ArmSearch, Trial
from finetune.spec.study import StudySpec
from finetune.store.base import Store
from finetune.store.schema import TRIAL_COLUMNS


@dataclass(frozen=True)
class Searched:
    """One arm's search with its trials, those of the budget alone, by number."""

    arm: Arm
    search: ArmSearch
    trials: tuple[Trial, ...]


def winner(trials: Iterable[Trial]) -> Trial | None:
    """Return the trial of lowest value, the earlier one of equals; None if all failed."""
    sound = [trial for trial in trials if trial.value is not None and trial.value < np.inf]
    return min(sound, key=lambda trial: (trial.value, trial.number), default=None)


class Tuning:
    """Searches that train together: in every round each of them opens a batch of trials.

    Args:
        spec: The study; `spec.search` says what is searched and at which cost.
        store: Keeps runs and trials; runs that it holds are not trained again.
        storage: Where Optuna keeps its trials.
        sampler: Which sampler proposes settings.
        repeats: Independent repeats of the search of each arm.

    Raises:
        SpecError: The storage holds another search of this name, or the claim's variants or the
            space cannot be searched.
        StoreError: The storage or the store does not answer.
    """

    def __init__(
        self,
        spec: StudySpec,
        store: Store,
        *,
        storage: Storage,
        sampler: SamplerName = "TPE",
        repeats: int = 1,
    ):
        self._spec, self._store, self._storage = spec, store, storage
        with storage.errors():
            self._searches = [
                (arm, self._start(arm, number, sampler=sampler, repeat=repeat))
                for repeat in range(repeats)
                for number, arm in enumerate(arms_of(spec))
            ]

    def _start(self, arm: Arm, number: int, *, sampler: SamplerName, repeat: int) -> ArmSearch:
        search = ArmSearch(
            self._storage.optuna,
            f"{self._spec.name}: {arm.name}" + (f", repeat {repeat}" if repeat else ""),
            space=arm.space,
            spec=self._spec.search,
            digest=search_digest(self._spec, arm, sampler=sampler, repeat=repeat),
            stream=(SAMPLERS.index(sampler), repeat, number),
            sampler=sampler,
        )
        search.restore(stored_trials(self._store, arm, search.digest))
        return search

    def run(self, options: Options) -> list[Searched]:
        """Search until every budget is used; return each repeat's two searches in turn.

        Raises:
            FinetuneError: Training or the storage failed; what was finished is stored.
        """
        budget, seeds = self._spec.search.trials, self._spec.search.seeds
        open_now = [self._within_budget(search) for _, search in self._searches]
        finished = sum(trial.value is not None for trials in open_now for trial in trials)
        total = budget * len(self._searches)
        options.progress.begin(finished * seeds, (total - finished) * seeds)
        done, resume = 0, True
        while batch := self._next_batch(resume=resume):
            progress = _SearchProgress(options.progress, done)
            self._train(batch, replace(options, progress=progress))
            done, resume = done + len(batch) * seeds, False
        return [
            Searched(arm, search, tuple(self._within_budget(search)))
            for arm, search in self._searches
        ]

    def _within_budget(self, search: ArmSearch) -> list[Trial]:
        with self._storage.errors():
            return search.trials()[: self._spec.search.trials]

    def _next_batch(self, *, resume: bool) -> list[tuple[int, Trial]]:
        """Return trials to train, each with the position of its search; none when all is done.

        Trials that are open though this controller did not open them are those of a crash, or of
        another controller on the same storage. They are trained when a search is resumed, and
        when there is nothing else to do. Their values follow from their settings, so that two
        controllers can at worst do the same work twice.
        """
        batch: list[tuple[int, Trial]] = []
        for position, (_, search) in enumerate(self._searches):
            trials = self._left_open(search) if resume else []
            trials = trials or self._open(search) or self._left_open(search)
            batch += [(position, trial) for trial in trials]
        return batch

    def _left_open(self, search: ArmSearch) -> list[Trial]:
        return [trial for trial in self._within_budget(search) if trial.value is None]

    def _open(self, search: ArmSearch) -> list[Trial]:
        size, budget = self._spec.search.batch, self._spec.search.trials
        with self._storage.errors():
            # The rest of a batch that was begun, so that batches begin where they always do.
            return search.ask(size - len(search.trials()) % size, budget=budget)

    def _train(self, batch: list[tuple[int, Trial]], options: Options) -> None:
        names = [f"{position}: trial {trial.number}" for position, trial in batch]
        variants = tuple(
            self._searches[position][0].variant(trial.setting, name=name)
            for name, (position, trial) in zip(names, batch, strict=True)
        )
        block = trial_block(self._spec, variants)
        train_blocks([block], self._store, options).raise_failures()
        values = objective_values(self._spec, self._store, block)
        # A trial with a failed run has no mean, and so has failed.
        means = {
            name: rows["value"].to_numpy(float).mean() for name, rows in values.groupby("variant")
        }
        self._close(
            [(p, t._replace(value=means[n])) for n, (p, t) in zip(names, batch, strict=True)]
        )

    def _close(self, finished: Sequence[tuple[int, Trial]]) -> None:
        """Keep the trials in the store first: the storage can be rebuilt from it."""
        for position, (arm, search) in enumerate(self._searches):
            trials = [trial for where, trial in finished if where == position]
            if not trials:
                continue
            self._store.write_trials(_trial_table(trials, search.digest))
            with self._storage.errors():
                for trial in trials:
                    assert trial.value is not None, arm.name
                    search.tell(trial.number, trial.value)


def objective_values(spec: StudySpec, store: Store, block: Block) -> pd.DataFrame:
    """Return what the search minimises, a row a run: variant, seed, value (NaN where it failed)."""
    runs = store.runs(block.recipes, block.seeds)
    values = runs.loc[:, ["variant", "seed"]].assign(value=runs["val_loss"])
    if spec.search.objective == "best_val_loss":
        epochs = store.epochs(block.recipes, block.seeds)
        best = epochs.groupby(["variant", "seed"]).agg(value=("val_loss", "min")).reset_index()
        values = values.loc[:, ["variant", "seed"]].merge(best, on=["variant", "seed"])
    sound = (runs["status"] == "ok").to_numpy()
    return values.assign(value=values["value"].where(sound))


def stored_trials(store: Store, arm: Arm, digest: str) -> list[Trial]:
    """Return the finished trials of a search that the store keeps."""
    return [
        Trial(row["number"], setting, row["value"])
        for row in store.trials(digest).to_dict("records")
        # A trial out of the space is none of this arm, whatever its search is called.
        if arm.holds(setting := json.loads(row["setting"]))
    ]


def trial_rows(arm: Arm, trials: Iterable[Trial]) -> pd.DataFrame:
    """Return an arm's trials as a table: `TunedTables.trials` says its columns."""
    rows = [
        {"number": t.number, **params_of(t.setting, arm.space), "value": t.value} for t in trials
    ]
    columns = ["number", *arm.space, "value"]
    table = pd.DataFrame(rows).reindex(columns=columns).astype({"value": "float64"})
    table.insert(0, "arm", arm.name)
    status = np.where(table["value"].notna(), "ok", "failed")
    return table.assign(status=status, best=table["value"].cummin().ffill())


def _trial_table(trials: Sequence[Trial], search: str) -> pd.DataFrame:
    rows = [(search, t.number, t.written, t.value) for t in trials]
    return pd.DataFrame(rows, columns=list(TRIAL_COLUMNS)).astype({"value": "float64"})


class _SearchProgress(Progress):
    """Counts a batch's runs on from those of the batches before it."""

    def __init__(self, whole: Progress, done: float):
        self._whole, self._done = whole, done

    def note(self, text: str) -> None:
        self._whole.note(text)

    def update(self, done: float) -> None:
        self._whole.update(self._done + done)
