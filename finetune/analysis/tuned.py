"""What a search found, as data: all that the report's section on tuning shows."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, model_validator

from finetune.engines.registry import DEFAULT, engine_for
from finetune.errors import StoreError
from finetune.spec.dimensions import ChoicesSpec, Dimension, RangeSpec
from finetune.spec.recipes import digest
from finetune.spec.regular_file import read_regular
from finetune.spec.seeds import Source
from finetune.spec.study import StudySpec

TUNED_FILE = "tuned.json"

# Below this many finished trials PED-ANOVA's densities are too rough to rely on.
IMPORTANCE_TRIALS = 50

# Raised where the file has another form, so that an older one is that of another search.
_FORM = 2

_USUAL_PLANE = ("reduce_lr.factor", "reduce_lr.patience")

Objective = Literal["final_val_loss", "best_val_loss"]

OBJECTIVES: Mapping[Objective, str] = {
    "final_val_loss": "final validation loss",
    "best_val_loss": "validation loss at the best epoch",
}


class _Data(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="constants")


class MeanEstimate(_Data):
    """A mean over `n` seeds with its 95 % t interval."""

    n: int
    mean: float
    low: float
    high: float


class TunedArm(_Data):
    """One arm of the claim and the best setting that its search found.

    Attributes:
        name: The variant's name: "tuned", and that of the study's own.
        untuned: The study's own variant of this arm, where the claim names one.
        trials, failed: Trials that were finished, and those of them in which a run failed.
        winner: Number of the trial of lowest objective.
        setting: Its values by path.
        space: What was searched, by path.
        searched: Its objective, mean over the search's seeds.
        fresh: The same quantity on the confirmation seeds, which the search never used.
        untuned_fresh: That of the study's own variant on the confirmation seeds.
    """

    name: str
    untuned: str | None
    trials: int
    failed: int
    winner: int
    setting: dict[str, Any]
    space: dict[str, Dimension]
    searched: float
    fresh: MeanEstimate
    untuned_fresh: MeanEstimate | None

    @model_validator(mode="after")
    def _setting_is_of_the_space(self) -> Self:
        held = self.setting.keys() == self.space.keys() and all(
            one.holds(self.setting[path]) for path, one in self.space.items()
        )
        if not held:
            raise ValueError("setting: allowed is a value of the space for each of its paths")
        return self

    @property
    def optimism(self) -> float:
        """How much less fresh seeds keep than the search promised."""
        return self.fresh.mean - self.searched


class Tuned(_Data):
    """Both arms tuned at equal budgets, and compared on seeds that the search never used.

    Attributes:
        study: Digest of what it rests on: `judged_study`.
        problem, search: Digests of what was trained on, and of all that decides the search.
        objective: What was minimised, as a mean over the search's seeds.
        sampler: The sampler and its options, in words.
        trials, seeds, epochs, batch: The budget of each arm, and trials proposed at once.
        confirmation_seeds: Number of fresh seeds, those of the study itself.
        vary: What a seed changes: without split and data, all seeds share the
            validation rows.
        arms: The claim's treatment, then its control.
        contrasts: Rows of `stats.comparison.compare` over the test and training metrics.
        importances: Rows of arm, parameter and importance (PED-ANOVA); none below 50 trials.
        conclusion: The verdict on the claim by the tuned pair, as a sentence.
        dashboard: The line that opens optuna-dashboard on the storage, without any password.
        baseline: Rows of arm, sampler, repeat, searched and fresh, once random search was run too.
    """

    study: str
    problem: str
    search: str
    objective: Objective
    sampler: str
    trials: int
    seeds: int
    epochs: int
    batch: int
    confirmation_seeds: int
    arms: tuple[TunedArm, TunedArm]
    contrasts: tuple[dict[str, Any], ...]
    importances: tuple[dict[str, Any], ...]
    conclusion: str
    dashboard: str
    baseline: tuple[dict[str, Any], ...] = ()
    vary: tuple[Source, ...] = ("init", "order")

    @property
    def space(self) -> dict[str, RangeSpec | ChoicesSpec]:
        """What was searched in either arm, by path."""
        return {path: one for arm in self.arms for path, one in arm.space.items()}

    @property
    def plane(self) -> tuple[str, str] | None:
        """The two paths whose numbers matter most, up and across; None where there are not two.

        Factor and patience where both were searched, else those of highest importance.
        """
        shared = [
            path
            for path, one in self.arms[0].space.items()
            if isinstance(one, RangeSpec) and path in self.arms[1].space
        ]
        if {*_USUAL_PLANE} <= {*shared}:
            return _USUAL_PLANE
        weights = {path: self._importance(path) for path in shared}
        first, second, *_ = (*sorted(shared, key=lambda path: -weights[path]), None, None)
        return (first, second) if first and second else None

    def _importance(self, path: str) -> float:
        return sum(row["importance"] for row in self.importances if row["parameter"] == path)


def judged_study(spec: StudySpec) -> str:
    """Return the digest of what a search is judged by: problem, claim, its variants and seeds."""
    claim = spec.claim
    return digest(
        {
            "form": _FORM,
            "arms": [
                spec.recipe(arm, engine_for(arm, spec, DEFAULT.name).name) for arm in spec.arms
            ],
            # Shares stand in the margins by now.
            "claim": claim.model_dump(mode="json", exclude={"margins": {"shares"}})
            if claim
            else None,
            "problem": spec.problem,
            "seeds": spec.n_seeds,
        }
    )


def read_tuned(folder: Path, spec: StudySpec) -> Tuned | None:
    """Read what a search left in a study's folder; None without one, or where the study changed.

    Raises:
        StoreError: the file cannot be read.
    """
    path = folder / TUNED_FILE
    try:
        content = read_regular(path, follow=False)
        if json.loads(content)["study"] != judged_study(spec):
            return None
        return Tuned.model_validate_json(content)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, LookupError, TypeError, RecursionError) as error:
        raise StoreError(
            f"{TUNED_FILE}: cannot be read ({type(error).__name__}); run `finetune search` again: "
            "it reads its trials from the store"
        ) from error
