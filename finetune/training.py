"""Train what a store lacks: tasks go out, results come in as shards."""

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Annotated

from pydantic import ByteSize, Field, TypeAdapter, ValidationError

from finetune.errors import SpecError
from finetune.execution import Workers, worker_count
from finetune.plan import Block
from finetune.store import ResultStore


@dataclass(frozen=True)
class Options:
    """How a study is run; none of it changes a number.

    Attributes:
        workers: Local worker processes; default one a core, 0 for the calling process.
        address: A Dask scheduler to use instead.
        memory: Bytes that training may use beside the libraries, all workers together.
        command: The command that reproduces the study, for the report.
        on_note: Told, in words, what a user should know before training.
        on_plan: Told how many runs are stored and how many are to be trained.
        on_progress: Told how many runs are done, counting parts of runs.
    """

    workers: int | None = None
    address: str | None = None
    memory: int = 2 * 2**30
    command: str | None = None
    on_note: Callable[[str], None] = lambda text: None
    on_plan: Callable[[int, int], None] = lambda stored, missing: None
    on_progress: Callable[[float], None] = lambda done: None


DEFAULTS = Options()


@dataclass(frozen=True)
class Effort:
    """What was trained. Runs that share a row of weights share the epochs it was trained for."""

    runs_reused: int
    runs_trained: int
    row_epochs_trained: int
    run_epochs_delivered: int
    notes: tuple[str, ...]


def parse_memory(text: str) -> int:
    """Read a size such as 2GB, 500MB or 1.5GiB; give its bytes.

    Raises:
        SpecError: It is no size, or not more than 0.
    """
    try:
        return int(TypeAdapter(Annotated[ByteSize, Field(gt=0)]).validate_python(text))
    except ValidationError as error:
        raise SpecError(
            f"--memory: received {text!r}; allowed is a size above 0, as 2GB or 500MB"
        ) from error


def train_blocks(
    blocks: Sequence[Block],
    store: ResultStore,
    options: Options,
    *,
    workers: Workers | None = None,
) -> Effort:
    """Train every run of the blocks that the store does not hold, and store it.

    `workers` are those to use and leave running; without them some are started and ended.

    Raises:
        FinetuneError: a task failed; what other tasks finished before is stored.
    """
    count = worker_count(options.workers)
    tasks = [
        task
        for block in blocks
        for task in block.tasks(store, workers=count, memory=options.memory)
    ]
    wanted = sum(len(block.variants) * len(block.seeds) for block in blocks)
    missing = sum(len(task.runs) for task in tasks)
    options.on_plan(wanted - missing, missing)
    done = [0.0] * len(tasks)

    def progress(position: int, share: float) -> None:
        done[position] = max(done[position], share * len(tasks[position].runs))
        options.on_progress(sum(done))

    own = Workers(options.workers, options.address, at_most=len(tasks))
    row_epochs, run_epochs, notes = 0, 0, set()
    with nullcontext(workers) if workers else own as crew:
        for position, frames in crew.train(tasks, progress):
            store.write(frames.runs, frames.epochs)
            progress(position, 1.0)
            row_epochs += frames.rows_trained
            run_epochs += len(frames.epochs)
            notes |= set(frames.notes)
    return Effort(wanted - missing, missing, row_epochs, run_epochs, tuple(sorted(notes)))
