"""The timing: choose each method's best configuration, then time interleaved rounds."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any

import pandas as pd

from benchmarks.log import Log
from benchmarks.speed.arithmetic import operations
from benchmarks.speed.equality import check_equality
from benchmarks.speed.methods import (
    FORKING,
    JAX,
    LOCKSTEP,
    Configuration,
    Method,
    cores,
    installed_methods,
)
from benchmarks.speed.network_rounds import NetworkExtent, time_networks
from benchmarks.speed.trainer import shortened
from benchmarks.speed.worker_pool import WorkerPool
from finetune.engines.base import Task
from finetune.engines.registry import DEFAULT, REFERENCE
from finetune.studies.load import load_spec

# Methods whose time depends on how many runs there are.
SWEPT = (FORKING, LOCKSTEP, JAX)
_SWEEP_SECONDS = 5.0


@dataclass(frozen=True)
class Extent:
    """How much is timed.

    Attributes:
        seeds: Seeds of the study that populations train in each round, with all variants.
        epochs: Epochs of these runs.
        single_epochs: Epochs of the one run a process that other methods train in a round.
        trial_epochs: Epochs for which configurations are compared; 0 takes the first of each.
        rounds: Interleaved rounds.
        cores: Processor cores to use.
        sweep: Numbers of seeds in the plot over runs; 0 stands for a single run.
        networks: How much is timed of each network.
    """

    seeds: int = 100
    epochs: int = 100
    single_epochs: int = 40
    trial_epochs: int = 12
    rounds: int = 3
    cores: int = field(default_factory=cores)
    sweep: tuple[int, ...] = (0, 1, 3, 13, 51, 205)
    networks: NetworkExtent = field(default_factory=NetworkExtent)


@dataclass(frozen=True)
class Measurements:
    """All that was measured.

    Attributes:
        rounds: Columns `method, runs, round, wall, cpu, run_epochs, row_epochs`; seconds.
        sweep: The same columns, over numbers of runs.
        facts: By method: `label`, `configuration`, `memory` (MiB), `first_call` (seconds),
            `operations` (per row and epoch), `same_training`, `measures`.
        tried: Columns `method, configuration, ms`: milliseconds a run-epoch when choosing.
        differences: Largest difference of a loss from our engine's, by method.
        peak: Float32 operations a second of all cores, in matrix products.
        networks: As `time_networks` returns it.
    """

    rounds: pd.DataFrame
    sweep: pd.DataFrame
    facts: dict[str, dict[str, Any]]
    tried: pd.DataFrame
    differences: dict[str, float]
    peak: float
    networks: pd.DataFrame


def measure(extent: Extent, log: Log) -> Measurements:
    """Time all methods on the founding study."""
    task = whole_task(extent)
    log("matrix products")
    peak = peak_of(extent.cores)
    tried: list[dict[str, Any]] = []
    chosen: dict[str, tuple[Method, Configuration]] = {}
    for c in installed_methods(extent.cores):
        taken = chosen[c.like][1] if c.like else _choose(c, task, extent, tried=tried, log=log)
        chosen[c.key] = c, taken
    with _pools(chosen) as pools:
        first = {}
        for key, pool in pools.items():
            log(f"first call of {pool.method.label}")
            first[key] = pool.prepare(_work(pool.method, task, extent))
        log("checking that the work is equal")
        differences = check_equality(pools, task)
        rounds = _rounds(pools, task, extent, log)
        facts = {key: _facts(pool, task, first[key]) for key, pool in pools.items()}
        sweep = _sweep({key: pools[key] for key in SWEPT if key in pools}, task, extent, log)
    networks = time_networks(extent.networks, log, cores=extent.cores, peak=peak)
    return Measurements(rounds, sweep, facts, pd.DataFrame(tried), differences, peak, networks)


def whole_task(extent: Extent) -> Task:
    """Return the whole study as one task, which populations train."""
    spec = load_spec()
    return shortened(
        Task(spec, spec.variants, tuple(range(extent.seeds)), DEFAULT.name), extent.epochs
    )


def peak_of(count: int) -> float:
    """Return the float32 operations a second of so many cores, in matrix products."""
    method = Method("peak", "matrix products", "arithmetic:MatrixMultiply", ())
    with WorkerPool(method, Configuration(1, 1)) as pool:
        return pool.call_first("peak") * count


def _choose(
    method: Method, task: Task, extent: Extent, *, tried: list[dict[str, Any]], log: Log
) -> Configuration:
    """Return the fastest of a method's configurations."""
    if not extent.trial_epochs or len(method.candidates) == 1:
        return method.candidates[0]
    times = {}
    for configuration in method.candidates:
        log(f"trying {method.label}: {configuration}")
        with WorkerPool(method, configuration) as pool:
            short = shortened(task, extent.trial_epochs)
            work = _work(method, short, extent, configuration)
            pool.prepare(work)
            timing = min((pool.train(work) for _ in range(2)), key=lambda t: t.wall)
        times[str(configuration)] = configuration, timing.wall / timing.run_epochs
        row = {"method": method.key, "configuration": str(configuration)}
        tried.append({**row, "ms": 1e3 * timing.wall / timing.run_epochs})
    return min(times.values(), key=lambda pair: pair[1])[0]


