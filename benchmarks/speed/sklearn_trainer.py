"""scikit-learn's network of the same size: the same steps, but nothing measured in between."""

import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier

from benchmarks.speed.trainer import Trained, shortened
from finetune.data.splits import load_splits
from finetune.engines.base import Task


class SklearnTrainer:
    """Fits one `MLPClassifier` a run for all epochs; there are no callbacks."""

    def prepare(self, task: Task) -> None:
        """Fit once: nothing is compiled, but libraries are loaded at first use."""
        self.train(shortened(task, 1))

    def train(self, task: Task) -> Trained:
        """Fit every run of the task."""
        rows = load_splits(task.spec.data, 0, vary=task.spec.vary).train
        assert isinstance(rows.x, np.ndarray)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            for _, seed in task.runs:
                _network(task, seed).fit(rows.x.astype("float32"), rows.y)
        run_epochs = len(task.runs) * task.spec.training.epochs
        return Trained(run_epochs, run_epochs)


def _network(task: Task, seed: int) -> MLPClassifier:
    training = task.spec.training
    return MLPClassifier(
        hidden_layer_sizes=task.spec.model.hidden,
        solver="adam",
        alpha=0.0,
        batch_size=training.batch_size,  # pyright: ignore[reportArgumentType]
        learning_rate_init=training.optimizer.learning_rate,
        max_iter=training.epochs,
        tol=0.0,
        n_iter_no_change=training.epochs + 1,
        random_state=seed,
    )
