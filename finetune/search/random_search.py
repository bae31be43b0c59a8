"""Random search at the same budget: the baseline that shows what the sampler gains."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from finetune.planning.block import Block
from finetune.planning.search import confirmation_block
from finetune.search.arms import Arm, arms_of, search_digest
from finetune.search.trials import Trial
from finetune.search.tuning import objective_values, stored_trials, trial_rows, winner
from finetune.spec.study import StudySpec
from finetune.spec.variants import VariantSpec
from finetune.store.base import Store

REPEATS = 5


@dataclass(frozen=True)
class Repeat:
    """One repeat of random search in one arm: as many trials as the search itself has."""

    arm: Arm
    number: int
    trials: tuple[Trial, ...]

    @property
    def best(self) -> VariantSpec | None:
        """The variant of the trial of lowest value; None if all failed."""
        best = winner(self.trials)
        name = f"{self.arm.name}, random {self.number}"
        return self.arm.variant(best.setting, name=name) if best else None


def stored_repeats(spec: StudySpec, store: Store) -> list[Repeat]:
    """Return all repeats in both arms, or none where the store lacks trials of one."""
    repeats = []
    for number in range(REPEATS):
        for arm in arms_of(spec):
            search = search_digest(spec, arm, sampler="random", repeat=number)
            trials = stored_trials(store, arm, search)[: spec.search.trials]
            if len(trials) < spec.search.trials:
                return []
            repeats.append(Repeat(arm, number, tuple(trials)))
    return repeats


def winners_block(spec: StudySpec, repeats: Sequence[Repeat]) -> Block:
    """Plan the winners of all repeats on the confirmation seeds, which are the study's own."""
    variants = tuple(repeat.best for repeat in repeats if repeat.best)
    return confirmation_block(spec, variants)


def repeated_winners(
    spec: StudySpec, store: Store, repeats: Sequence[Repeat]
) -> list[dict[str, Any]]:
    """Return what each repeat reached: arm, sampler, repeat, searched, fresh (see `Tuned`).

    Empty while the store lacks runs of its winner on the confirmation seeds.
    """
    block = winners_block(spec, repeats)
    if not block.variants or store.missing(block.recipes, block.seeds):
        return []
    values = objective_values(spec, store, block).groupby("variant").agg(fresh=("value", "mean"))
    fresh = dict(zip(values.index, values["fresh"], strict=True))
    return [
        {
            "arm": repeat.arm.name,
            "sampler": "random",
            "repeat": repeat.number,
            "searched": best.value,
            "fresh": fresh[repeat.best.name],
        }
        for repeat in repeats
        if (best := winner(repeat.trials)) and repeat.best
    ]


def repeated_trials(repeats: Sequence[Repeat]) -> pd.DataFrame:
    """Return the trials of all repeats: arm, repeat, number, value, best (the running best)."""
    columns = ["arm", "repeat", "number", "value", "best"]
    tables = [trial_rows(one.arm, one.trials).assign(repeat=one.number) for one in repeats]
    return pd.concat(tables).loc[:, columns] if tables else pd.DataFrame(columns=columns)
