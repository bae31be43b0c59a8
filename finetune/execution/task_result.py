"""What a worker does with a task: it trains it and hands over what came out."""

import threading
import traceback
from pathlib import Path
from typing import NamedTuple

from finetune.engines.base import ProgressCallback, Task, TaskTables
from finetune.engines.registry import engine
from finetune.errors import FinetuneError, in_words
from finetune.store.results import ResultStore

# A message of TensorFlow's may list the whole graph.
_LONGEST = 300

# Keras keeps settings a process, so that two tasks at once would disturb each other.
_ONE_AT_A_TIME = threading.Lock()


class TaskResult(NamedTuple):
    """What came of one task.

    Attributes:
        frames: Its results; None where the worker has put them into the store.
        rows_trained: Epochs that rows of weights were trained for.
        run_epochs: Epochs of runs, which share rows.
        notes: What the user should know of how it was done.
        error: What the user can mend, and what would meet every other task too.
        failure: What went wrong with this task alone, in one line.
        warning: What slows the worker down; "" where nothing does.
    """

    frames: TaskTables | None = None
    rows_trained: int = 0
    run_epochs: int = 0
    notes: tuple[str, ...] = ()
    error: FinetuneError | None = None
    failure: str | None = None
    warning: str = ""


def train_task(task: Task, store: Path | None, report: ProgressCallback) -> TaskResult:
    """Train a task, and write its results to the store; without one they are given back.

    It raises nothing: an exception may be of a class, or hold what, no other process can read.
    """
    try:
        with _ONE_AT_A_TIME:
            frames = engine(task.engine).train(task, report)
        if store:
            ResultStore(store).write(frames.runs, frames.epochs)
    except FinetuneError as error:
        return TaskResult(error=error)
    except Exception as problem:
        return failed_task(problem)
    return task_result(frames, given_back=store is None)


def task_result(frames: TaskTables, *, given_back: bool = True) -> TaskResult:
    """Give the delivery of results, with the results themselves or without."""
    return TaskResult(
        frames if given_back else None, frames.rows_trained, len(frames.epochs), frames.notes
    )


def failed_task(problem: BaseException) -> TaskResult:
    """Give the delivery of a task that an exception ended, which is told with where it arose."""
    said = in_words(problem)
    short = said if len(said) <= _LONGEST else said[: _LONGEST - 3] + "..."
    frames = traceback.extract_tb(problem.__traceback__)
    place = f" ({Path(frames[-1].filename).name}, line {frames[-1].lineno})" if frames else ""
    return TaskResult(failure=short + place)
