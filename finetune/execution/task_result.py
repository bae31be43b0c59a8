"""What comes of a task: it is trained, and its results are stored or returned."""

import threading
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from finetune.engines.base import ProgressCallback, Task, TaskTables
from finetune.engines.registry import get_engine
from finetune.errors import FinetuneError, SpecError, describe_exception
from finetune.models.summary import NetworkSummary
from finetune.spec.location import located
from finetune.store.base import Store

# Trains every run of a task, and calls back with the share of it that is done.
TrainFunction = Callable[[Task, ProgressCallback], TaskTables]

# A message of TensorFlow's may list the whole graph.
_LONGEST_MESSAGE = 300

# Keras keeps settings for the whole process, so that two tasks at once would disturb each other.
_ONE_AT_A_TIME = threading.Lock()


class TaskResult(NamedTuple):
    """What came of one task.

    Attributes:
        tables: Its results; None where they are in the store.
        row_epochs: Epochs that rows of weights were trained for.
        run_epochs: Epochs of runs, which share rows.
        notes: What the user should know of how it was done.
        network: What was trained.
        error: What the user can mend, which every other task would meet too.
        failure: What went wrong with this task alone, in one line.
        warning: What slows the worker down; "" where nothing does.
    """

    tables: TaskTables | None = None
    row_epochs: int = 0
    run_epochs: int = 0
    notes: tuple[str, ...] = ()
    network: NetworkSummary | None = None
    error: FinetuneError | None = None
    failure: str | None = None
    warning: str = ""


def train_by_engine(task: Task, on_progress: ProgressCallback) -> TaskTables:
    """Train a task by the engine that it names, which loads TensorFlow.

    Raises:
        FinetuneError: The study cannot be trained as it is; a key that a variant sets is named as
            the variant's.
    """
    try:
        return get_engine(task.engine).train(task, on_progress)
    except SpecError as error:
        told = located(error, task.spec, [variant.name for variant in task.variants])
        # One that is its own cause could not be sent to another process.
        if told is error:
            raise
        raise told from error


def train_task(
    task: Task, store: Store | None, on_progress: ProgressCallback, *, train: TrainFunction
) -> TaskResult:
    """Train a task and write its results to the store; without one they are in the result.

    It raises nothing: an exception may be of a class, or hold what, no other process can read.
    """
    try:
        with _ONE_AT_A_TIME:
            tables = train(task, on_progress)
        if store:
            store.write(tables.runs, tables.epochs)
    except FinetuneError as error:
        return TaskResult(error=error)
    except Exception as problem:
        return failed_task(problem)
    return trained_task(tables, stored=store is not None)


def trained_task(tables: TaskTables, *, stored: bool = False) -> TaskResult:
    """Return the result of a task that was trained, without the tables where they are stored."""
    return TaskResult(
        None if stored else tables,
        tables.rows_trained,
        len(tables.epochs),
        tables.notes,
        tables.network,
    )


def failed_task(problem: BaseException) -> TaskResult:
    """Return the result of a task that an exception ended, with the line where it arose."""
    message = describe_exception(problem)
    if len(message) > _LONGEST_MESSAGE:
        message = message[: _LONGEST_MESSAGE - 3] + "..."
    frames = traceback.extract_tb(problem.__traceback__)
    place = f" ({Path(frames[-1].filename).name}, line {frames[-1].lineno})" if frames else ""
    return TaskResult(failure=message + place)
