"""The population engine, called as a worker process of a study calls it."""

from benchmarks.speed.arithmetic import network_operations
from benchmarks.speed.methods import EVERYTHING
from benchmarks.speed.trainer import LOSSES, Trained, shortened
from finetune.engines.base import Task
from finetune.engines.keras_problem import KerasProblem
from finetune.engines.population import PopulationEngine
from finetune.engines.problem import Problem
from finetune.models.precision import precision


class PopulationTrainer:
    """The population engine; without `share` in lockstep: every run has a row of its own."""

    def __init__(self, *, share: bool):
        self._engine = PopulationEngine(share=share)

    def prepare(self, task: Task) -> None:
        """Trace the graph, which serves any number of rows."""
        self._engine.train(shortened(task, 1))

    def train(self, task: Task) -> Trained:
        """Train every run of the task."""
        frames = self._engine.train(task)
        losses = {name: frames.epochs[name].to_numpy() for name in LOSSES}
        return Trained(len(frames.epochs), frames.rows_trained, losses)

    def initial_values(self, task: Task) -> list:
        """Return the initial values of each seed's variables, which the jax trainer cannot draw."""
        with precision(task.spec.training.dtype):
            problem = Problem(task.spec)
            model = KerasProblem(problem)
        return [
            model.initial_values(problem, seed, replicate=task.replicate) for seed in task.seeds
        ]

    def operations(self, task: Task) -> int:
        """Count the operations of one row of weights in one epoch, as `fit` computes them."""
        with precision(task.spec.training.dtype):
            found = KerasProblem(Problem(task.spec))
        data = found.problem.data(task.seeds[0])
        splits = {name: len(getattr(data, name).y) for name in EVERYTHING}
        return network_operations(found.model, splits)
