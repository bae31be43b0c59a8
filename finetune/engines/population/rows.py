"""Rows: the distinct trajectories of a population, and which of them each run is on."""

from collections.abc import Callable

import numpy as np

from finetune.engines.population.state import State, take


class Rows:
    """Weights, seed and learning rate of every row, and the row of every run.

    Args:
        state: A row for each seed.
        runs_per_seed: Number of runs that begin on each.
        padded: How many rows to have where so many are distinct; the last one is repeated.

    Attributes:
        state: Weights and all else that training changes, each (row, ...).
        seed: (row,), position of each row's seed in the task.
        learning_rate: (row,), in use by each row; set by `regroup`.
        of_run: (run,), the row each run is on, while it goes on.
        distinct: Number of rows, without the repeated ones at the end.
    """

    def __init__(self, state: State, *, runs_per_seed: int, padded: Callable[[int], int]):
        self.state, self._padded = state, padded
        self.distinct = len(state.weights[0])
        self.seed = np.arange(self.distinct)
        self.learning_rate = np.full(self.distinct, np.nan)
        self.of_run = np.repeat(self.seed, runs_per_seed)

    def regroup(self, wanted: np.ndarray, runs: np.ndarray, *, share: bool) -> None:
        """Put runs that go on with different learning rates on different rows; drop unused rows.

        Args:
            wanted: (run,), the learning rate that each run goes on with.
            runs: Positions of the runs that go on; at least one.
            share: Whether runs on one row that agree stay on one row.
        """
        # A row to be is a row that was and a learning rate: runs stay together exactly where both
        # agree, so that a fork is a row copied for a second rate.
        keys = [self.of_run[runs], wanted[runs]] + ([] if share else [runs])
        rows, self.of_run[runs] = np.unique(np.stack(keys, axis=1), axis=0, return_inverse=True)
        self.distinct = len(rows)
        missing = self._padded(len(rows)) - len(rows)
        rows = np.concatenate([rows, np.repeat(rows[-1:], missing, axis=0)])
        source, self.learning_rate = rows[:, 0].astype(int), rows[:, 1]
        # Most epochs neither fork nor end a run, and would copy all weights in vain.
        if not np.array_equal(source, np.arange(len(self.seed))):
            self.seed = self.seed[source]
            self.state = take(self.state, source)
