"""The report on scale, `report.md`, and the numbers behind it."""

import math
from pathlib import Path
from typing import Any

import pandas as pd

from benchmarks.scale.measurements import Extent, Measurements
from benchmarks.scale.projection import projections
from finetune.planning.units import duration
from finetune.report.markdown import (
    Section,
    bullets,
    code_block,
    join_sections,
    number,
    paragraphs,
    plain,
    table,
)
from finetune.store.atomic import write_whole
from finetune.store.machine import machine
from finetune.store.versions import versions

SIZES = (1e6, 1e9)
_SHARED, _LOCAL = ("cluster, results in the shared folder", 2), ("local processes", 2)
_ONE = (_SHARED[0], 1)


def write_report(out: Path, measured: Measurements, extent: Extent) -> Path:
    """Write `report.md` and its tables into `out`; the report comes last."""
    projected = projections(SIZES, measured.rates)
    files = {
        "tables/training.csv": measured.training.to_csv(index=False),
        "tables/projections.csv": projected.to_csv(index=False),
        "report.md": render(measured, projected, extent),
    }
    for name, text in files.items():
        write_whole(out / name, text.encode())
    return out / "report.md"


def render(measured: Measurements, projected: pd.DataFrame, extent: Extent) -> str:
    """Return the report as Markdown."""
    sections = [
        Section("One worker and two", _throughput(measured, extent)),
        Section("What a task costs beside its training", _task(measured, extent)),
        Section("The store", _store(measured)),
        Section("A million and a billion run-epochs", _projected(measured, projected)),
        Section("Reproduce", code_block("python -m benchmarks.scale", language="sh")),
        Section("Machine and versions", _provenance()),
    ]
    return join_sections("Scale", opening=_opening(measured, projected), sections=sections)


def _opening(measured: Measurements, projected: pd.DataFrame) -> str:
    typical = measured.typical
    ratio = typical.loc[_SHARED, "per_second"] / typical.loc[_ONE, "per_second"]
    against = typical.loc[_SHARED, "per_second"] / typical.loc[_LOCAL, "per_second"]
    row = projected.iloc[-1]
    return paragraphs(
        f"**On a Dask cluster of this machine two workers train {number(ratio)} times as fast as "
        f"one, and {number(against)} times as fast as two local processes; the scheduler carries "
        f"{size(typical.loc[_SHARED, 'bytes_per_run'])} a run.**",
        f"A billion run-epochs of the founding study would take {count(row['worker_hours'])} "
        f"worker-hours and {size(row['compacted_bytes'])} of disk. Training and storing them only "
        f"takes more workers; the report is what would not fit: it reads all into memory, "
        f"{size(row['analysis_bytes'])} for these.",
    )


def _throughput(measured: Measurements, extent: Extent) -> str:
    rows = [
        [
            plain(row["where"]),
            str(row["workers"]),
            f"{row['tasks']:.0f}",
            number(row["seconds"]),
            count(row["per_second"]),
            size(row["bytes_per_run"]) if row["where"] != _LOCAL[0] else "-",
        ]
        for row in measured.typical.reset_index().to_dict("records")
    ]
    columns = ["Who trains", "Workers", "Tasks", "Seconds", "Run-epochs a second", "Bytes a run"]
    return paragraphs(
        f"The founding study with {extent.seeds} seeds: {int(measured.training['runs'].iloc[0])} "
        f"runs, the same in every row; median of {extent.rounds} interleaved rounds. Workers are "
        "started as `finetune worker` starts them, and have loaded TensorFlow and traced the graph "
        "before the clock starts.",
        table(rows, columns=columns),
        "Bytes are all that passes between driver, scheduler and workers, heartbeats and TCP "
        "headers included. Results given back pass the scheduler; those in the shared folder do "
        "not. Two processes slow each other on this machine, with a cluster or without.",
    )


