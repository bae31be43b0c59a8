"""Training a task as a population: epoch by epoch, rows train and the policies decide."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby

import numpy as np
import tensorflow as tf

from finetune.engines.base import ProgressCallback, Task, TaskTables
from finetune.engines.population.graph import PopulationGraph
from finetune.engines.population.groups import in_groups, measure
from finetune.engines.population.rows import Rows
from finetune.engines.population.state import Data, SplitTensors
from finetune.engines.problem import Prepared, Problem, SeedData
from finetune.engines.results import Training, join, lowest, measured, tabulate
from finetune.models.metrics import check_monitored
from finetune.models.precision import precision
from finetune.policies.variants import VariantPolicies
from finetune.spec.metrics import in_target_unit
from finetune.spec.variants import VariantSpec


class PopulationTrainer:
    """Trains the runs of a task together, forking rows where their policies disagree.

    Keeps the traced graph for the next task of its problem.

    Args:
        share: See `PopulationEngine`.
    """

    def __init__(self, *, share: bool):
        self._share = share
        self._graph = Prepared(PopulationGraph)

    def train(self, task: Task, progress: ProgressCallback) -> TaskTables:
        """Train every run of the task."""
        with precision(task.spec.training.dtype):
            graph = self._graph.for_problem(task.spec)
            check_monitored(graph.problem.spec, task.variants)
            trained, before = [], 0
            for small in _within_memory(task, graph):
                for one, inputs in _load(small, graph.problem):
                    population = _Population(one, graph, inputs, share=self._share)
                    begin, part = (n / len(task.seeds) for n in (before, len(one.seeds)))
                    trained.append(population.train(lambda s, b=begin, p=part: progress(b + s * p)))
                    before += len(one.seeds)
        notes = graph.initial_notes(task.variants)
        return tabulate(task, join(trained).noting(notes))._replace(network=graph.network)


def _within_memory(task: Task, graph: PopulationGraph) -> Iterator[Task]:
    """Split a task by seeds into tasks that fit the memory it may use, of at least one seed."""
    problem, epochs = graph.problem, task.spec.training.epochs
    # The curves, two learning rates and a temporary copy in float64; the order in int32.
    curves = 8 * (4 + len(measured(problem.spec.training))) * epochs * len(task.variants)
    order = 4 * epochs * problem.training_rows
    data = problem.bytes_of_data if problem.data_varies else 0
    most, step = graph.sizes.most, graph.bytes_of_step()
    # In the worst case every run of a seed ends on a row of its own.
    row = graph.bytes_of_state() + (0 if most else step)
    seed = len(task.variants) * row + curves + order + data
    size = max(1, (task.memory - (most or 0) * step) // seed)
    for start in range(0, len(task.seeds), size):
        yield replace(task, seeds=task.seeds[start : start + size])


class _Inputs:
    """What the seeds of a task train on.

    Attributes:
        data: All data sets: one for each seed, or a single one that all seeds share.
        sets: int32, (seed,): the data set of each seed.
        target_scale: (seed,): `SeedData.target_scale` of its data set.
        orders: int32, (seed, epoch, training row): its batch orders.
    """

    def __init__(self, task: Task, problem: Problem, sets: Sequence[SeedData]):
        self.data = SplitTensors(*(_stacked(sets, split) for split in SplitTensors._fields))
        weights = [w for one in sets if (w := problem.row_weights(one.train)) is not None]
        if weights:
            train = self.data.train._replace(weight=tf.constant(np.stack(weights)))
            self.data = self.data._replace(train=train)
        self.sets = np.arange(len(task.seeds), dtype=np.int32) * problem.data_varies
        rows = len(sets[0].train.y)
        self.target_scale = np.array([data.target_scale for data in sets])[self.sets]
        self.orders = np.stack(
            [
                problem.order(
                    s,
                    rows=rows,
                    epochs=task.spec.training.epochs,
                    replicate=task.replicate,
                )
                for s in task.seeds
            ]
        )


def _load(task: Task, problem: Problem) -> list[tuple[Task, _Inputs]]:
    """Load what a task trains on; return it with its task.

    Seeds that differ in their numbers of rows, as splits by groups do, come as several tasks.
    """
    if not problem.data_varies:
        return [(task, _Inputs(task, problem, [problem.data(task.seeds[0])]))]

    def sizes(pair: tuple[int, SeedData]) -> list[int]:
        return [len(split.y) for split in (pair[1].train, pair[1].val, pair[1].test)]

    parts = []
    for _, pairs in groupby([(seed, problem.data(seed)) for seed in task.seeds], sizes):
        seeds, sets = zip(*pairs, strict=True)
        one = replace(task, seeds=seeds)
        parts.append((one, _Inputs(one, problem, sets)))
    return parts


class _Population:
    """The runs of one task in training."""

    def __init__(self, task: Task, graph: PopulationGraph, inputs: _Inputs, *, share: bool):
        training, problem = task.spec.training, graph.problem
        self._graph, self._share = graph, share
        self._dtype = np.dtype(training.dtype)
        self._inputs = inputs
        self._steps = -(-self._inputs.orders.shape[-1] // training.batch_size)
        self._all_splits = task.curves == "all" or not all(
            map(_needs_validation_alone, task.variants)
        )
        self._policies = VariantPolicies([variant for variant, _ in task.runs])
        runs, epochs = len(task.runs), training.epochs
        self._active = np.ones(runs, bool)
        base = np.array([task.learning_rate(variant) for variant, _ in task.runs])
        self._rate = self._cast(self._policies.first_learning_rate(self._cast(base)))
        self._rows = Rows(
            graph.start([graph.initial_values(s, replicate=task.replicate) for s in task.seeds]),
            runs_per_seed=len(task.variants),
            padded=graph.sizes.padded,
        )
        names = ("loss", *measured(problem.spec.training))
        self._curves = {name: np.full((runs, epochs), np.nan) for name in names}
        self._rates = np.full((runs, epochs), np.nan)
        self._next_rates = np.full((runs, epochs), np.nan)
        self._epochs_run = np.zeros(runs, int)
        self._rows_trained = 0
        # What trains an epoch, by the splits on which it evaluates.
        arguments = {"state": self._rows.state, "data": inputs.data, **self._by_row(0)}
        self._traced = {
            splits: graph.trace(**arguments, splits=splits)
            for splits in (self._splits(0), self._splits(epochs - 1))
        }

    def train(self, progress: ProgressCallback) -> Training:
        """Train until every run has ended."""
        epochs = self._rates.shape[1]
        self._measure_sizes()
        for epoch in range(epochs):
            progress(epoch / epochs)
            # Before the epoch, not after it: runs that have ended then need no row.
            self._rows.regroup(self._rate, np.flatnonzero(self._active), share=self._share)
            self._record(epoch, self._train_rows(epoch))
            self._decide(epoch)
            if not self._active.any():
                break
        return self._result()

    def _train_rows(self, epoch: int) -> dict[str, np.ndarray]:
        """Train every row for one epoch; return what it measures then, each (row,)."""
        rows, inputs = self._rows, self._inputs
        self._rows_trained += rows.distinct
        rows.state, values = in_groups(
            self._traced[self._splits(epoch)],
            self._graph.sizes.split(len(rows.seed)),
            rows.state,
            inputs.data,
            self._by_row(epoch),
        )
        scale = inputs.target_scale[rows.seed]
        units = {name: scale if in_target_unit(name) else 1.0 for name in values}
        return {name: value.numpy() * units[name] for name, value in values.items()}

    def _splits(self, epoch: int) -> tuple[str, ...]:
        """Return the splits to evaluate after an epoch: those whose numbers something reads."""
        if self._all_splits or epoch == self._rates.shape[1] - 1:
            return SplitTensors._fields
        return ("val",)

    def _by_row(self, epoch: int) -> dict[str, tf.Tensor]:
        """Return what an epoch of the graph takes beside the state and the data."""
        rows, inputs = self._rows, self._inputs
        return {
            "sets": tf.constant(inputs.sets[rows.seed]),
            "order": tf.constant(inputs.orders[rows.seed, epoch]),
            "learning_rate": tf.constant(rows.learning_rate, self._dtype),
            "iterations": tf.constant(epoch * self._steps, tf.int64),
        }

    def _measure_sizes(self) -> None:
        """Measure how many rows a call should train, where that is worth its time."""
        graph, (runs, epochs) = self._graph, self._rates.shape
        if sizes := graph.sizes.to_measure(runs * epochs, runs):
            self._rows.regroup(self._rate, np.arange(runs), share=self._share)
            arguments = (self._rows.state, self._inputs.data, self._by_row(0))
            graph.sizes.learn(measure(self._traced[self._splits(0)], sizes, *arguments))

    def _record(self, epoch: int, found: dict[str, np.ndarray]) -> None:
        active = self._active
        for name, values in found.items():
            self._curves[name][active, epoch] = values[self._rows.of_run[active]]
        self._rates[active, epoch] = self._rate[active]
        self._epochs_run[active] = epoch + 1

    def _decide(self, epoch: int) -> None:
        # Runs that have ended are in these arrays too; the policies leave them as they are.
        logs = {name: values[:, epoch] for name, values in self._curves.items()}
        step = self._policies.update(epoch, logs, self._rate, active=self._active)
        self._rate = np.where(self._active, self._cast(step.learning_rate), self._rate)
        self._next_rates[self._active, epoch] = self._rate[self._active]
        self._active = self._active & ~step.stop

    def _result(self) -> Training:
        runs = np.arange(len(self._rate))
        # Early stopping with restored weights changes no weight before it stops: what its run ends
        # with was measured when the trajectory passed its best epoch.
        final = self._policies.final_epoch(self._epochs_run - 1)
        return Training(
            curves=self._curves,
            learning_rate=self._rates,
            next_learning_rate=self._next_rates,
            epochs_run=self._epochs_run,
            best_epoch=self._policies.best_epoch(lowest(self._curves["val_loss"])),
            final={
                name: self._curves[name][runs, final]
                for name in measured(self._graph.problem.spec.training)
            },
            rows_trained=self._rows_trained,
            notes=self._graph.notes,
        )

    def _cast(self, learning_rate: np.ndarray) -> np.ndarray:
        """Round as Keras does on assigning a learning rate to the optimizer's variable."""
        return learning_rate.astype(self._dtype).astype(np.float64)


def _needs_validation_alone(variant: VariantSpec) -> bool:
    """Return whether a variant trains to the last epoch, and monitors no other split.

    The running mean of the batch losses is there anyway.
    """
    monitored = variant.reduce_lr.monitor if variant.reduce_lr else "loss"
    return variant.early_stopping is None and (monitored == "loss" or monitored[:4] == "val_")


def _stacked(sets: Sequence[SeedData], split: str) -> Data:
    arrays = [getattr(data, split) for data in sets]
    x, y = (
        tf.nest.map_structure(lambda *each: tf.constant(np.stack(each)), *values)
        for values in ([a.x for a in arrays], [a.y for a in arrays])
    )
    return Data(x, y)
