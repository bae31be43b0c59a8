"""Results of training: what an engine measures, and the tables that the store keeps."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from finetune.engines.base import Task, TaskTables
from finetune.spec.metrics import metric_columns
from finetune.spec.training import Curves, TrainingSpec

METRICS = ("train_loss", "train_accuracy", "val_loss", "val_accuracy", "test_loss", "test_accuracy")


def measured(training: TrainingSpec) -> tuple[str, ...]:
    """Return what is measured after each epoch: `METRICS`, then the study's further metrics."""
    return (*METRICS, *metric_columns(training.metrics or ()))


@dataclass(frozen=True)
class Training:
    """What training a task measured; the run axis follows `Task.runs`.

    Attributes:
        curves: `loss` and all that is `measured`, each (run, epoch): after each epoch.
        learning_rate: (run, epoch), in use during each epoch.
        next_learning_rate: (run, epoch), as the policies left it after each epoch.
        epochs_run: (run,), epochs trained; later entries of the curves are not read.
        best_epoch: (run,), whose weights early stopping kept, else that of lowest `val_loss`.
        final: All that is `measured`, each (run,), for the weights the run ends with.
        rows_trained: Epochs that rows of weights were trained for.
        notes: Sentences for the user on how it was done.
    """

    curves: Mapping[str, np.ndarray]
    learning_rate: np.ndarray
    next_learning_rate: np.ndarray
    epochs_run: np.ndarray
    best_epoch: np.ndarray
    final: Mapping[str, np.ndarray]
    rows_trained: int
    notes: tuple[str, ...] = ()

    def noting(self, notes: Iterable[str]) -> "Training":
        """Return it with further notes."""
        return replace(self, notes=(*self.notes, *notes))


def tabulate(task: Task, training: Training) -> TaskTables:
    """Turn what was measured into tables with the columns that the store keeps.

    A run in which a loss became NaN or infinite has the status "failed"; its numbers stay.
    """
    epochs = np.arange(training.learning_rate.shape[1])
    trained = epochs < training.epochs_run[:, None]
    keys = _keys(task)
    runs = _run_table(keys, training, trained, curves=task.curves)
    run, epoch = np.nonzero(trained)
    # The curves are float64 here; those of a float32 study hold no more than float32 does.
    dtype = task.spec.training.dtype
    curves = {name: v[run, epoch].astype(dtype) for name, v in training.curves.items()}
    long = keys.iloc[run].reset_index(drop=True)
    long = long.assign(
        epoch=epoch.astype(np.int32), **curves, learning_rate=training.learning_rate[run, epoch]
    )
    return TaskTables(runs, long, training.rows_trained, training.notes)


def _run_table(
    keys: pd.DataFrame, training: Training, trained: np.ndarray, *, curves: Curves
) -> pd.DataFrame:
    """Build the table with a row a run; `trained` is (run, epoch), the epochs that it lasted."""
    cut = trained & (training.next_learning_rate < training.learning_rate)
    return keys.assign(
        status=np.where(_finite(training, trained, curves=curves), "ok", "failed"),
        **training.final,
        epochs_run=training.epochs_run,
        best_epoch=training.best_epoch,
        lr_reductions=cut.sum(axis=1),
        first_reduction_epoch=pd.array(
            [int(row.argmax()) if row.any() else pd.NA for row in cut], dtype="Int64"
        ),
        final_lr=training.next_learning_rate[np.arange(len(keys)), training.epochs_run - 1],
    )


def _keys(task: Task) -> pd.DataFrame:
    names = [variant.name for variant in task.variants]
    recipes = [task.recipe(variant) for variant in task.variants]
    codes = np.tile(np.arange(len(task.variants)), len(task.seeds))
    return pd.DataFrame(
        {
            "recipe": pd.Categorical.from_codes(codes, recipes),
            "variant": pd.Categorical.from_codes(codes, names),
            "seed": np.repeat(np.array(task.seeds, np.int64), len(task.variants)),
        }
    )


def _finite(training: Training, trained: np.ndarray, *, curves: Curves) -> np.ndarray:
    names = ("train_loss", "val_loss", "test_loss") if curves == "all" else ("loss", "val_loss")
    losses: Sequence[np.ndarray] = [
        *(np.where(trained, training.curves[name], 0.0).sum(axis=1) for name in names),
        *(training.final[name] for name in ("train_loss", "test_loss")),
    ]
    return np.asarray(np.isfinite(losses).all(axis=0))


def lowest(values: np.ndarray) -> np.ndarray:
    """Return the position of the lowest value of each row, (run,); NaN counts as infinite."""
    return np.where(np.isnan(values), np.inf, values).argmin(axis=1)


def join(trainings: Sequence[Training]) -> Training:
    """Join trainings along the run axis; curves of fewer epochs are filled up with NaN."""
    width = max(training.learning_rate.shape[1] for training in trainings)

    def flat(pick: Callable[[Training], np.ndarray]) -> np.ndarray:
        return np.concatenate([pick(training) for training in trainings])

    def curve(pick: Callable[[Training], np.ndarray]) -> np.ndarray:
        def filled(values: np.ndarray) -> np.ndarray:
            return np.pad(values, [(0, 0), (0, width - values.shape[1])], constant_values=np.nan)

        return np.concatenate([filled(pick(training)) for training in trainings])

    return Training(
        curves={name: curve(lambda t, n=name: t.curves[n]) for name in trainings[0].curves},
        learning_rate=curve(lambda t: t.learning_rate),
        next_learning_rate=curve(lambda t: t.next_learning_rate),
        epochs_run=flat(lambda t: t.epochs_run),
        best_epoch=flat(lambda t: t.best_epoch),
        final={name: flat(lambda t, n=name: t.final[n]) for name in trainings[0].final},
        rows_trained=sum(training.rows_trained for training in trainings),
        notes=tuple(sorted({note for training in trainings for note in training.notes})),
    )
