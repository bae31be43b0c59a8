"""Train what a store lacks: tasks go out, results come in as shards."""

from collections.abc import Callable, Sequence
from contextlib import closing, nullcontext
from dataclasses import dataclass
from typing import Annotated

from pydantic import ByteSize, Field, TypeAdapter, ValidationError

from finetune.engines.base import Task
from finetune.errors import SpecError, TrainingError
from finetune.execution.workers import Workers
from finetune.planning.block import Block
from finetune.store.results import ResultStore


@dataclass(frozen=True)
class Options:
    """How a study is run; none of it changes a number.

    Attributes:
        workers: Local worker processes; default one a core, 0 for the calling process.
        address: A Dask scheduler to use instead.
        return_results: The scheduler's workers give results back instead of writing to the store.
        memory: Bytes that training may use beside the libraries: on this machine all workers
            together, on a cluster each of them.
        command: The command that reproduces the study, for the report.
        on_note: Told, in words, what a user should know before training.
        on_plan: Told how many runs are stored and how many are to be trained.
        on_progress: Told how many runs are done, counting parts of runs.
    """

    workers: int | None = None
    address: str | None = None
    return_results: bool = False
    memory: int = 2 * 2**30
    command: str | None = None
    on_note: Callable[[str], None] = lambda text: None
    on_plan: Callable[[int, int], None] = lambda stored, missing: None
    on_progress: Callable[[float], None] = lambda done: None


DEFAULTS = Options()


@dataclass(frozen=True)
class Failure:
    """Runs that were not trained, since their task failed at every try; run again to try again."""

    variants: tuple[str, ...]
    seeds: tuple[int, ...]
    reason: str

    def __str__(self) -> str:
        first, last = self.seeds[0], self.seeds[-1]
        seeds = f"seed {first}" if first == last else f"{len(self.seeds)} seeds, {first} to {last}"
        names = ", ".join(map(repr, self.variants[:3]))
        more = f" and {len(self.variants) - 3} more variants" if len(self.variants) > 3 else ""
        return f"{names}{more} at {seeds}: {self.reason}"


@dataclass(frozen=True)
class TrainingSummary:
    """What was trained. Runs that share a row of weights share the epochs it was trained for."""

    runs_reused: int
    runs_trained: int
    row_epochs_trained: int
    run_epochs_delivered: int
    notes: tuple[str, ...]
    failures: tuple[Failure, ...] = ()

    def demand_all(self) -> None:
        """Go on only if no task failed.

        Raises:
            TrainingError: some did; the first is told.
        """
        if self.failures:
            count = len(self.failures)
            raise TrainingError(
                f"{count} {'task' if count == 1 else 'tasks'} failed at every try; "
                f"{self.failures[0]}; the others are stored: run the same command to try again"
            )


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


def workers_for(store: ResultStore, options: Options) -> Workers:
    """Give the workers that the options ask for: a context, with which they end."""
    return Workers(
        store,
        wanted=options.workers,
        address=options.address,
        give_back=options.return_results,
        on_note=options.on_note,
    )


def train_blocks(
    blocks: Sequence[Block],
    store: ResultStore,
    options: Options,
    *,
    workers: Workers | None = None,
) -> TrainingSummary:
    """Train every run of the blocks that the store does not hold, and store it.

    A task that fails at every try is told in `Effort.failures`, and the others go on.

    `workers` are those to use and leave running; without them some are started and ended.

    Raises:
        FinetuneError: Something that the user can mend; what was finished before is stored.
    """
    with nullcontext(workers) if workers else workers_for(store, options) as crew:
        # Asked once: a cluster's scheduler is asked for it.
        count, memory = crew.count, crew.memory_each(options.memory)
        tasks = [
            task for block in blocks for task in block.tasks(store, workers=count, memory=memory)
        ]
        wanted = sum(len(block.variants) * len(block.seeds) for block in blocks)
        missing = sum(len(task.runs) for task in tasks)
        options.on_plan(wanted - missing, missing)
        return _train(tasks, store, options, workers=crew, reused=wanted - missing)


def _train(
    tasks: Sequence[Task],
    store: ResultStore,
    options: Options,
    *,
    workers: Workers,
    reused: int,
) -> TrainingSummary:
    done = [0.0] * len(tasks)

    def progress(position: int, share: float) -> None:
        done[position] = max(done[position], share * len(tasks[position].runs))
        options.on_progress(sum(done))

    row_epochs, run_epochs, trained, notes, failures = 0, 0, 0, set(), []
    with closing(workers.train(tasks, progress)) as deliveries:
        for position, delivery in deliveries:
            task = tasks[position]
            progress(position, 1.0)
            if delivery.failure:
                failures.append(_failure(task, delivery.failure))
                options.on_note(f"Not trained: {failures[-1]}; the others go on")
                continue
            if delivery.frames:
                store.write(delivery.frames.runs, delivery.frames.epochs)
            trained += len(task.runs)
            row_epochs += delivery.rows_trained
            run_epochs += delivery.run_epochs
            notes |= set(delivery.notes)
    return TrainingSummary(
        reused, trained, row_epochs, run_epochs, tuple(sorted(notes)), tuple(failures)
    )


def _failure(task: Task, reason: str) -> Failure:
    return Failure(tuple(variant.name for variant in task.variants), task.seeds, reason)
