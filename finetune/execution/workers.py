"""Who trains: this process, local worker processes, or the workers of a Dask cluster."""

from collections.abc import Callable, Generator, Sequence
from contextlib import ExitStack, closing
from pathlib import Path

from distributed import Client, LocalCluster

from finetune.engines.base import Task
from finetune.execution.cluster import connected, local_cluster, scaled, workers_at
from finetune.execution.dispatch import OnProgress, dispatch
from finetune.execution.environment import set_environment, worker_count
from finetune.execution.task_result import TaskResult, train_task
from finetune.execution.worker_check import WorkerRequirements, check_workers
from finetune.store.results import ResultStore
from finetune.store.versions import numeric_versions


class Workers:
    """Trains tasks for one store.

    It is a context. Processes start with the first task and end with the context, so that what
    trains tasks many times, as a search does, starts them once.

    Args:
        store: Where results go.
        wanted: Local worker processes, single-threaded; default one a core, 0 trains in the
            calling process.
        address: A running Dask scheduler, used instead of local processes.
        give_back: Whether the workers of a cluster give their results back instead of writing
            them to the store, for where they do not see its folder.
        on_note: Told, in words, what a user should know of the workers.
    """

    def __init__(
        self,
        store: ResultStore,
        *,
        wanted: int | None = None,
        address: str | None = None,
        give_back: bool = False,
        on_note: Callable[[str], None] = lambda text: None,
    ):
        self._store = store
        self._address = address
        self._here = wanted == 0 and not address
        self._wanted = wanted
        self._give_back = give_back
        self._on_note = on_note
        self._told: set[str] = set()
        self._open = ExitStack()
        self._client: Client | None = None
        self._cluster: LocalCluster | None = None
        self._calls = 0

    def __enter__(self) -> "Workers":
        return self

    def __exit__(self, *error: object) -> None:
        self._client = self._cluster = None
        self._open.close()

    @property
    def count(self) -> int:
        """How many tasks are trained at once; at least 1, since a cluster's workers may come late.

        Raises:
            FinetuneError: no scheduler answers at the address, or a worker may not train.
        """
        if not self._address:
            return worker_count(self._wanted)
        return max(1, workers_at(self._connect()))

    def memory_each(self, memory: int) -> int:
        """Give what one task may use: a share of this machine's, or all that a worker may use."""
        return memory if self._address else memory // self.count

    def train(
        self, tasks: Sequence[Task], on_progress: OnProgress = lambda position, share: None
    ) -> Generator[tuple[int, TaskResult], None, None]:
        """Train tasks; give each one's position and what came of it as it is done, in any order.

        `on_progress` is told a task's position and the share of it that is done.

        Raises:
            FinetuneError: What the user can mend: no scheduler answers, a task cannot be trained.
        """
        if self._here:
            deliveries = _in_process(tasks, self._store.folder, on_progress)
        elif tasks:
            deliveries = self._on_dask(tasks, on_progress)
        else:
            return
        # Ended here, not when the collector comes: the client may be closed by then.
        with closing(deliveries):
            for position, delivery in deliveries:
                if delivery.error:
                    raise delivery.error
                yield position, delivery

    def _on_dask(
        self, tasks: Sequence[Task], on_progress: OnProgress
    ) -> Generator[tuple[int, TaskResult], None, None]:
        client = self._connect() if self._address else self._started(len(tasks))
        self._calls += 1
        return dispatch(
            client,
            tasks,
            self._terms(),
            topic=f"finetune-progress-{self._calls}",
            on_progress=on_progress,
            on_note=self._tell,
        )

    def _terms(self) -> WorkerRequirements:
        folder = None if self._give_back and self._address else self._store.folder.resolve()
        return WorkerRequirements(numeric_versions(), folder, self._store.identity())

    def _tell(self, note: str) -> None:
        """Tell a note once, though it may hold for every task."""
        if note not in self._told:
            self._told.add(note)
            self._on_note(note)

    def _connect(self) -> Client:
        assert self._address
        if self._client is None:
            client = self._open.enter_context(connected(self._address))
            check_workers(client, self._terms(), self._tell)
            if not workers_at(client):
                self._tell(
                    f"No worker is at {self._address} yet; training starts when one is: "
                    f"finetune worker {self._address}"
                )
            self._client = client
        return self._client

    def _started(self, tasks: int) -> Client:
        """Give local processes, no more than there are tasks, and more when more tasks come."""
        if self._client is None or self._cluster is None:
            self._cluster = self._open.enter_context(local_cluster())
            self._client = self._open.enter_context(Client(self._cluster, set_as_default=False))
        scaled(self._cluster, self._client, min(self.count, tasks))
        return self._client


def _in_process(
    tasks: Sequence[Task], store: Path, on_progress: OnProgress
) -> Generator[tuple[int, TaskResult], None, None]:
    set_environment()
    for position, task in enumerate(tasks):

        def report(share: float, position: int = position) -> None:
            on_progress(position, share)

        yield position, train_task(task, store, report)
