"""Made-up results of training, in the form that engines give them, and who makes them."""

import json
from collections.abc import Callable, Generator, Sequence

import numpy as np
import pyarrow.parquet as pq

from finetune.engines.base import Task, TaskTables
from finetune.engines.results import Training, measured, tabulate
from finetune.execution.base import Executor, TaskProgress
from finetune.execution.progress import Progress
from finetune.execution.task_result import TaskResult, failed_task, trained_task
from finetune.store.base import Store
from finetune.store.results import ResultStore
from finetune.store.shards import encoded, shard_names
from finetune.store.versions import numeric_versions

FAILED_SHARE = 0.2


def made_tables(task: Task, *, failed_share: float = FAILED_SHARE) -> TaskTables:
    """Make results that, as real ones do, follow from recipe and seed alone.

    Some runs cut their learning rate, one in five has failed, and those that may stop early do.
    """
    return tabulate(task, _made_training(task, failed_share))


def _made_training(task: Task, failed_share: float) -> Training:
    epochs, dtype = task.spec.training.epochs, task.spec.training.dtype
    recipes = {v: task.spec.recipe(v, task.engine, replicate=task.replicate) for v in task.variants}
    rngs = [np.random.default_rng([int(recipes[v], 16), seed]) for v, seed in task.runs]

    def drawn(*shape: int) -> np.ndarray:
        return np.array([rng.random(shape) for rng in rngs]).astype(dtype).astype(float)

    cuts = drawn(epochs) < 0.2
    after = 0.01 * 0.5 ** cuts.cumsum(axis=1)
    names = measured(task.spec.training)
    curves = {name: drawn(epochs) for name in ("loss", *names)}
    failed = drawn() < failed_share
    for name in ("loss", "train_loss"):
        curves[name][failed, 0] = np.nan
    stops = np.array([v.early_stopping is not None for v, _ in task.runs])
    epochs_run = np.where(stops, 1 + (drawn() * epochs).astype(int), epochs)
    return Training(
        curves=curves,
        learning_rate=after / np.where(cuts, 0.5, 1),
        next_learning_rate=after,
        epochs_run=epochs_run,
        best_epoch=(drawn() * epochs_run).astype(int),
        final={name: drawn() for name in names},
        rows_trained=int(epochs_run.sum()),
    )


class Recorded(Progress):
    """Keeps what it is called with.

    Attributes:
        notes: What a user should know.
        counts: Of each training, the runs that are stored and those to train.
        done: The runs that are done, at each update.
    """

    def __init__(self):
        self.notes: list[str] = []
        self.counts: list[tuple[int, int]] = []
        self.done: list[float] = []

    def note(self, text: str) -> None:
        self.notes.append(text)

    def begin(self, stored: int, missing: int) -> None:
        self.counts.append((stored, missing))

    def update(self, done: float) -> None:
        self.done.append(done)


def make_older(store: ResultStore, **versions: str) -> None:
    """Rewrite all that is stored as if other versions of these packages had trained it."""
    made_by = json.dumps(numeric_versions() | versions).encode()
    for name in shard_names(store.folder / "runs"):
        files = [store.folder / part / name for part in ("runs", "epochs")]
        tables = [encoded(pq.read_table(file).to_pandas(), made_by=made_by) for file in files]
        store.write_files(*tables)
        for file in files:
            file.unlink()


class MadeUpExecutor(Executor):
    """Makes results up instead of training, out of order, until it is to stop.

    Attributes:
        started: For how many tasks it was started before they were there.
        trained: Variant, seed, engine and replicate of each run that was made up.
        failed_share: The share of runs that have failed.
        failing: Which tasks fail at every try.
        stop_after: How many tasks are done before the user interrupts; None for all.
        chosen: The options of the command line that it was chosen for, if any.
    """

    slots = 2

    def __init__(self, *, failed_share: float = FAILED_SHARE):
        self.started: list[int] = []
        self.trained: list[tuple[str, int, str, int]] = []
        self.failed_share = failed_share
        self.failing: Callable[[Task], bool] = lambda task: False
        self.stop_after: int | None = None
        self.chosen: dict[str, object] = {}

    def start(self, tasks: int) -> None:
        self.started.append(tasks)

    def memory_per_task(self, memory: int) -> int:
        return memory

    def train(
        self, tasks: Sequence[Task], store: Store, on_progress: TaskProgress
    ) -> Generator[tuple[int, TaskResult], None, None]:
        order = np.random.default_rng(len(tasks)).permutation(len(tasks)).tolist()
        for count, position in enumerate(order):
            if count == self.stop_after:
                raise KeyboardInterrupt
            task = tasks[position]
            on_progress(position, 0.5)
            if self.failing(task):
                yield position, failed_task(MemoryError())
                continue
            self.trained += [(v.name, s, task.engine, task.replicate) for v, s in task.runs]
            yield position, trained_task(made_tables(task, failed_share=self.failed_share))
