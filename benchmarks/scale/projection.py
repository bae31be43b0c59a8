"""What far larger studies would take, from what a measured one took: straight proportion."""

from dataclasses import dataclass

import pandas as pd

# The target size of `finetune compact`.
_COMPACTED_BYTES = 64 * 2**20

# Runs that train together (`finetune.planning.plan`), where there are seeds enough.
_RUNS_PER_CHUNK = 320


@dataclass(frozen=True)
class Rates:
    """Measured figures of a study on a cluster.

    Attributes:
        epochs_per_run: That a run lasts, on average.
        run_epochs_per_worker_hour: Trained by one of the workers.
        bytes_per_run_epoch: On disk.
        compacted_bytes_per_run_epoch: On disk after `finetune compact`.
        scheduler_bytes_per_chunk: That pass the scheduler, for one chunk.
        scheduler_seconds_per_chunk: Of the scheduler's processor time.
        analysis_seconds_per_run_epoch: Of the report.
        analysis_bytes_per_run_epoch: Of the report's memory.
    """

    epochs_per_run: float
    run_epochs_per_worker_hour: float
    bytes_per_run_epoch: float
    compacted_bytes_per_run_epoch: float
    scheduler_bytes_per_chunk: float
    scheduler_seconds_per_chunk: float
    analysis_seconds_per_run_epoch: float
    analysis_bytes_per_run_epoch: float


def project(run_epochs: float, rates: Rates) -> dict[str, float]:
    """Give what so many run-epochs would take.

    Keys: run_epochs, runs, chunks (shards), store_bytes, compacted_bytes, compacted_shards,
    worker_hours, scheduler_bytes, scheduler_seconds, analysis_seconds, analysis_bytes.
    """
    runs = run_epochs / rates.epochs_per_run
    chunks = runs / _RUNS_PER_CHUNK
    compacted = run_epochs * rates.compacted_bytes_per_run_epoch
    return {
        "run_epochs": run_epochs,
        "runs": runs,
        "chunks": chunks,
        "store_bytes": run_epochs * rates.bytes_per_run_epoch,
        "compacted_bytes": compacted,
        "compacted_shards": max(1.0, compacted / _COMPACTED_BYTES),
        "worker_hours": run_epochs / rates.run_epochs_per_worker_hour,
        "scheduler_bytes": chunks * rates.scheduler_bytes_per_chunk,
        "scheduler_seconds": chunks * rates.scheduler_seconds_per_chunk,
        "analysis_seconds": run_epochs * rates.analysis_seconds_per_run_epoch,
        "analysis_bytes": run_epochs * rates.analysis_bytes_per_run_epoch,
    }


def projections(sizes: tuple[float, ...], rates: Rates) -> pd.DataFrame:
    """Give a row a size, as `project`."""
    return pd.DataFrame([project(size, rates) for size in sizes])
