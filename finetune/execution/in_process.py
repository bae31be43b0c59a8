"""Training in the calling process, one task after another."""

from collections.abc import Generator, Sequence
from functools import partial

from finetune.engines.base import Task
from finetune.execution.base import Executor, TaskProgress, without_errors
from finetune.execution.environment import set_environment
from finetune.execution.task_result import (
    TaskResult,
    TrainFunction,
    train_by_engine,
    train_task,
)
from finetune.store.base import Store


class InProcessExecutor(Executor):
    """Trains in the calling process: nothing is started, which suits notebooks and few runs.

    Args:
        train: Trains one task.
    """

    def __init__(self, *, train: TrainFunction = train_by_engine):
        self._train = train

    @property
    def slots(self) -> int:
        """One task at a time."""
        return 1

    def memory_per_task(self, memory: int) -> int:
        """Return all of the memory."""
        return memory

    def train(
        self, tasks: Sequence[Task], store: Store, on_progress: TaskProgress
    ) -> Generator[tuple[int, TaskResult], None, None]:
        """Train tasks in their order."""
        return without_errors(self._results(tasks, store, on_progress))

    def _results(
        self, tasks: Sequence[Task], store: Store, on_progress: TaskProgress
    ) -> Generator[tuple[int, TaskResult], None, None]:
        set_environment()
        for position, task in enumerate(tasks):
            shown = partial(on_progress, position)
            yield position, train_task(task, store, shown, train=self._train)
