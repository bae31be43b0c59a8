"""What a search found, as data: all that the report's section on tuning shows."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from finetune.engines.registry import DEFAULT, engine_for
from finetune.errors import StoreError
from finetune.spec.recipes import digest
from finetune.spec.regular_file import read_regular
from finetune.spec.seeds import Source
from finetune.spec.study import StudySpec

TUNED_FILE = "tuned.json"

# Below this many finished trials PED-ANOVA's densities are too rough to rely on.
IMPORTANCE_TRIALS = 50

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
        name: The variant's name, as "tuned LR reduction from epoch 0".
        untuned: The study's own variant of this arm, where the claim names one.
        trials, failed: Trials that were finished, and those of them in which a run failed.
        winner: Number of the trial of lowest objective.
        setting: Its `factor`, `patience` (epochs), and in the delayed arm `start_from_epoch`.
        searched: Its objective, mean over the search's seeds.
        fresh: The same quantity on the confirmation seeds, which the search never used.
        untuned_fresh: That of the study's own variant on the confirmation seeds.
    """

    name: str
    untuned: str | None
    trials: int
    failed: int
    winner: int
    setting: dict[str, float]
    searched: float
    fresh: MeanEstimate
    untuned_fresh: MeanEstimate | None

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
        ranges: [low, high] of each parameter.
        trials, seeds, epochs, batch: The budget of each arm, and trials proposed at once.
        confirmation_seeds: Number of fresh seeds, those of the study itself.
        vary: What a seed changes: without split and data, all seeds share the
            validation rows.
        arms: Reduction from epoch 0, then delayed reduction.
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
    ranges: dict[str, tuple[float, float]]
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


def judged_study(spec: StudySpec) -> str:
    """Return the digest of what a search is judged by: problem, claim, its variants and seeds."""
    claim = spec.underfits
    arms = [spec.variant(claim.treatment), spec.variant(claim.control)] if claim else []
    return digest(
        {
            "arms": [spec.recipe(arm, engine_for(arm, spec, DEFAULT.name).name) for arm in arms],
            # Shares stand in the margins by now.
            "claim": claim.model_dump(mode="json", exclude={"margins": {"shares"}})
            if claim
            else None,
            "problem": spec.problem,
            "seeds": spec.seeds,
        }
    )


def read_tuned(folder: Path, spec: StudySpec) -> Tuned | None:
    """Read what a search left in a study's folder; None without one, or where the study changed.

    Raises:
        StoreError: the file cannot be read.
    """
    path = folder / TUNED_FILE
    try:
        tuned = Tuned.model_validate_json(read_regular(path, follow=False))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise StoreError(
            f"{TUNED_FILE}: cannot be read ({type(error).__name__}); run `finetune search` again: "
            "it reads its trials from the store"
        ) from error
    return tuned if tuned.study == judged_study(spec) else None
