"""What far larger studies would take, in proportion to what a measured one took."""

from dataclasses import dataclass

import pandas as pd

# The target size of `finetune compact`.
_COMPACTED_BYTES = 64 * 2**20


@dataclass(frozen=True)
class Rates:
    """Measured figures of a study on a cluster.

    Attributes:
        epochs_per_run: That a run lasts, on average.
        run_epochs_per_worker_hour: Trained by one of the workers.
        bytes_per_run_epoch: On disk.
        compacted_bytes_per_run_epoch: On disk after `finetune compact`.
        runs_per_task: That train together, where there are seeds enough.
        scheduler_bytes_per_task: That pass the scheduler.
        scheduler_seconds_per_task: Of the scheduler's processor time.
        analysis_seconds_per_run_epoch: Of the report.
        analysis_bytes_per_run_epoch: Of the report's memory.
    """

    epochs_per_run: float
    run_epochs_per_worker_hour: float
    bytes_per_run_epoch: float
    compacted_bytes_per_run_epoch: float
    runs_per_task: int
    scheduler_bytes_per_task: float
    scheduler_seconds_per_task: float
    analysis_seconds_per_run_epoch: float
    analysis_bytes_per_run_epoch: float


def project(run_epochs: float, rates: Rates) -> dict[str, float]:
    """Project what so many run-epochs would take, in bytes, seconds and hours.

    Keys: run_epochs, runs, tasks (and so shards), store_bytes, compacted_bytes, compacted_shards,
    worker_hours, scheduler_bytes, scheduler_seconds, analysis_seconds, analysis_bytes.
    """
    runs = run_epochs / rates.epochs_per_run
    tasks = runs / rates.runs_per_task
    compacted = run_epochs * rates.compacted_bytes_per_run_epoch
    return {
        "run_epochs": run_epochs,
        "runs": runs,
        "tasks": tasks,
        "store_bytes": run_epochs * rates.bytes_per_run_epoch,
        "compacted_bytes": compacted,
        "compacted_shards": max(1.0, compacted / _COMPACTED_BYTES),
        "worker_hours": run_epochs / rates.run_epochs_per_worker_hour,
        "scheduler_bytes": tasks * rates.scheduler_bytes_per_task,
        "scheduler_seconds": tasks * rates.scheduler_seconds_per_task,
        "analysis_seconds": run_epochs * rates.analysis_seconds_per_run_epoch,
        "analysis_bytes": run_epochs * rates.analysis_bytes_per_run_epoch,
    }


def projections(sizes: tuple[float, ...], rates: Rates) -> pd.DataFrame:
    """Project several sizes, a row each with the columns of `project`."""
    return pd.DataFrame([project(size, rates) for size in sizes])
