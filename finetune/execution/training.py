"""Train what a store lacks: tasks go out, results come in as shards."""

import math
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import Annotated

from pydantic import ByteSize, Field, TypeAdapter, ValidationError

from finetune.engines.base import DEFAULT_MEMORY, Task
from finetune.errors import SpecError, TrainingError
from finetune.execution.base import Executor
from finetune.execution.in_process import InProcessExecutor
from finetune.execution.progress import SILENT, Progress
from finetune.models.summary import NetworkSummary
from finetune.planning.block import Block
from finetune.store.base import Store
from finetune.store.manifest import FailedTask


@dataclass(frozen=True)
class Options:
    """How a study is run; none of it changes a number.

    Attributes:
        executor: Trains the tasks; whoever made it ends it.
        progress: Shows how far training is.
        memory: Bytes that training may use beside the libraries: on this machine all workers
            together, on a cluster each of them.
        command: The command that reproduces the study, for the report.
        figures: Whether the report has figures.
    """

    executor: Executor = field(default_factory=InProcessExecutor)
    progress: Progress = SILENT
    memory: int = DEFAULT_MEMORY
    command: str | None = None
    figures: bool = True


@dataclass(frozen=True)
class TrainingSummary:
    """What was trained. Runs that share a row of weights share the epochs it was trained for.

    `network` is None where nothing was.
    """

    runs_reused: int = 0
    runs_trained: int = 0
    row_epochs_trained: int = 0
    run_epochs_delivered: int = 0
    notes: tuple[str, ...] = ()
    network: NetworkSummary | None = None
    failures: tuple[FailedTask, ...] = ()

    def followed_by(self, other: "TrainingSummary") -> "TrainingSummary":
        """Return what both trained together."""
        return TrainingSummary(
            runs_reused=self.runs_reused + other.runs_reused,
            runs_trained=self.runs_trained + other.runs_trained,
            row_epochs_trained=self.row_epochs_trained + other.row_epochs_trained,
            run_epochs_delivered=self.run_epochs_delivered + other.run_epochs_delivered,
            notes=tuple(sorted({*self.notes, *other.notes})),
            network=self.network or other.network,
            failures=(*self.failures, *other.failures),
        )

    def raise_failures(self) -> None:
        """Raise TrainingError where a task failed; it names the first."""
        if self.failures:
            count = len(self.failures)
            raise TrainingError(
                f"{count} {'task' if count == 1 else 'tasks'} failed at every try; "
                f"{self.failures[0]}; the others are stored: run the same command to try again"
            )


def parse_memory(size: int | str) -> int:
    """Return the bytes of a size such as 2GB, 500MB or 1.5GiB, or of a number of bytes.

    Raises:
        SpecError: It is no size, or not more than 0.
    """
    try:
        return int(TypeAdapter(Annotated[ByteSize, Field(gt=0)]).validate_python(size))
    except ValidationError as error:
        raise SpecError(
            f"--memory: received {size!r}; allowed is a size above 0, as 2GB or 500MB"
        ) from error


def train_blocks(blocks: Sequence[Block], store: Store, options: Options) -> TrainingSummary:
    """Train every run of the blocks that the store does not hold, and store it.

    A task that fails at every try is among the summary's failures, and the others go on.

    Raises:
        FinetuneError: Something that the user can mend; what was finished before is stored.
    """
    tasks = _missing_tasks(blocks, store, options)
    wanted = sum(block.n_runs for block in blocks)
    missing = sum(len(task.runs) for task in tasks)
    options.progress.begin(wanted - missing, missing)
    return _train(tasks, store, options, reused=wanted - missing)


def _missing_tasks(blocks: Sequence[Block], store: Store, options: Options) -> list[Task]:
    missing = [_count_missing(block, store) for block in blocks]
    # Where nothing is missing no cluster is connected to, as its slots would need.
    if not any(missing):
        return []
    slots, memory = options.executor.slots, options.executor.memory_per_task(options.memory)
    # Each block is cut for its share of the workers: a dozen runs take as long as one does, and a
    # small check, cut for every worker, would take as long on each.
    shares = [math.ceil(slots * count / sum(missing)) for count in missing]
    return [
        task
        for block, share in zip(blocks, shares, strict=True)
        if share
        for task in block.tasks(store, workers=share, memory=memory)
    ]


def _count_missing(block: Block, store: Store) -> int:
    return sum(map(len, store.missing(block.recipes, block.seeds).values()))


def _train(
    tasks: Sequence[Task], store: Store, options: Options, *, reused: int
) -> TrainingSummary:
    done = [0.0] * len(tasks)

    def update(position: int, share: float) -> None:
        done[position] = max(done[position], share * len(tasks[position].runs))
        options.progress.update(sum(done))

    trained, failures = [], []
    with closing(options.executor.train(tasks, store, update)) as results:
        for position, result in results:
            task = tasks[position]
            update(position, 1.0)
            if result.failure:
                failures.append(_failed(task, result.failure))
                options.progress.note(f"Not trained: {failures[-1]}; the others go on")
                continue
            if result.tables:
                store.write(result.tables.runs, result.tables.epochs)
            trained.append((len(task.runs), result._replace(tables=None)))
    return TrainingSummary(
        runs_reused=reused,
        runs_trained=sum(runs for runs, _ in trained),
        row_epochs_trained=sum(result.row_epochs for _, result in trained),
        run_epochs_delivered=sum(result.run_epochs for _, result in trained),
        notes=tuple(sorted({note for _, result in trained for note in result.notes})),
        network=next((result.network for _, result in trained if result.network), None),
        failures=tuple(failures),
    )


def _failed(task: Task, reason: str) -> FailedTask:
    names = tuple(variant.name for variant in task.variants)
    return FailedTask(variants=names, seeds=task.seeds, reason=reason)
