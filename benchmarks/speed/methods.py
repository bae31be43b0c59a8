"""The methods of training that are timed, and the configurations that each may run in."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import Any

EVERYTHING = ("train", "val", "test")


def cores() -> int:
    """Count the processor cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@dataclass(frozen=True)
class Configuration:
    """How a method uses the machine.

    Attributes:
        processes: Worker processes.
        threads: Threads of each.
        seeds_at_once: Seeds a call trains; their runs are trained together.
        options: Further arguments of the trainer.
    """

    processes: int
    threads: int
    seeds_at_once: int = 1
    options: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        many = "es" if self.processes > 1 else ""
        threads = f"{self.threads} thread{'s' if self.threads > 1 else ''}"
        words = [f"{self.processes} process{many} of {threads}"]
        if self.seeds_at_once > 1:
            words.append(f"up to {self.seeds_at_once} seeds a call")
        words += [f"`{name}={value}`" for name, value in self.options.items()]
        return ", ".join(words)


@dataclass(frozen=True)
class Method:
    """One way to train the runs of a study.

    Attributes:
        key: Short name, for tables of numbers.
        label: What it is, in the report's words.
        trainer: `module:class` in this package; the worker process imports it.
        options: Arguments of the trainer.
        candidates: The configurations that are tried; the fastest is timed.
        like: Key of an earlier method whose choice among the same candidates it takes.
        population: Whether it trains runs together and so trains the whole study; others train one
            run a process, since they take long and an epoch costs the same in each.
        measures: The splits whose loss and accuracy it evaluates after each epoch.
        same_training: Whether its losses are those of our engine, which is checked.
    """

    key: str
    label: str
    trainer: str
    candidates: tuple[Configuration, ...]
    options: Mapping[str, Any] = field(default_factory=dict)
    like: str = ""
    population: bool = False
    measures: tuple[str, ...] = EVERYTHING
    same_training: bool = True


# The keys that the report refers to.
LOOP, LOOP_LESS, TUNED, TUNED_ALL = "keras", "keras-less", "keras-tuned", "keras-tuned-all"
SKLEARN, JAX, JAX_DROPPING = "sklearn", "jax", "jax-dropping"
LOCKSTEP, FORKING = "lockstep", "forking"


def installed_methods(count: int) -> list[Method]:
    """Return all methods whose libraries are installed, for so many cores."""
    jax = _jax(count) if find_spec("jax") else []
    return [*_keras(count), _sklearn(count), *jax, *_ours(count)]


def _keras(count: int) -> list[Method]:
    trainer = "keras_trainer:KerasTrainer"
    plain, jit = {"jit_compile": False}, {"jit_compile": True}
    alone = (Configuration(1, 1, options=plain), Configuration(1, 1, options=jit))
    if count > 1:
        alone = (*alone, Configuration(1, count, options=plain))
    every = (Configuration(count, 1, options=plain), Configuration(count, 1, options=jit))
    loop, tuned = {"tuned": False}, {"tuned": True}
    return [
        Method(LOOP, "Keras `fit`, one process", trainer, alone, loop, same_training=False),
        Method(
            LOOP_LESS, "Keras `fit`, one process, validation alone", trainer, alone,
            loop | {"evaluate": False}, like=LOOP, measures=("val",), same_training=False,
        ),
        Method(TUNED, "Keras `fit`, one process, tuned", trainer, alone, tuned),
        Method(TUNED_ALL, "Keras `fit`, all cores, tuned", trainer, every, tuned),
    ]  # fmt: skip


def _sklearn(count: int) -> Method:
    return Method(
        SKLEARN, "scikit-learn `MLPClassifier`, all cores", "sklearn_trainer:SklearnTrainer",
        (Configuration(count, 1),), measures=(), same_training=False,
    )  # fmt: skip


def _jax(count: int) -> list[Method]:
    trainer, candidates = "jax_trainer:JaxTrainer", _populations(count, 12, 6, 25)
    return [
        Method(
            JAX, "jax, lockstep", trainer, candidates, {"drop": False}, population=True,
        ),
        Method(
            JAX_DROPPING, "jax, lockstep, stopped runs dropped", trainer, candidates,
            {"drop": True}, like=JAX, population=True,
        ),
    ]  # fmt: skip


def _ours(count: int) -> list[Method]:
    trainer = "population_trainer:PopulationTrainer"
    return [
        Method(
            LOCKSTEP, "finetune, lockstep", trainer, _populations(count, 25, 64),
            {"share": False}, population=True,
        ),
        Method(
            FORKING, "finetune, forking", trainer, _populations(count, 25, 64), {"share": True},
            population=True,
        ),
    ]  # fmt: skip


def _populations(count: int, *seeds_at_once: int) -> tuple[Configuration, ...]:
    many = [Configuration(count, 1, seeds) for seeds in seeds_at_once]
    alone = [Configuration(1, count, seeds_at_once[-1])] if count > 1 else []
    return (*many, *alone)
