"""Made-up results of training, in the form that engines give them, and who makes them."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from finetune.engines.base import METRICS, Frames, Task, Training, tabulate

FAILED_SHARE = 0.2


def made_frames(task: Task) -> Frames:
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

    def workers(self, wanted=None, address=None, **options) -> "Executor":
        self.options = {"workers": wanted, "address": address}
        return self

    def __enter__(self) -> "Executor":
        return self

    def __exit__(self, *error: object) -> None: ...

    def train(self, tasks: list[Task], on_progress) -> Iterator[tuple[int, Frames]]:
        order = np.random.default_rng(len(tasks)).permutation(len(tasks)).tolist()
        for count, position in enumerate(order):
            if count == self.stop_after:
                raise KeyboardInterrupt
            task = tasks[position]
            on_progress(position, 0.5)
            self.trained += [(v.name, s, task.engine, task.replicate) for v, s in task.runs]
            yield position, made_frames(task)
