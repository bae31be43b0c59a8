"""Which executor trains: chosen once, from what the user wants."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

from finetune.execution.base import Executor
from finetune.execution.cluster import ClusterExecutor
from finetune.execution.in_process import InProcessExecutor
from finetune.execution.local import LocalExecutor


def choose_executor(
    workers: int | None = None,
    *,
    address: str | None = None,
    return_results: bool = False,
    on_note: Callable[[str], None] = lambda text: None,
) -> Executor:
    """Return the executor for a scheduler's address, else for so many local worker processes.

    Args:
        workers: Local worker processes; None is one a core, 0 trains in the calling process.
        address: A running Dask scheduler, used instead of local processes.
        return_results: Whether the scheduler's workers return results instead of writing them.
        on_note: Called with what a user should know of the workers.
    """
    if address:
        return ClusterExecutor(address, return_results=return_results, on_note=on_note)
    if workers == 0:
        return InProcessExecutor()
    return LocalExecutor(workers, on_note=on_note)


def executor_or_new(
    executor: Executor | None, workers: int | None, *, on_note: Callable[[str], None]
) -> AbstractContextManager[Executor]:
    """Return a context of an executor that is there, which it leaves open, else of a new one.

    Args:
        executor: The one that is there; None for a new one.
        workers: Of the new one, as in `choose_executor`.
        on_note: Of the new one.
    """
    return nullcontext(executor) if executor else choose_executor(workers, on_note=on_note)
