"""The timing itself: choose each contestant's best configuration, then interleaved rounds."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any

import pandas as pd

from benchmarks.speed.arithmetic import operations
from benchmarks.speed.contestants import (
    FORKING,
    JAX,
    LOCKSTEP,
    Configuration,
    Contestant,
    contestants,
    cores,
)
from benchmarks.speed.crew import Crew
from benchmarks.speed.equality import check_equality
from benchmarks.speed.trainer import shortened
from finetune.engines.base import Task
from finetune.studies.load import load_spec

Say = Callable[[str], None]

# Contestants whose time depends on how many runs there are.
SWEPT = (FORKING, LOCKSTEP, JAX)
_SWEEP_SECONDS = 5.0


@dataclass(frozen=True)
class Scale:
    """How much is timed.

    Attributes:
        seeds: Seeds of the study that populations train in each round, with all variants.
        epochs: Epochs of these runs.
        single_epochs: Epochs of the one run a process that other contestants train in a round.
        trial_epochs: Epochs for which configurations are compared; 0 takes the first of each.
        rounds: Interleaved rounds.
        cores: Processor cores to use.
        sweep: Numbers of seeds in the plot over runs; 0 stands for a single run.
    """

    seeds: int = 100
    epochs: int = 100
    single_epochs: int = 40
    trial_epochs: int = 12
    rounds: int = 3
    cores: int = field(default_factory=cores)
    sweep: tuple[int, ...] = (0, 1, 3, 13, 51, 205)


@dataclass(frozen=True)
class Measurements:
    """All that was measured.

    Attributes:
        rounds: Columns `contestant, runs, round, wall, cpu, run_epochs, row_epochs`; seconds.
        sweep: The same columns, over numbers of runs.
        facts: By contestant: `label`, `configuration`, `memory` (MiB), `first_call` (seconds),
            `operations` (per row and epoch), `same_training`, `measures`.
        tried: Columns `contestant, configuration, ms`: milliseconds a run-epoch when choosing.
        differences: Largest difference of a loss from our engine's, by contestant.
        peak: Float32 operations a second of all cores, in matrix products.
    """

    rounds: pd.DataFrame
    sweep: pd.DataFrame
    facts: dict[str, dict[str, Any]]
    tried: pd.DataFrame
    differences: dict[str, float]
    peak: float


def measure(scale: Scale, say: Say) -> Measurements:
    """Time all contestants on the founding study."""
    task = whole_task(scale)
    say("matrix products")
    peak = _peak(scale.cores)
    tried: list[dict[str, Any]] = []
    chosen: dict[str, tuple[Contestant, Configuration]] = {}
    for c in contestants(scale.cores):
        taken = chosen[c.like][1] if c.like else _choose(c, task, scale, tried=tried, say=say)
        chosen[c.key] = c, taken
    with _crews(chosen) as crews:
        first = {}
        for key, crew in crews.items():
            say(f"first call of {crew.contestant.label}")
            first[key] = crew.prepare(_work(crew.contestant, task, scale))
        say("checking that the work is equal")
        differences = check_equality(crews, task)
        rounds = _rounds(crews, task, scale, say)
        facts = {key: _facts(crew, task, first[key]) for key, crew in crews.items()}
        sweep = _sweep({key: crews[key] for key in SWEPT if key in crews}, task, scale, say)
    return Measurements(rounds, sweep, facts, pd.DataFrame(tried), differences, peak)


def whole_task(scale: Scale) -> Task:
    """Give the study that populations train."""
    spec = load_spec()
    return shortened(
        Task(spec, spec.variants, tuple(range(scale.seeds)), "population"), scale.epochs
    )


def _peak(count: int) -> float:
    contestant = Contestant("peak", "matrix products", "arithmetic:MatrixMultiply", ())
    with Crew(contestant, Configuration(1, 1)) as crew:
        return crew.ask("peak") * count


def _choose(
    contestant: Contestant, task: Task, scale: Scale, *, tried: list[dict[str, Any]], say: Say
) -> Configuration:
    """Give the fastest of a contestant's configurations."""
    if not scale.trial_epochs or len(contestant.candidates) == 1:
        return contestant.candidates[0]
    times = {}
    for configuration in contestant.candidates:
        say(f"trying {contestant.label}: {configuration}")
        with Crew(contestant, configuration) as crew:
            short = shortened(task, scale.trial_epochs)
            work = _work(contestant, short, scale, configuration)
            crew.prepare(work)
            timing = min((crew.train(work) for _ in range(2)), key=lambda t: t.wall)
        times[str(configuration)] = configuration, timing.wall / timing.run_epochs
        row = {"contestant": contestant.key, "configuration": str(configuration)}
        tried.append({**row, "ms": 1e3 * timing.wall / timing.run_epochs})
    return min(times.values(), key=lambda pair: pair[1])[0]


def _work(
    contestant: Contestant, task: Task, scale: Scale, configuration: Configuration | None = None
) -> Task:
    """Give what a contestant trains in a round: all runs, or one a process where each takes long.

    The one is of the last variant that never stops early, so that it lasts for all epochs.
    """
    if contestant.population:
        return task
    lasting = [variant for variant in task.variants if variant.early_stopping is None]
    seeds = tuple(range(max(c.processes for c in contestant.candidates)))
    if configuration:
        seeds = seeds[: configuration.processes]
    epochs = min(scale.single_epochs, task.spec.training.epochs)
    return shortened(Task(task.spec, (lasting[-1],), seeds, "keras"), epochs)


@contextmanager
def _crews(chosen: Mapping[str, tuple[Contestant, Configuration]]) -> Iterator[dict[str, Crew]]:
    with ExitStack() as stack:
        yield {key: stack.enter_context(Crew(*pair)) for key, pair in chosen.items()}


def _rounds(crews: Mapping[str, Crew], task: Task, scale: Scale, say: Say) -> pd.DataFrame:
    rows = []
    for number in range(scale.rounds):
        for crew in crews.values():
            say(f"round {number + 1} of {scale.rounds}: {crew.contestant.label}")
            work = _work(crew.contestant, task, scale)
            rows.append(_timed(crew, work, number))
    return pd.DataFrame(rows)


def _timed(crew: Crew, work: Task, number: int) -> dict[str, Any]:
    place = {"contestant": crew.contestant.key, "runs": len(work.runs), "round": number}
    return place | asdict(crew.train(work))


def _facts(crew: Crew, task: Task, first_call: float) -> dict[str, Any]:
    contestant = crew.contestant
    return {
        "label": contestant.label,
        "configuration": str(crew.configuration),
        "memory": crew.memory(),
        "first_call": first_call,
        "operations": operations(task, measures=contestant.measures),
        "same_training": contestant.same_training,
        "measures": list(contestant.measures),
    }


def _sweep(crews: Mapping[str, Crew], task: Task, scale: Scale, say: Say) -> pd.DataFrame:
    rows: list[dict[str, Any]] = []
    for seeds in scale.sweep:
        variants = task.variants if seeds else task.variants[:1]
        work = Task(task.spec, variants, tuple(range(max(seeds, 1))), "population")
        say(f"{len(work.runs)} runs")
        for crew in crews.values():
            crew.prepare(work)
        spent = dict.fromkeys(crews, 0.0)
        for number in range(scale.rounds):
            for key, crew in crews.items():
                # Long trainings vary little, and are timed once.
                if spent[key] < _SWEEP_SECONDS:
                    rows.append(_timed(crew, work, number))
                    spent[key] += rows[-1]["wall"]
    return pd.DataFrame(rows)
