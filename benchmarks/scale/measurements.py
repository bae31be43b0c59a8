"""All that is measured for the report on scale, in the order in which it is measured."""

from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd

from benchmarks.log import Log
from benchmarks.scale.cluster import (
    running_cluster,
    runs_per_task,
    task_milliseconds,
    train_locally,
    train_on_cluster,
)
from benchmarks.scale.projection import Rates
from benchmarks.scale.storage import ReportCost, StoreCost, measure_report, measure_store
from finetune.execution.choice import choose_executor
from finetune.execution.training import Options
from finetune.studies.load import load_spec
from finetune.studies.run import run_study


@dataclass(frozen=True)
class Extent:
    """How much is measured: seeds and rounds of training, tiny tasks, seeds of two studies."""

    seeds: int = 128
    rounds: int = 3
    tasks: int = 200
    stores: tuple[int, int] = (100, 400)


@dataclass(frozen=True)
class Measurements:
    """What was measured.

    Attributes:
        training: A row a training (`cluster.TrainingCost`) and round.
        runs_per_task: Where there are seeds enough.
        task_ms: Milliseconds a tiny task, by who trained it.
        store: The larger study's.
        reports: The smaller study's and the larger one's.
    """

    training: pd.DataFrame
    runs_per_task: int
    task_ms: dict[str, float]
    store: StoreCost
    reports: tuple[ReportCost, ReportCost]

    @property
    def typical(self) -> pd.DataFrame:
        """The median of the rounds, by (where, workers), with what follows from it."""
        table = self.training.groupby(["where", "workers"]).median(numeric_only=True)
        return table.assign(
            per_second=table["run_epochs"] / table["seconds"],
            bytes_per_run=table["bytes"] / table["runs"],
        )

    @property
    def rates(self) -> Rates:
        """What projections rest on: two workers of a cluster that share a folder."""
        row = self.typical.loc[("cluster, results in the shared folder", 2)]
        small, large = self.reports
        more = large.run_epochs - small.run_epochs
        before, after = (size / self.store.run_epochs for size in self.store.bytes)
        return Rates(
            epochs_per_run=row["run_epochs"] / row["runs"],
            run_epochs_per_worker_hour=3600 * row["per_second"] / 2,
            bytes_per_run_epoch=before,
            compacted_bytes_per_run_epoch=after,
            runs_per_task=self.runs_per_task,
            scheduler_bytes_per_task=row["bytes"] / row["tasks"],
            scheduler_seconds_per_task=row["scheduler_seconds"] / row["tasks"],
            analysis_seconds_per_run_epoch=(large.seconds - small.seconds) / more,
            analysis_bytes_per_run_epoch=(large.bytes - small.bytes) / more,
        )


def measure(extent: Extent, log: Log) -> Measurements:
    """Measure everything; it takes minutes, and needs the machine for itself."""
    with TemporaryDirectory() as scratch:
        folder = Path(scratch)
        with running_cluster(folder, 1) as one, running_cluster(folder, 2) as two:
            rows = []
            for number in range(extent.rounds):
                log(f"round {number + 1} of {extent.rounds}")
                rows += [
                    train_on_cluster(one, seeds=extent.seeds),
                    train_on_cluster(two, seeds=extent.seeds),
                    train_on_cluster(two, seeds=extent.seeds, return_results=True),
                    train_locally(2, seeds=extent.seeds),
                ]
            log("tiny tasks")
            task_ms = task_milliseconds(one, tasks=extent.tasks)
        studies = [_run_study(seeds, folder, log) for seeds in extent.stores]
        log("compaction")
        store = measure_store(studies[1], folder)
        log("reports")
        small, large = map(measure_report, studies)
    training = pd.DataFrame([asdict(row) for row in rows])
    return Measurements(training, runs_per_task(), task_ms, store, (small, large))


def _run_study(seeds: int, folder: Path, log: Log) -> Path:
    log(f"a study of {seeds} seeds")
    spec = load_spec("founding", overrides=[f"seeds={seeds}"])
    with choose_executor() as executor:
        options = Options(executor)
        return run_study(spec, folder / f"study-{seeds}", options=options).folder
