"""The timing of networks: tuned `fit`, the jax trainer where it can, and our engine, in turn."""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import pandas as pd

from benchmarks.log import Log
from benchmarks.speed.methods import (
    FORKING,
    JAX,
    TUNED_ALL,
    Configuration,
    Method,
    installed_methods,
)
from benchmarks.speed.networks import NETWORKS, Network
from benchmarks.speed.trainer import shortened
from benchmarks.speed.worker_pool import Timing, WorkerPool
from finetune.engines.base import Task
from finetune.engines.registry import DEFAULT, REFERENCE

# All of a worker's seeds train together.
_SEEDS_AT_ONCE = 64
# Trainings of `fit`, of which the fastest counts: they are short, and a core that another process
# takes now and then doubles the time of one.
REPEATS = 3


@dataclass(frozen=True)
class NetworkExtent:
    """How much is timed of each network.

    Attributes:
        networks: Their keys.
        seeds: Seeds that populations train in a round, with all five variants.
        epochs: Most epochs of these runs.
        single_epochs: Epochs of the one run a process that `fit` trains in a round.
        trial_epochs: Epochs for which configurations of `fit` are compared; 0 takes the first.
        rounds: Interleaved rounds.
    """

    networks: tuple[str, ...] = tuple(NETWORKS)
    seeds: int = 12
    epochs: int = 100
    single_epochs: int = 10
    trial_epochs: int = 10
    rounds: int = 3


def time_networks(extent: NetworkExtent, log: Log, *, cores: int, peak: float) -> pd.DataFrame:
    """Time each network; return a row a network.

    Args:
        extent: How much.
        log: Takes what is done.
        cores: Processor cores to use.
        peak: Float32 operations a second of all cores, in matrix products.

    Columns: `network` (its key), `fit`, `jax` and `ours` (milliseconds a delivered run-epoch, the
    median over rounds; NaN where a method cannot train it), `vs_fit` and `vs_jax` (the median of
    the ratios within a round), `configuration` of `fit`, `rows_per_run`, `share_of_peak`.
    """
    return pd.DataFrame(
        [_timed(key, extent, log, cores=cores, peak=peak) for key in extent.networks]
    )


def _timed(key: str, extent: NetworkExtent, log: Log, *, cores: int, peak: float) -> dict[str, Any]:
    network = NETWORKS[key]
    methods = {method.key: method for method in installed_methods(cores)}
    spec = network.study()
    work = Task(spec, spec.variants, tuple(range(extent.seeds)), DEFAULT.name)
    work = shortened(work, min(extent.epochs, network.epochs))
    with ExitStack() as stack:
        log(f"{network.label}: starting")
        pools = {TUNED_ALL: _fit(methods[TUNED_ALL], work, extent, stack)}
        for method in _populations(methods, network):
            pool = WorkerPool(method, Configuration(cores, 1, _SEEDS_AT_ONCE))
            pools[method.key] = stack.enter_context(pool)
            pool.prepare(work)
        rounds = []
        for number in range(extent.rounds):
            log(f"{network.label}: round {number + 1} of {extent.rounds}")
            rounds.append({name: _train(pool, work, extent) for name, pool in pools.items()})
        operations = pools[FORKING].call_first("operations", work)
    return _row(key, rounds, str(pools[TUNED_ALL].configuration), operations, peak)


def _populations(methods: dict[str, Method], network: Network) -> list[Method]:
    keys = [FORKING] if network.why_not_jax else [JAX, FORKING]
    return [methods[key] for key in keys if key in methods]


def _fit(method: Method, work: Task, extent: NetworkExtent, stack: ExitStack) -> WorkerPool:
    """Return the fastest configuration's pool, prepared."""
    pools = [WorkerPool(method, configuration) for configuration in method.candidates]
    if not extent.trial_epochs:
        pools = pools[:1]
    single = _single(work, pools[0], extent.trial_epochs or 1)
    times = []
    for pool in pools:
        stack.enter_context(pool)
        pool.prepare(single)
        times.append(_fastest(pool, single).wall if len(pools) > 1 else 0.0)
    return pools[times.index(min(times))]


def _single(work: Task, pool: WorkerPool, epochs: int) -> Task:
    """Return a run a process, of the last variant that never stops early, for so many epochs."""
    lasting = [variant for variant in work.variants if variant.early_stopping is None]
    seeds = tuple(range(pool.configuration.processes))
    return shortened(Task(work.spec, (lasting[-1],), seeds, REFERENCE.name), epochs)


def _train(pool: WorkerPool, work: Task, extent: NetworkExtent) -> dict[str, float]:
    alone = not pool.method.population
    single = _single(work, pool, extent.single_epochs)
    timing = _fastest(pool, single) if alone else pool.train(work)
    return {
        "ms": 1e3 * timing.wall / timing.run_epochs,
        "rows": timing.row_epochs / timing.run_epochs,
    }


def _fastest(pool: WorkerPool, task: Task) -> Timing:
    return min((pool.train(task) for _ in range(REPEATS)), key=lambda timing: timing.wall)


def _row(
    key: str, rounds: Sequence[dict], configuration: str, operations: int, peak: float
) -> dict[str, Any]:
    nothing = {"ms": float("nan")}
    table = pd.DataFrame(
        [
            {name: one.get(name, nothing)["ms"] for name in (TUNED_ALL, JAX, FORKING)}
            | {"rows": one[FORKING]["rows"]}
            for one in rounds
        ]
    )
    median = table.median()
    return {
        "network": key,
        "fit": median[TUNED_ALL],
        "jax": median[JAX],
        "ours": median[FORKING],
        "vs_fit": (table[TUNED_ALL] / table[FORKING]).median(),
        "vs_jax": (table[JAX] / table[FORKING]).median(),
        "configuration": configuration,
        "rows_per_run": median["rows"],
        "share_of_peak": operations * median["rows"] / (median[FORKING] / 1e3) / peak,
    }
