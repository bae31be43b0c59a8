"""Simulated training: results are drawn at random, so that a study takes a moment."""

from collections.abc import Generator, Sequence

import numpy as np

from finetune.cli.training import Services
from finetune.engines.base import Task, TaskTables
from finetune.engines.results import METRICS, Training, tabulate
from finetune.execution.base import Executor, TaskProgress
from finetune.execution.task_result import TaskResult, trained_task
from finetune.store.base import Store


class SimulatedExecutor(Executor):
    """Draws a run's results from its recipe and seed, which they follow from as real ones do."""

    @property
    def slots(self) -> int:
        """Two, so that tasks are cut as for two worker processes."""
        return 2

    def memory_per_task(self, memory: int) -> int:
        """Return all of the memory."""
        return memory

    def train(
        self, tasks: Sequence[Task], store: Store, on_progress: TaskProgress
    ) -> Generator[tuple[int, TaskResult], None, None]:
        """Simulate tasks in their order."""
        for position, task in enumerate(tasks):
            yield position, trained_task(_simulate(task))


# Given to the command line, so that its commands simulate training and draw no figures.
SIMULATED = Services(choose_executor=lambda *wanted, **how: SimulatedExecutor(), figures=False)


def _simulate(task: Task) -> TaskTables:
    epochs = task.spec.training.epochs
    recipes = {v: task.spec.recipe(v, task.engine, replicate=task.replicate) for v in task.variants}
    rngs = [np.random.default_rng([int(recipes[v], 16), seed]) for v, seed in task.runs]

    def draw(*shape: int) -> np.ndarray:
        """Draw from 0 to 1, (run, *shape)."""
        return np.array([rng.random(shape) for rng in rngs]).astype("float32").astype(float)

    cuts = draw(epochs) < 0.2
    after = 0.01 * 0.5 ** cuts.cumsum(axis=1)
    stops = np.array([v.early_stopping is not None for v, _ in task.runs])
    epochs_run = np.where(stops, 1 + (draw() * epochs).astype(int), epochs)
    training = Training(
        curves={name: draw(epochs) for name in ("loss", *METRICS)},
        learning_rate=after / np.where(cuts, 0.5, 1),
        next_learning_rate=after,
        epochs_run=epochs_run,
        best_epoch=(draw() * epochs_run).astype(int),
        final={name: draw() for name in METRICS},
        rows_trained=int(epochs_run.sum()),
    )
    return tabulate(task, training)
