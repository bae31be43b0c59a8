"""What every executor offers: it trains tasks, wherever that is."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Sequence
from typing import Self

from finetune.engines.base import Task
from finetune.execution.task_result import TaskResult
from finetune.store.base import Store

# Called with the position of a task and the share of it that is done.
TaskProgress = Callable[[int, float], None]


class Executor(ABC):
    """Trains tasks for a store.

    It is a context: what it starts for its first tasks it keeps for later ones, as a search has
    them, and ends with the context.
    """

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        """End what was started; here that is nothing."""
        return

    def start(self, tasks: int) -> None:
        """Start what will train so many tasks, before they are there, and let it load.

        It need not be called. Here there is nothing to start.
        """
        return

    @property
    @abstractmethod
    def slots(self) -> int:
        """How many tasks are trained at once, at least 1.

        Raises:
            FinetuneError: it cannot be found out, as where no scheduler answers.
        """

    @abstractmethod
    def memory_per_task(self, memory: int) -> int:
        """Return what one task may use, in bytes, of the memory that the user allows."""

    @abstractmethod
    def train(
        self, tasks: Sequence[Task], store: Store, on_progress: TaskProgress
    ) -> Generator[tuple[int, TaskResult], None, None]:
        """Train tasks; yield each one's position and what came of it as it is done, in any order.

        A result holds the task's tables where they are not in the store yet.

        Raises:
            FinetuneError: what the user can mend: no scheduler answers, a task cannot be trained.
        """


def once_each(on_note: Callable[[str], None]) -> Callable[[str], None]:
    """Return a function that passes every note on once, though it may hold for every task."""
    passed: set[str] = set()

    def note(text: str) -> None:
        if text not in passed:
            passed.add(text)
            on_note(text)

    return note


def without_errors(
    results: Generator[tuple[int, TaskResult], None, None],
) -> Generator[tuple[int, TaskResult], None, None]:
    """Yield results until one holds an error that the user can mend, which is raised."""
    # Ended here, not when the collector comes: what they rest on may be closed by then.
    try:
        for position, result in results:
            if result.error:
                raise result.error
            yield position, result
    finally:
        results.close()
