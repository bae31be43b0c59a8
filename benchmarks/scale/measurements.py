"""All that is measured for the report on scale, in the order in which it is measured."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd

from benchmarks.scale.cluster import chunk_overhead, cluster, train_here, train_on
from benchmarks.scale.projection import Rates
from benchmarks.scale.storage import Analysed, Stored, report_of, store_of
from finetune.studies.load import load_spec
from finetune.studies.run import run_study


@dataclass(frozen=True)
class Extent:
    """How much is measured: seeds and rounds of training, tiny chunks, seeds of two stores."""

    seeds: int = 128
    rounds: int = 3
    chunks: int = 200
    stores: tuple[int, int] = (100, 400)


@dataclass(frozen=True)
class Measurements:
    """What was measured.

    Attributes:
        trained: A row a training (`cluster.Trained`) and round.
        chunk: Milliseconds of a tiny chunk, by who trained it.
        stored: The larger study's store.
        analysed: The reports of the smaller study and of the larger.
    """

    trained: pd.DataFrame
    chunk: dict[str, float]
    stored: Stored
    analysed: tuple[Analysed, Analysed]

    @property
    def typical(self) -> pd.DataFrame:
        """The median of the rounds, by (where, workers), with what follows from it."""
        table = self.trained.groupby(["where", "workers"]).median(numeric_only=True)
        return table.assign(
            per_second=table["run_epochs"] / table["seconds"],
            bytes_per_run=table["bytes"] / table["runs"],
        )

    @property
    def rates(self) -> Rates:
        """What projections rest on: two workers of a cluster that share a folder."""
        row = self.typical.loc[("cluster, results in the shared folder", 2)]
        small, large = self.analysed
        more = large.run_epochs - small.run_epochs
        before, after = (size / self.stored.run_epochs for size in self.stored.bytes)
        return Rates(
            epochs_per_run=row["run_epochs"] / row["runs"],
            run_epochs_per_worker_hour=3600 * row["per_second"] / 2,
            bytes_per_run_epoch=before,
            compacted_bytes_per_run_epoch=after,
            scheduler_bytes_per_chunk=row["bytes"] / row["chunks"],
            scheduler_seconds_per_chunk=row["scheduler_seconds"] / row["chunks"],
            analysis_seconds_per_run_epoch=(large.seconds - small.seconds) / more,
            analysis_bytes_per_run_epoch=(large.bytes - small.bytes) / more,
        )


def measure(extent: Extent, say: Callable[[str], None]) -> Measurements:
    """Measure everything; it takes minutes, and wants the machine for itself."""
    with TemporaryDirectory() as scratch:
        folder = Path(scratch)
        with cluster(folder, 1) as one, cluster(folder, 2) as two:
            rows = []
            for number in range(extent.rounds):
                say(f"round {number + 1} of {extent.rounds}")
                rows += [
                    train_on(one, seeds=extent.seeds),
                    train_on(two, seeds=extent.seeds),
                    train_on(two, seeds=extent.seeds, return_results=True),
                    train_here(2, seeds=extent.seeds),
                ]
            say("tiny chunks")
            chunk = chunk_overhead(one, chunks=extent.chunks)
        studies = [_study(seeds, folder, say) for seeds in extent.stores]
        say("compaction")
        stored = store_of(studies[1], folder)
        say("reports")
        small, large = map(report_of, studies)
    trained = pd.DataFrame([asdict(row) for row in rows])
    return Measurements(trained, chunk, stored, (small, large))


def _study(seeds: int, folder: Path, say: Callable[[str], None]) -> Path:
    say(f"a study of {seeds} seeds")
    spec = load_spec("founding", overrides=[f"seeds={seeds}"])
    return run_study(spec, folder / f"study-{seeds}").folder
