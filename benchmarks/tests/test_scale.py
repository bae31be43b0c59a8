"""Projections of scale are in proportion, and shown in the units that a reader expects."""

import pandas as pd
import pytest

from benchmarks.scale.cluster import runs_per_task
from benchmarks.scale.measurements import Extent, Measurements
from benchmarks.scale.projection import Rates, project
from benchmarks.scale.report import count, size, write_report
from benchmarks.scale.storage import ReportCost, StoreCost

RATES = Rates(
    epochs_per_run=50,
    run_epochs_per_worker_hour=1e6,
    bytes_per_run_epoch=20,
    compacted_bytes_per_run_epoch=16,
    runs_per_task=320,
    scheduler_bytes_per_task=3e4,
    scheduler_seconds_per_task=0.01,
    analysis_seconds_per_run_epoch=1e-5,
    analysis_bytes_per_run_epoch=500,
)


def test_a_billion_run_epochs_by_hand():
    assert project(1e9, RATES) == pytest.approx(
        {
            "run_epochs": 1e9,
            "runs": 2e7,
            "tasks": 62_500,
            "store_bytes": 2e10,
            "compacted_bytes": 1.6e10,
            "compacted_shards": 1.6e10 / (64 * 2**20),
            "worker_hours": 1000,
            "scheduler_bytes": 1.875e9,
            "scheduler_seconds": 625,
            "analysis_seconds": 1e4,
            "analysis_bytes": 5e11,
        }
    )


@pytest.mark.parametrize(
    ("amount", "shown"),
    [(0, "0 B"), (999, "999 B"), (1500, "1.5 kB"), (2e10, "20 GB"), (5e13, "50 TB")],
)
def test_bytes_are_shown_in_a_fitting_unit(amount, shown):
    assert size(amount) == shown


@pytest.mark.parametrize(("value", "shown"), [(0.25, "0.25"), (99.5, "99.5"), (1234.5, "1,234")])
def test_large_counts_are_whole(value, shown):
    assert count(value) == shown


def test_the_founding_study_has_the_runs_per_task_of_the_projection():
    assert runs_per_task() == RATES.runs_per_task


def test_the_report_has_the_median_of_the_rounds_and_the_slope_of_reports(tmp_path):
    rows = [
        (where, workers, 640, 32_000, 2, seconds, 64_000, 0.02)
        for seconds in (9.0, 8.0, 40.0)
        for where, workers in (
            ("cluster, results in the shared folder", 1),
            ("cluster, results in the shared folder", 2),
            ("cluster, results given back", 2),
            ("local processes", 2),
        )
    ]
    columns = [
        "where",
        "workers",
        "runs",
        "run_epochs",
        "tasks",
        "seconds",
        "bytes",
        "scheduler_seconds",
    ]
    measured = Measurements(
        pd.DataFrame(rows, columns=columns),
        320,
        {"cluster": 50.0, "in one process": 40.0},
        StoreCost(1000, 20, (10, 1), (20_000, 16_000), 0.5, (0.1, 0.1)),
        (ReportCost(1000, 2.0, 10**8), ReportCost(3000, 4.0, 3 * 10**8)),
    )
    assert measured.rates.run_epochs_per_worker_hour == pytest.approx(3600 * 32_000 / 9 / 2)
    assert measured.rates.analysis_seconds_per_run_epoch == pytest.approx(0.001)
    assert measured.rates.analysis_bytes_per_run_epoch == pytest.approx(10**5)
    text = write_report(tmp_path, measured, Extent()).read_text()
    assert "adds 10 ms a task" in text
    assert "100 B a run" in text
    assert pd.read_csv(tmp_path / "tables" / "projections.csv")["run_epochs"].tolist() == [1e6, 1e9]
