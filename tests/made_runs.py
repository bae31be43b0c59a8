"""Made-up results of training, in the form that engines give them, and who makes them."""

import gc
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from unittest.mock import patch

import numpy as np

from finetune.engines.base import METRICS, Task, TaskTables, Training, tabulate
from finetune.execution.task_result import TaskResult, failed_task, task_result

FAILED_SHARE = 0.2


def made_frames(task: Task) -> TaskTables:
    """Make results that, as real ones do, follow from recipe and seed alone.

    Some runs cut their learning rate, one in five has failed, and those that may stop early do.
    """
    return tabulate(task, _made_training(task))


def _made_training(task: Task) -> Training:
    epochs, dtype = task.spec.training.epochs, task.spec.training.dtype
    recipes = {v: task.spec.recipe(v, task.engine, replicate=task.replicate) for v in task.variants}
    rngs = [np.random.default_rng([int(recipes[v], 16), seed]) for v, seed in task.runs]

    def drawn(*shape: int) -> np.ndarray:
        return np.array([rng.random(shape) for rng in rngs]).astype(dtype).astype(float)

    cuts = drawn(epochs) < 0.2
    after = 0.01 * 0.5 ** cuts.cumsum(axis=1)
    curves = {name: drawn(epochs) for name in ("loss", *METRICS)}
    curves["train_loss"][drawn() < FAILED_SHARE, 0] = np.nan
    stops = np.array([v.early_stopping is not None for v, _ in task.runs])
    epochs_run = np.where(stops, 1 + (drawn() * epochs).astype(int), epochs)
    return Training(
        curves=curves,
        learning_rate=after / np.where(cuts, 0.5, 1),
        next_learning_rate=after,
        epochs_run=epochs_run,
        best_epoch=(drawn() * epochs_run).astype(int),
        final={name: drawn() for name in METRICS},
        rows_trained=int(epochs_run.sum()),
    )


@dataclass
class Executor:
    """Stands in for training: makes results up, out of order, until it is told to stop."""

    stop_after: int | None = None
    trained: list[tuple[str, int, str, int]] = field(default_factory=list)
    options: dict = field(default_factory=dict)

    failing: Callable[[Task], bool] = lambda task: False

    count = 2

    def workers(self, store, *, wanted=None, address=None, give_back=False, **_) -> "Executor":
        self.options = {"workers": wanted, "address": address, "give_back": give_back}
        return self

    def __enter__(self) -> "Executor":
        return self

    def __exit__(self, *error: object) -> None: ...

    def memory_each(self, memory: int) -> int:
        return memory

    def train(
        self, tasks: list[Task], on_progress
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
            yield position, task_result(made_frames(task))


@contextmanager
def made_up() -> Iterator[Executor]:
    """Stand in for training and drawing; studies then take a moment."""
    executor = Executor()
    with (
        patch("finetune.execution.training.Workers", executor.workers),
        # statsmodels collects garbage at every call, which takes long beside TensorFlow.
        patch.object(gc, "collect", lambda *generation: 0),
        # Drawing takes longer than all else together, and is tested elsewhere.
        patch("finetune.report.render.figure_files", lambda tables, *, names: {}),
    ):
        yield executor
