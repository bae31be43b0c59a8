"""What a study would cost, before anything of it begins: time, disk and memory, at most."""

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from finetune.spec.data import DataSpec
from finetune.spec.study import EngineName, StudySpec, engine_for

# Measured with the founding study on 2 cores: seconds for each epoch of a run by either engine
# (reports/speed), and bytes of the store and of the analysis's tables.
_SECONDS: dict[EngineName, float] = {"population": 0.25e-3, "keras": 83e-3}
_ROWS, _WEIGHTS, _STEPS = 600, 3329, 19
_DISK_OF_EPOCH, _DISK_OF_RUN = 30, 300
_MEMORY_OF_EPOCH, _MEMORY_OF_RUN = 1000, 500

# Values of a weight that training holds: itself, gradient, optimizer's state, kept copies.
_COPIES = 8

# What trains besides the study's own runs: `plan.Plan` says which they are.
_PROBE_RUNS, _PROBE_EPOCHS, _VARIANCE_RUNS, _PARITY_EPOCHS = 80, 10, 40, 60

_FOUND: dict[str, tuple[int, int]] = {
    "load_breast_cancer": (569, 30),
    "load_diabetes": (442, 10),
    "load_digits": (1797, 64),
    "load_iris": (150, 4),
    "load_linnerud": (20, 3),
    "load_wine": (178, 13),
}

# Beyond these a user is asked.
MOST_SECONDS = 2 * 3600
MOST_DISK = 10 * 10**9


@dataclass(frozen=True)
class CostEstimate:
    """What training and analysis take at most.

    Attributes:
        runs: Number of runs.
        run_epochs: Epochs of all runs together, if none stops early.
        seconds: On 2 cores.
        disk: Bytes of the store.
        memory: Bytes that the program needs for training one network and for the analysis.
        sized: Whether the study tells the size of data and network; else they are taken to be the
            founding study's.
    """

    runs: int
    run_epochs: int
    seconds: float
    disk: int
    memory: int
    sized: bool

    def exceeds(self, memory: float) -> bool:
        """Tell whether a user should be asked first, on a machine with so many bytes."""
        return self.seconds > MOST_SECONDS or self.disk > MOST_DISK or self.memory > memory

    def __str__(self) -> str:
        about = "about" if self.sized else "(data and network as in the founding study) about"
        return (
            f"{_counted(self.runs)} runs with at most {_counted(self.run_epochs)} epochs in all: "
            f"{about} {_duration(self.seconds)} on 2 cores, {_size(self.disk)} of disk and "
            f"{_size(self.memory)} of memory"
        )


def estimate_run(spec: StudySpec, engine: EngineName = "population") -> CostEstimate:
    """Estimate a study with all that its report rests on."""
    epochs: dict[EngineName, int] = dict.fromkeys(_SECONDS, 0)
    for variant in spec.variants:
        epochs[engine_for(variant, engine)] += spec.seeds * spec.training.epochs
    runs = len(spec.variants) * spec.seeds
    if engine == "population":
        again = spec.seeds if spec.claim else 0
        probe, variance = min(_PROBE_RUNS, 2 * spec.seeds), min(_VARIANCE_RUNS, 2 * spec.seeds)
        variance *= len(set(spec.vary))
        runs += again + probe + variance
        epochs["population"] += (again + probe + variance) * spec.training.epochs
        epochs["population"] += probe * _PROBE_EPOCHS
        epochs["keras"] += _PARITY_EPOCHS
    return _estimate(spec, epochs, runs=runs, analysed=sum(epochs.values()))


def estimate_map(spec: StudySpec) -> CostEstimate:
    """Estimate a claim map: arms from epoch 0, and delayed ones."""
    factors, patiences, delays = (
        len(set(values)) for values in (spec.map.factor, spec.map.patience, spec.map.delay)
    )
    runs = factors * patiences * (1 + delays) * spec.map.seeds
    return _estimate(spec, {"population": runs * spec.training.epochs}, runs=runs, analysed=0)


