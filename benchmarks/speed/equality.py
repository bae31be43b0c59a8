"""Proof, before anything is timed, that contestants train the same runs."""

from collections.abc import Mapping

import numpy as np

from benchmarks.speed.contestants import FORKING, JAX, JAX_DROPPING, LOCKSTEP
from benchmarks.speed.crew import Crew
from benchmarks.speed.trainer import LOSSES, Trained, shortened
from finetune.engines.base import Task
from finetune.spec.variants import VariantSpec

TOLERANCE = 1e-4
EPOCHS = 6
_SEEDS = (0, 1, 2)


class WorkDiffersError(AssertionError):
    """A contestant does not train the runs that our engine trains."""


def check_equality(crews: Mapping[str, Crew], task: Task) -> dict[str, float]:
    """Train a few runs by every contestant that claims to train the same.

    The runs are short, since float32 training is chaotic, and their policies impatient, so that
    rates are cut and runs stop all the same.

    Returns:
        The largest difference of any loss from our forking engine's, by contestant.

    Raises:
        WorkDiffersError: It is above `TOLERANCE`, or not the same epochs were delivered.
    """
    variants = tuple(_impatient(variant) for variant in task.variants)
    sample = shortened(Task(task.spec, variants, _SEEDS, "population"), EPOCHS)
    reference: Trained = crews[FORKING].ask("train", sample)
    differences = {}
    for key, crew in crews.items():
        if crew.contestant.same_training and key != FORKING:
            options = {"initial": _initial(crews, sample)} if key in (JAX, JAX_DROPPING) else {}
            trained = crew.ask("train", sample, **options)
            differences[key] = _difference(crew.contestant.label, reference, trained)
    return differences


def _initial(crews: Mapping[str, Crew], sample: Task) -> list:
    return crews[LOCKSTEP].ask("initial_values", sample)


def _difference(label: str, reference: Trained, trained: Trained) -> float:
    if trained.run_epochs != reference.run_epochs:
        raise WorkDiffersError(
            f"{label}: delivers {trained.run_epochs} epochs where our engine delivers "
            f"{reference.run_epochs}"
        )
    largest = max(
        float(np.abs(trained.losses[name] - reference.losses[name]).max()) for name in LOSSES
    )
    if not largest <= TOLERANCE:
        raise WorkDiffersError(
            f"{label}: a loss differs from our engine's by {largest:.2g}; allowed is {TOLERANCE}"
        )
    return largest


def _impatient(variant: VariantSpec) -> VariantSpec:
    """Give a variant whose policies act within `EPOCHS`."""
    if variant.early_stopping:
        stopping = variant.early_stopping.model_copy(update={"patience": 1})
        variant = variant.model_copy(update={"early_stopping": stopping})
    if variant.reduce_lr:
        start = min(variant.reduce_lr.start_from_epoch, 2)
        changed = {"patience": 1, "start_from_epoch": start}
        cut = variant.reduce_lr.model_copy(update=changed)
        variant = variant.model_copy(update={"reduce_lr": cut})
    return variant
