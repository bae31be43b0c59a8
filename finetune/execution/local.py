"""Training in worker processes on this machine."""

from collections.abc import Callable, Generator, Sequence
from contextlib import ExitStack

from distributed import Client, LocalCluster

from finetune.engines.base import Task
from finetune.execution.base import Executor, TaskProgress, once_each, without_errors
from finetune.execution.connection import local_cluster, scale_up
from finetune.execution.dispatch import dispatch, load_in_workers
from finetune.execution.environment import worker_count
from finetune.execution.task_result import TaskResult, TrainFunction, train_by_engine
from finetune.execution.worker_check import requirements
from finetune.store.base import Store


class LocalExecutor(Executor):
    """Trains in single-threaded worker processes, which start with the first tasks or before.

    Args:
        workers: How many processes; None is one a graphics card, else one a core.
        on_note: Called with what a user should know of the workers.
        train: Trains one task; the processes import it by its name.
    """

    def __init__(
        self,
        workers: int | None = None,
        *,
        on_note: Callable[[str], None],
        train: TrainFunction = train_by_engine,
    ):
        self._train = train
        self._workers = worker_count(workers)
        self._on_note = once_each(on_note)
        self._open = ExitStack()
        self._started: tuple[LocalCluster, Client] | None = None

    def __exit__(self, *error: object) -> None:
        """End the worker processes."""
        self._started = None
        self._open.close()

    def start(self, tasks: int) -> None:
        """Start a process a task, but no more than workers; return while they load TensorFlow."""
        load_in_workers(self._client_for(tasks))

    @property
    def slots(self) -> int:
        """One task a worker process."""
        return self._workers

    def memory_per_task(self, memory: int) -> int:
        """Return a worker's share of the memory, since all are on this machine."""
        return memory // self._workers

    def train(
        self, tasks: Sequence[Task], store: Store, on_progress: TaskProgress
    ) -> Generator[tuple[int, TaskResult], None, None]:
        """Train tasks, each in the next process that is free."""
        if not tasks:
            return
        yield from without_errors(
            dispatch(
                self._client_for(len(tasks)),
                tasks,
                requirements(store),
                train=self._train,
                on_progress=on_progress,
                on_note=self._on_note,
            )
        )

    def _client_for(self, tasks: int) -> Client:
        """Return a client of no more processes than there are tasks; more start when more come."""
        if self._started is None:
            cluster = self._open.enter_context(local_cluster())
            client = self._open.enter_context(Client(cluster, set_as_default=False))
            self._started = cluster, client
        cluster, client = self._started
        scale_up(cluster, client, min(self._workers, tasks))
        return client
