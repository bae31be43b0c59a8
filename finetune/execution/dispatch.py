"""Tasks go to Dask workers, and what came of them comes back as it is done."""

import os
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from typing import Any
from uuid import uuid4

from distributed import Client, Future, KilledWorker, Worker, as_completed, get_worker

from finetune.engines.base import Task
from finetune.engines.tensorflow_import import import_tensorflow
from finetune.errors import ClusterError
from finetune.execution.base import TaskProgress
from finetune.execution.other_packages import escape_messages
from finetune.execution.task_result import TaskResult, TrainFunction, failed_task, train_task
from finetune.execution.worker_check import WorkerRequirements, examine, refusal, warning

# Once more, then once more again: a task that fails every time has failed.
_RETRIES = 2

# Every progress message passes the scheduler, which may serve a thousand workers.
_SECONDS_BETWEEN_REPORTS = 1.0


class _TaskError(Exception):
    """A task failed in its worker; Dask tries again what raises."""


def dispatch(
    client: Client,
    tasks: Sequence[Task],
    required: WorkerRequirements,
    *,
    train: TrainFunction,
    on_progress: TaskProgress,
    on_note: Callable[[str], None],
) -> Generator[tuple[int, TaskResult], None, None]:
    """Train tasks on Dask; yield each one's position and what came of it as it is done.

    Raises:
        ClusterError: the scheduler was lost, or a worker that came late may not train.
    """
    # One for every call: several programs may share a scheduler.
    topic = f"finetune-progress-{uuid4()}"
    client.subscribe_topic(topic, lambda event: on_progress(*event[1]))
    client.subscribe_topic("all", lambda event: _note_on_workers(event[1], on_note))

    def outcomes(positions: Sequence[int]) -> Iterator[tuple[int, TaskResult | KilledWorker]]:
        def submitted(position: int) -> Future:
            arguments = (position, tasks[position], required, train, topic)
            return client.submit(_train, *arguments, pure=False, retries=_RETRIES)

        return _outcomes(client, {submitted(position): position for position in positions})

    suspects: list[tuple[int, KilledWorker]] = []
    try:
        for position, outcome in outcomes(range(len(tasks))):
            if isinstance(outcome, KilledWorker):
                suspects.append((position, outcome))
                continue
            if outcome.warning:
                on_note(outcome.warning)
            yield position, outcome
        # Dask lays the death of a worker at every task that was with it. Of several such tasks
        # each is tried once more with no other beside it.
        for position, killed in suspects:
            outcome = killed
            if len(suspects) > 1:
                ((_, outcome),) = outcomes([position])
            yield position, _killed() if isinstance(outcome, KilledWorker) else outcome
    finally:
        client.unsubscribe_topic(topic)
        client.unsubscribe_topic("all")


def _outcomes(
    client: Client, futures: dict[Future, int]
) -> Iterator[tuple[int, TaskResult | KilledWorker]]:
    for future in as_completed(list(futures), loop=client.loop):
        position = futures.pop(future)
        # Nobody cancels: Dask does, where it loses the scheduler.
        if future.cancelled():
            raise _lost(client)
        try:
            outcome = future.result()
        except KilledWorker as error:
            outcome = error
        except _TaskError as error:
            outcome = TaskResult(failure=str(error))
        except Exception as error:
            outcome = failed_task(error)
        yield position, outcome


def _killed() -> TaskResult:
    return TaskResult(
        failure="a worker process died at it again and again, most likely for want of memory: "
        "give less to --memory or --workers"
    )


def _lost(client: Client) -> ClusterError:
    address = client.scheduler.address if client.scheduler else "the address"
    return ClusterError(
        f"--dask: the scheduler at {address} is gone; what is finished is stored; start it again "
        "and run the same command, which goes on"
    )


def _note_on_workers(event: Mapping[str, Any], on_note: Callable[[str], None]) -> None:
    """Note that a worker died; Dask trains its tasks on the others by itself."""
    if event.get("action") == "remove-worker" and not event.get("expected"):
        on_note(f"Worker {event['worker']} is gone; what it was training is trained again")


def load_in_workers(client: Client) -> None:
    """Let every worker that is there load TensorFlow; return at once, while tasks wait for it."""
    # A worker that is gone by now has nothing to load.
    client.run(_load, wait=False, on_error="ignore")


async def _load(dask_worker: Worker) -> None:
    """Load what training needs; runs in a worker, and Dask fills in `dask_worker`.

    It is a coroutine for the client not to wait for it, and no task, since Dask would place those
    that come next by how long it takes.
    """
    _prepare_worker(dask_worker)
    import_tensorflow()


def _prepare_worker(worker: Worker) -> None:
    """Prepare a worker's process for training, before it loads TensorFlow."""
    escape_messages()
    # Local workers are named 0, 1, ...: each sees the card of its number, where there are cards.
    if isinstance(worker.name, int):
        os.environ.setdefault("CUDA_VISIBLE_DEVICES", str(worker.name))


def _train(
    position: int, task: Task, required: WorkerRequirements, train: TrainFunction, topic: str
) -> TaskResult:
    """Train one task; runs in a worker."""
    worker = get_worker()
    _prepare_worker(worker)
    objection, slow = examine(required, worker)
    if objection:
        return TaskResult(error=refusal({worker.address: objection}))
    last = 0.0

    def progress(share: float) -> None:
        nonlocal last
        if time.monotonic() - last >= _SECONDS_BETWEEN_REPORTS:
            last = time.monotonic()
            worker.log_event(topic, (position, share))

    result = train_task(task, required.store, progress, train=train)
    if result.failure:
        raise _TaskError(result.failure)
    return result._replace(warning=slow and warning(worker.address, slow))