def _work(
    method: Method, task: Task, extent: Extent, configuration: Configuration | None = None
) -> Task:
    """Return what a method trains in a round: all runs, or one a process where each takes long.

    The one is of the last variant that never stops early, so that it lasts for all epochs.
    """
    if method.population:
        return task
    lasting = [variant for variant in task.variants if variant.early_stopping is None]
    seeds = tuple(range(max(c.processes for c in method.candidates)))
    if configuration:
        seeds = seeds[: configuration.processes]
    epochs = min(extent.single_epochs, task.spec.training.epochs)
    return shortened(Task(task.spec, (lasting[-1],), seeds, REFERENCE.name), epochs)


@contextmanager
def _pools(chosen: Mapping[str, tuple[Method, Configuration]]) -> Iterator[dict[str, WorkerPool]]:
    with ExitStack() as stack:
        yield {key: stack.enter_context(WorkerPool(*pair)) for key, pair in chosen.items()}


def _rounds(pools: Mapping[str, WorkerPool], task: Task, extent: Extent, log: Log) -> pd.DataFrame:
    rows = []
    for number in range(extent.rounds):
        for pool in pools.values():
            log(f"round {number + 1} of {extent.rounds}: {pool.method.label}")
            work = _work(pool.method, task, extent)
            rows.append(_timed(pool, work, number))
    return pd.DataFrame(rows)


def _timed(pool: WorkerPool, work: Task, number: int) -> dict[str, Any]:
    place = {"method": pool.method.key, "runs": len(work.runs), "round": number}
    return place | asdict(pool.train(work))


def _facts(pool: WorkerPool, task: Task, first_call: float) -> dict[str, Any]:
    method = pool.method
    return {
        "label": method.label,
        "configuration": str(pool.configuration),
        "memory": pool.memory(),
        "first_call": first_call,
        "operations": operations(task, measures=method.measures),
        "same_training": method.same_training,
        "measures": list(method.measures),
    }


def _sweep(pools: Mapping[str, WorkerPool], task: Task, extent: Extent, log: Log) -> pd.DataFrame:
    rows: list[dict[str, Any]] = []
    for seeds in extent.sweep:
        variants = task.variants if seeds else task.variants[:1]
        work = Task(task.spec, variants, tuple(range(max(seeds, 1))), DEFAULT.name)
        log(f"{len(work.runs)} runs")
        for pool in pools.values():
            pool.prepare(work)
        spent = dict.fromkeys(pools, 0.0)
        for number in range(extent.rounds):
            for key, pool in pools.items():
                # Long trainings vary little, and are timed once.
                if spent[key] < _SWEEP_SECONDS:
                    rows.append(_timed(pool, work, number))
                    spent[key] += rows[-1]["wall"]
    return pd.DataFrame(rows)