def _task(measured: Measurements, extent: Extent) -> str:
    cluster, alone = measured.task_ms["cluster"], measured.task_ms["in one process"]
    spent = measured.rates.scheduler_seconds_per_task
    row: dict[str, Any] = measured.typical.loc[_SHARED].to_dict()
    return bullets(
        f"{extent.tasks} tasks of one run and one epoch took {number(cluster)} ms each on one "
        f"worker of a cluster and {number(alone)} ms each in one process, both writing their "
        f"shard: a cluster adds {number(cluster - alone)} ms a task. A task of the founding study "
        f"trains for {number(row['seconds'] * _SHARED[1] / row['tasks'])} s.",
        f"The scheduler's processor time was {number(1000 * spent)} ms a task, heartbeats and "
        f"progress included, and its traffic {size(measured.rates.scheduler_bytes_per_task)}.",
    )


def _store(measured: Measurements) -> str:
    store = measured.store
    each = [total / store.run_epochs for total in store.bytes]
    rows = [
        [name, str(shards), size(total), number(bytes_each), duration(seconds)]
        for name, shards, total, bytes_each, seconds in zip(
            ("as trained", "after `finetune compact`"),
            store.shards,
            store.bytes,
            each,
            store.checking,
            strict=True,
        )
    ]
    columns = ["Store", "Shards", "Size", "Bytes a run-epoch", "Checking every shard"]
    return paragraphs(
        f"A study of {store.runs:,} runs and {store.run_epochs:,} run-epochs, eleven numbers each.",
        table(rows, columns=columns),
        f"Compaction took {duration(store.compaction)}. A shard is checked by the digest of what "
        "it holds whenever a study is run.",
    )


def _projected(measured: Measurements, projected: pd.DataFrame) -> str:
    rows = [
        ["Runs", *map(whole, projected["runs"])],
        ["Tasks, and so shards", *map(whole, projected["tasks"])],
        ["Store", *map(size, projected["store_bytes"])],
        ["Store, compacted", *map(size, projected["compacted_bytes"])],
        ["Shards, compacted", *map(whole, projected["compacted_shards"])],
        ["Worker-hours", *map(count, projected["worker_hours"])],
        *(
            [
                f"Time on {workers:,} workers",
                *map(duration, 3600 * projected["worker_hours"] / workers),
            ]
            for workers in (2, 100, 1000)
        ),
        ["Scheduler's traffic", *map(size, projected["scheduler_bytes"])],
        ["Scheduler's processor time", *map(duration, projected["scheduler_seconds"])],
        ["Report: time", *map(duration, projected["analysis_seconds"])],
        ["Report: memory", *map(size, projected["analysis_bytes"])],
    ]
    names = [f"{value:,.0f} run-epochs" for value in projected["run_epochs"]]
    small, large = measured.reports
    rate = measured.rates.run_epochs_per_worker_hour
    return paragraphs(
        f"In proportion to the figures above: {rate:,.0f} run-epochs a worker-hour, "
        f"{number(measured.rates.epochs_per_run)} epochs a run, "
        f"{measured.runs_per_task} runs a task.",
        table(rows, columns=["", *names]),
        f"The report's figures are the slope between {small.run_epochs:,} run-epochs "
        f"({duration(small.seconds)}, {size(small.bytes)}) and {large.run_epochs:,} "
        f"({duration(large.seconds)}, {size(large.bytes)}). The scheduler's time is an upper "
        "bound: most of it passes with the hours, not with the tasks. Not measured, and so not in "
        "the table: a network between the workers, a file system under thousands of shards "
        "(compact them as they come), and workers of another speed than these.",
    )


def _provenance() -> str:
    values: dict[str, Any] = {**machine(), **versions()}
    return ", ".join(f"{plain(key)} {plain(value)}" for key, value in values.items())


def size(amount: float) -> str:
    """Format bytes in the unit that a reader expects, in powers of 1000."""
    for unit in ("B", "kB", "MB", "GB"):
        if amount < 1000:
            return f"{number(amount)} {unit}"
        amount /= 1000
    return f"{number(amount)} TB"


def whole(value: float) -> str:
    """Format what comes in whole numbers, rounded up."""
    return f"{math.ceil(value):,}"


def count(value: float) -> str:
    """Format a count, a small one with three digits and a large one whole."""
    return number(value) if value < 100 else f"{value:,.0f}"
