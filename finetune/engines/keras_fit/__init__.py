"""The reference engine: `keras.Model.fit` with real callbacks, one run after another."""

from functools import cached_property
from typing import TYPE_CHECKING

from finetune.engines.base import Engine, ProgressCallback, Task, Workload, silent
from finetune.engines.tensorflow_import import import_tensorflow
from finetune.spec.study import StudySpec
from finetune.spec.variants import VariantSpec

if TYPE_CHECKING:
    from finetune.engines.base import TaskTables
    from finetune.engines.keras_fit.trainer import FitTrainer

# Measured on the founding study (reports/speed): what `fit` spends on a step whatever its size,
# and what the arithmetic of one training row and one weight takes.
_SECONDS_PER_STEP = 83e-3 / 19
_SECONDS_PER_ROW_AND_WEIGHT = 1.25e-10


class KerasEngine(Engine):
    """Trains each run of a task by `keras.Model.fit`; what other engines must reproduce."""

    name = "keras"

    def why_not(self, variant: VariantSpec, spec: StudySpec) -> str | None:
        """Return None: what Keras has as a callback, `fit` takes."""
        return None

    def seeds_per_task(self, n_variants: int, n_seeds: int, *, workers: int) -> int:
        """Return 1: a run takes long, so that little is lost by a crash, and progress shows."""
        return 1

    def seconds_per_epoch(self, workload: Workload) -> float:
        """Estimate by the number of steps, or by the arithmetic where that is more."""
        arithmetic = min(workload.n_rows * workload.n_weights, 10**30) * _SECONDS_PER_ROW_AND_WEIGHT
        return max(arithmetic, min(workload.steps, 10**30) * _SECONDS_PER_STEP)

    def train(self, task: Task, progress: ProgressCallback = silent) -> "TaskTables":
        """Train every run of the task, in the order of `task.runs`."""
        return self._trainer.train(task, progress)

    @cached_property
    def _trainer(self) -> "FitTrainer":
        import_tensorflow()
        from finetune.engines.keras_fit.trainer import FitTrainer

        return FitTrainer()
