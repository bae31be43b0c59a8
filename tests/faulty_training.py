"""Training that goes well or wrong, for executors; worker processes import it by its name."""

import os
import signal
import threading
import time
from pathlib import Path

from finetune.engines.base import ProgressCallback, Task, TaskTables
from finetune.errors import EngineError
from tests.made_runs import made_tables

# The task of this seed goes wrong.
FAULTY_SEED = 1


class UnreadableError(Exception):
    """Cannot be pickled, as exceptions of compiled libraries."""

    def __init__(self, words: str):
        super().__init__(words)
        self.lock = threading.Lock()


def train(task: Task, on_progress: ProgressCallback) -> TaskTables:
    on_progress(0.5)
    return made_tables(task)


def train_until_seen(folder: Path, task: Task, on_progress: ProgressCallback) -> TaskTables:
    """Wait until a file named like the task's seed is in the folder, as its reader puts it there.

    Beside it is the process id of what trained.
    """
    (folder / f"process-{os.getpid()}").touch()
    while not (folder / f"seen-{task.seeds[0]}").exists():
        on_progress(0.5)
        time.sleep(0.05)
    return made_tables(task)


def train_with_ticket(
    folder: Path, tickets: int, task: Task, on_progress: ProgressCallback
) -> TaskTables:
    """Train so many tasks, whichever come first; the others wait until there is a file `go`."""
    if not any(_take(folder / f"ticket-{number}") for number in range(tickets)):
        while not (folder / "go").exists():
            time.sleep(0.05)
    return made_tables(task)


def _take(ticket: Path) -> bool:
    try:
        ticket.touch(exist_ok=False)
    except FileExistsError:
        return False
    return True


def fail(task: Task, on_progress: ProgressCallback) -> TaskTables:
    if FAULTY_SEED in task.seeds:
        raise MemoryError("no room")
    return train(task, on_progress)


def fail_unreadably(task: Task, on_progress: ProgressCallback) -> TaskTables:
    if FAULTY_SEED in task.seeds:
        raise UnreadableError("no\nroom")
    return train(task, on_progress)


def refuse(task: Task, on_progress: ProgressCallback) -> TaskTables:
    if FAULTY_SEED in task.seeds:
        raise EngineError("variants.0: received this; allowed is that")
    return train(task, on_progress)


def die(task: Task, on_progress: ProgressCallback) -> TaskTables:
    if FAULTY_SEED in task.seeds:
        os.kill(os.getpid(), signal.SIGKILL)
    return train(task, on_progress)
