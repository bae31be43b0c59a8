"""Which workers of a cluster may train: those with the same packages and the same store."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from distributed import Client, Worker

from finetune.errors import ClusterError, in_words
from finetune.execution.environment import shortcomings
from finetune.store.results import ResultStore
from finetune.store.versions import numeric_versions


@dataclass(frozen=True)
class WorkerRequirements:
    """What a worker must fulfil, so that its runs equal those of any other.

    Attributes:
        versions: Of the packages that decide the numbers, as the driver has them.
        store: The folder to write shards to; None where results are given back.
        identity: What `ResultStore.identity` says there.
    """

    versions: Mapping[str, str]
    store: Path | None
    identity: str


def examine(terms: WorkerRequirements, dask_worker: Worker) -> tuple[str, str]:
    """Say why this worker may not train, and what slows it down; "" where there is nothing.

    It runs in the worker; Dask fills in `dask_worker`.
    """
    return _objection(terms), ", ".join(shortcomings(dask_worker.state.nthreads))


def _objection(terms: WorkerRequirements) -> str:
    mine = numeric_versions()
    for name, version in terms.versions.items():
        if mine.get(name) != version:
            return f"has {name} {mine.get(name)}, and here it is {version}"
    if terms.store and ResultStore(terms.store).identity() != terms.identity:
        return f"does not see the folder {terms.store}"
    return ""


def check_workers(
    client: Client, terms: WorkerRequirements, on_note: Callable[[str], None]
) -> None:
    """Examine the workers that are there; those that come later examine themselves.

    Raises:
        ClusterError: some may not train; each is named.
    """
    found: Any = client.run(examine, terms, on_error="return")
    refused = {address: _objected(answer) for address, answer in found.items()}
    if any(refused.values()):
        raise refusal({address: said for address, said in refused.items() if said})
    for address, (_, slow) in found.items():
        if slow:
            on_note(warning(address, slow))


def refusal(objections: Mapping[str, str]) -> ClusterError:
    """Give the error that names the workers that may not train, and why."""
    said = ", ".join(f"worker {address} {why}" for address, why in objections.items())
    return ClusterError(
        f"--dask: {said}; allowed are workers with the same packages that see the same folder: "
        "stop these, install the same versions there, or give --return-results where no folder is "
        "shared; what is finished is stored"
    )


def warning(address: str, slow: str) -> str:
    """Say what slows a worker down, and the remedy."""
    return (
        f"Worker {address} {slow}, which trains more slowly; `finetune worker ADDRESS` starts "
        "workers as they should be"
    )


def _objected(answer: Any) -> str:
    if isinstance(answer, BaseException):
        return f"has no finetune that fits ({in_words(answer)})"
    return answer[0]
