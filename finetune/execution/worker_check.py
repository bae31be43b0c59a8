"""Which workers of a cluster may train: those with the same packages and the same store."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from distributed import Client, Worker

from finetune.errors import ClusterError, describe_exception
from finetune.execution.environment import shortcomings
from finetune.store.base import Store
from finetune.store.versions import numeric_versions


@dataclass(frozen=True)
class WorkerRequirements:
    """What a worker must have, so that its runs equal those of any other.

    Attributes:
        versions: Of the packages that decide the numbers, as the driver has them.
        store: Where to write, as workers find it; None where they return results.
        identity: Of the store; "" where workers write to none.
    """

    versions: tuple[tuple[str, str], ...]
    store: Store | None
    identity: str


def requirements(store: Store | None) -> WorkerRequirements:
    """Return what workers must have to train for a store; None: they return results."""
    seen = store.as_seen_by_workers() if store else None
    identity = seen.identity() if seen else ""
    return WorkerRequirements(tuple(numeric_versions().items()), seen, identity)


def examine(required: WorkerRequirements, dask_worker: Worker) -> tuple[str, str]:
    """Return why this worker may not train, and what slows it down; "" where there is nothing.

    It runs in the worker; Dask fills in `dask_worker`.
    """
    return _objection(required), ", ".join(shortcomings(dask_worker.state.nthreads))


def _objection(required: WorkerRequirements) -> str:
    mine = numeric_versions()
    for name, version in required.versions:
        if mine.get(name) != version:
            return f"has {name} {mine.get(name)}, and here it is {version}"
    # Two folders without an identity need not be the same.
    if required.store and required.store.identity() not in {required.identity} - {""}:
        return f"does not see the folder {required.store}"
    return ""


def check_workers(
    client: Client, required: WorkerRequirements, on_note: Callable[[str], None]
) -> None:
    """Examine the workers that are there; those that come later examine themselves.

    Raises:
        ClusterError: some may not train; each is named.
    """
    answers: Any = client.run(examine, required, on_error="return")
    objections = {address: _objection_in(answer) for address, answer in answers.items()}
    if any(objections.values()):
        raise refusal({address: why for address, why in objections.items() if why})
    for address, (_, slow) in answers.items():
        if slow:
            on_note(warning(address, slow))


def refusal(objections: Mapping[str, str]) -> ClusterError:
    """Return the error that names the workers that may not train, and why."""
    workers = ", ".join(f"worker {address} {why}" for address, why in objections.items())
    return ClusterError(
        f"--dask: {workers}; allowed are workers with the same packages that see the same folder: "
        "stop these, install the same versions there, or give --return-results where no folder is "
        "shared; what is finished is stored"
    )


def warning(address: str, slow: str) -> str:
    """Return a sentence on what slows a worker down, and the remedy."""
    return (
        f"Worker {address} {slow}, which trains more slowly; `finetune worker ADDRESS` starts "
        "workers as they should be"
    )


def _objection_in(answer: Any) -> str:
    if isinstance(answer, BaseException):
        return f"has no finetune that fits ({describe_exception(answer)})"
    return answer[0]
