"""The check, before anything is timed, that methods train the same runs."""

from collections.abc import Mapping

import numpy as np

from benchmarks.speed.methods import FORKING, JAX, JAX_DROPPING, LOCKSTEP
from benchmarks.speed.trainer import LOSSES, Trained, shortened
from benchmarks.speed.worker_pool import WorkerPool
from finetune.engines.base import Task
from finetune.engines.registry import DEFAULT
from finetune.spec.variants import VariantSpec

TOLERANCE = 1e-4
EPOCHS = 6
_SEEDS = (0, 1, 2)


class WorkDiffersError(AssertionError):
    """A method does not train the runs that our engine trains."""


def check_equality(pools: Mapping[str, WorkerPool], task: Task) -> dict[str, float]:
    """Train a few runs by every method that claims to train the same.

    The runs are short, since float32 training is chaotic, and their patience is 1, so that rates
    are cut and runs stop all the same.

    Returns:
        The largest difference of any loss from our forking engine's, by method.

    Raises:
        WorkDiffersError: It is above `TOLERANCE`, or not the same epochs were delivered.
    """
    variants = tuple(_impatient(variant) for variant in task.variants)
    sample = shortened(Task(task.spec, variants, _SEEDS, DEFAULT.name), EPOCHS)
    reference: Trained = pools[FORKING].call_first("train", sample)
    differences = {}
    for key, pool in pools.items():
        if pool.method.same_training and key != FORKING:
            options = {"initial": _initial(pools, sample)} if key in (JAX, JAX_DROPPING) else {}
            trained = pool.call_first("train", sample, **options)
            differences[key] = _difference(pool.method.label, reference, trained)
    return differences


def _initial(pools: Mapping[str, WorkerPool], sample: Task) -> list:
    return pools[LOCKSTEP].call_first("initial_values", sample)


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
    """Return a variant whose policies act within `EPOCHS`."""
    if variant.early_stopping:
        stopping = variant.early_stopping.model_copy(update={"patience": 1})
        variant = variant.model_copy(update={"early_stopping": stopping})
    if variant.reduce_lr:
        start = min(variant.reduce_lr.start_from_epoch, 2)
        changed = {"patience": 1, "start_from_epoch": start}
        cut = variant.reduce_lr.model_copy(update=changed)
        variant = variant.model_copy(update={"reduce_lr": cut})
    return variant
