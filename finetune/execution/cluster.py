"""Training on the workers of a Dask cluster."""

from collections.abc import Callable, Generator, Sequence
from contextlib import ExitStack

from distributed import Client

from finetune.engines.base import Task
from finetune.execution.base import Executor, TaskProgress, once_each, without_errors
from finetune.execution.connection import connected, workers_at
from finetune.execution.dispatch import dispatch
from finetune.execution.task_result import TaskResult, TrainFunction, train_by_engine
from finetune.execution.worker_check import check_workers, requirements
from finetune.store.base import Store


class ClusterExecutor(Executor):
    """Trains on the workers that a running Dask scheduler has, and on those that come later.

    Args:
        address: Of the scheduler.
        return_results: Whether workers return results instead of writing them to the store, for
            where they do not see its folder.
        on_note: Called with what a user should know of the workers.
        train: Trains one task; the workers import it by its name.
    """

    def __init__(
        self,
        address: str,
        *,
        return_results: bool = False,
        on_note: Callable[[str], None],
        train: TrainFunction = train_by_engine,
    ):
        self._train = train
        self._address = address
        self._return_results = return_results
        self._on_note = once_each(on_note)
        self._open = ExitStack()
        self._client: Client | None = None
        self._checked: set[str] = set()

    def __exit__(self, *error: object) -> None:
        """Leave the cluster, whose workers go on."""
        self._client = None
        self._open.close()

    @property
    def slots(self) -> int:
        """One task a worker; at least 1, since workers may come late."""
        return max(1, workers_at(self._connected()))

    def memory_per_task(self, memory: int) -> int:
        """Return the memory, which each worker may use by itself."""
        return memory

    def train(
        self, tasks: Sequence[Task], store: Store, on_progress: TaskProgress
    ) -> Generator[tuple[int, TaskResult], None, None]:
        """Train tasks, each on the next worker that is free."""
        if not tasks:
            return
        client = self._connected()
        required = requirements(None if self._return_results else store)
        if required.identity not in self._checked:
            check_workers(client, required, self._on_note)
            self._checked.add(required.identity)
        yield from without_errors(
            dispatch(
                client,
                tasks,
                required,
                train=self._train,
                on_progress=on_progress,
                on_note=self._on_note,
            )
        )

    def _connected(self) -> Client:
        if self._client is None:
            self._client = self._open.enter_context(connected(self._address))
            if not workers_at(self._client):
                self._on_note(
                    f"No worker is at {self._address} yet; training starts when one is: "
                    f"finetune worker {self._address}"
                )
        return self._client