def estimate_search(spec: StudySpec) -> CostEstimate:
    """Estimate the search of both arms, the judging of its winners, and the study."""
    study, asked, length = estimate_run(spec), spec.search, spec.training.epochs
    runs = 2 * (asked.trials * asked.seeds + spec.seeds)
    batch = min(asked.batch, asked.trials) * asked.seeds
    found = _estimate(spec, {"population": runs * length}, runs=runs, analysed=2 * batch * length)
    return CostEstimate(
        study.runs + found.runs,
        study.run_epochs + found.run_epochs,
        study.seconds + found.seconds,
        study.disk + found.disk,
        max(study.memory, found.memory),
        study.sized,
    )


def _estimate(
    spec: StudySpec, epochs: dict[EngineName, int], *, runs: int, analysed: int
) -> CostEstimate:
    """Estimate so many epochs of runs by each engine, `analysed` of which are read at once."""
    shape, weights = _shape(spec.data), None
    if shape:
        weights = _weights(spec, shape[1])
    rows, features = shape or (1000, 10)
    training = max(1, math.ceil(rows * (1 - spec.data.test_size - spec.data.val_size)))
    rates = _rates(spec, training, weights or _WEIGHTS)
    total = sum(epochs.values())
    network = (weights or _WEIGHTS) * _COPIES * (8 if spec.training.dtype == "float64" else 4)
    # The batch order of all epochs is drawn at once; rows are held raw, prepared and cast.
    data = rows * features * 24 + training * spec.training.epochs * 4
    return CostEstimate(
        runs=runs,
        run_epochs=total,
        seconds=float(sum(min(count, 10**30) * rates[name] for name, count in epochs.items())),
        disk=total * _DISK_OF_EPOCH + runs * _DISK_OF_RUN,
        memory=network + data + analysed * _MEMORY_OF_EPOCH + runs * _MEMORY_OF_RUN,
        sized=weights is not None,
    )


def _rates(spec: StudySpec, rows: int, weights: int) -> dict[EngineName, float]:
    """Give the seconds for each epoch of a run, by engine, for a size of network and data."""
    work = max(0.1, min(rows * weights, 10**30) / (_ROWS * _WEIGHTS))
    steps = max(0.1, min(math.ceil(rows / spec.training.batch_size), 10**30) / _STEPS)
    population = _SECONDS["population"] * work
    return {"population": population, "keras": max(population, _SECONDS["keras"] * steps)}


def _shape(data: DataSpec) -> tuple[int, int] | None:
    """Give the number of rows and of features, where the study tells them."""
    if data.kind != "sklearn" or data.source in _FOUND:
        return _FOUND.get(data.source)
    features = 20 if data.source == "make_classification" else 2
    rows: Any = data.args.get("n_samples", 100)
    # A list counts the rows of each class.
    rows = sum(rows) if isinstance(rows, list) and all(map(_is_count, rows)) else rows
    features = data.args.get("n_features", features)
    return (rows, features) if _is_count(rows) and _is_count(features) else None


def _is_count(value: Any) -> bool:
    return type(value) is int and 0 <= value < 10**15


def _weights(spec: StudySpec, features: int) -> int | None:
    """Give the number of weights of a network that the study itself describes."""
    if spec.model.factory or spec.model.architecture:
        return None
    sizes = (features, *spec.model.hidden, 1)
    return sum((size + 1) * units for size, units in pairwise(sizes))


def _counted(number: int) -> str:
    return f"{number:,}" if number < 10**15 else f"{float(min(number, 10**300)):.1e}"


def _duration(seconds: float) -> str:
    for unit, length in (("years", 365.25 * 86400), ("days", 86400), ("hours", 3600)):
        if seconds >= 2 * length:
            return f"{_rounded(seconds / length)} {unit}"
    return f"{max(1, round(seconds / 60))} minutes" if seconds >= 90 else f"{seconds:.0f} s"


def _size(number: float) -> str:
    for unit, length in (("PB", 10**15), ("TB", 10**12), ("GB", 10**9)):
        if number >= length:
            return f"{_rounded(min(number, 10**300) / length)} {unit}"
    return f"{max(1, round(number / 10**6))} MB"


def _rounded(number: float) -> str:
    return f"{number:.1e}" if number >= 10**6 else f"{float(f'{number:.2g}'):,g}"
