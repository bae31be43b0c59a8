"""The population engine: all runs of a task at once, one row of weights for each trajectory."""

import math
from functools import cached_property
from typing import TYPE_CHECKING

from finetune.engines.base import Engine, ProgressCallback, Task, Workload, silent
from finetune.engines.population.exact_optimizers import why_not_exact
from finetune.engines.tensorflow_import import import_tensorflow
from finetune.errors import EngineError
from finetune.spec.study import StudySpec
from finetune.spec.variants import VariantSpec

if TYPE_CHECKING:
    from finetune.engines.base import TaskTables
    from finetune.engines.population.trainer import PopulationTrainer

# Runs that train together: enough for the processor to be busy, few enough for its cache.
RUNS_PER_TASK = 320

# Measured on the founding study (reports/speed): an epoch of one run among many, for each training
# row and weight; less than that of a small network is no longer the arithmetic's.
_SECONDS_PER_ROW_AND_WEIGHT = 1.25e-10
_LEAST_SECONDS = 25e-6


class PopulationEngine(Engine):
    """Trains the runs of a task together; runs on one trajectory are computed once.

    Args:
        share: Whether runs of one seed share a row until their learning rates differ. Without
            it every run has a row of its own (lockstep), and the same numbers.
    """

    name = "population"

    def __init__(self, *, share: bool = True):
        self._share = share

    def why_not(self, variant: VariantSpec, spec: StudySpec) -> str | None:
        """Refuse what needs a model for each run, since here there is one for all.

        That are callbacks of the user's own, some optimizers, and networks of which it was found
        when they were built.
        """
        if reason := spec.model.fit_only or why_not_exact(spec.training.optimizer):
            return reason
        if not variant.callbacks:
            return None
        return (
            f"{variant.callbacks[0].callback} is a callback of your own, which needs a model for "
            "each run"
        )

    def seeds_per_task(self, n_variants: int, n_seeds: int, *, workers: int) -> int:
        """Return as many as fit the processor's cache, or fewer: all workers get equally many."""
        most = max(1, RUNS_PER_TASK // n_variants)
        rounds = max(1, math.ceil(n_seeds / (most * workers)))
        return max(1, math.ceil(n_seeds / (rounds * workers)))

    def seconds_per_epoch(self, workload: Workload) -> float:
        """Estimate by the arithmetic alone."""
        arithmetic = min(workload.n_rows * workload.n_weights, 10**30) * _SECONDS_PER_ROW_AND_WEIGHT
        return max(_LEAST_SECONDS, arithmetic)

    def train(self, task: Task, progress: ProgressCallback = silent) -> "TaskTables":
        """Train every run of the task.

        Raises:
            NeedsFitError: Only `fit` trains the study's network exactly.
            EngineError: The task has a variant that this engine cannot train.
        """
        for variant in task.variants:
            if reason := self.why_not(variant, task.spec):
                raise EngineError(f"{reason}; allowed with this engine is none; use --engine keras")
        return self._trainer.train(task, progress)

    @cached_property
    def _trainer(self) -> "PopulationTrainer":
        import_tensorflow()
        from finetune.engines.population.trainer import PopulationTrainer

        return PopulationTrainer(share=self._share)
