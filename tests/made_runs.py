"""Made-up results of training, in the form that engines give them."""

import numpy as np

from finetune.engines.base import METRICS, Frames, Task, Training, tabulate


def made_frames(task: Task) -> Frames:
    """Make results that, as real ones do, follow from recipe and seed alone.

    Runs differ in length, some cut their learning rate, and one in five has failed.
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
    curves["train_loss"][drawn() < 0.2, 0] = np.nan
    epochs_run = 1 + (drawn() * epochs).astype(int)
    return Training(
        curves=curves,
        learning_rate=after / np.where(cuts, 0.5, 1),
        next_learning_rate=after,
        epochs_run=epochs_run,
        best_epoch=(drawn() * epochs_run).astype(int),
        final={name: drawn() for name in METRICS},
        rows_trained=int(epochs_run.sum()),
    )
