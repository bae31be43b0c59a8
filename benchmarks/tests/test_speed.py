"""Times are compared within a round, operations are counted, and all methods train the same."""

import json
from importlib.util import find_spec

import numpy as np
import pandas as pd
import pytest

from benchmarks.speed.__main__ import speed
from benchmarks.speed.arithmetic import operations
from benchmarks.speed.equality import TOLERANCE
from benchmarks.speed.methods import FORKING, JAX, LOOP, TUNED
from benchmarks.speed.rounds import Extent, Measurements, whole_task
from benchmarks.speed.summary import summarise


def test_operations_count_products_by_hand():
    task = whole_task(Extent(seeds=1, epochs=1))
    forward = 2 * (10 * 64 + 64 * 32 + 32 * 16 + 16)
    training = 600 * (3 * forward - 2 * 10 * 64)

    assert operations(task, measures=()) == training
    assert operations(task, measures=("train", "val", "test")) == training + 1000 * forward


def test_ratios_compare_within_a_round():
    # The machine is twice as slow in the second round, for every method alike.
    rounds = pd.DataFrame(
        [
            {"method": key, "runs": 1, "round": number, "wall": seconds * (1 + number),
             "cpu": seconds, "run_epochs": 10, "row_epochs": 5}
            for number in (0, 1, 2)
            for key, seconds in {LOOP: 10.0, TUNED: 5.0, FORKING: 0.1}.items()
        ]
    )  # fmt: skip
    facts = {key: {"label": key, "operations": 2e6} for key in (LOOP, TUNED, FORKING)}
    table = summarise(Measurements(rounds, rounds, facts, pd.DataFrame(), {}, peak=1e9))

    assert table.loc[FORKING, "vs_keras"] == pytest.approx(100)
    assert table.loc[FORKING, "vs_keras_tuned"] == pytest.approx(50)
    assert np.isnan(table.loc[FORKING, "vs_jax"])
    assert table.loc[FORKING, "rows_per_run"] == pytest.approx(0.5)
    # 2e6 operations a row-epoch, half a row a run-epoch, 20 ms a run-epoch.
    assert table.loc[FORKING, "gflops"] == pytest.approx(0.05)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_quick_run_finds_equal_work_and_writes_the_report(tmp_path):
    speed(out=tmp_path, quick=True)

    numbers = json.loads((tmp_path / "speed.json").read_text())
    assert (JAX in numbers["methods"]) == bool(find_spec("jax"))
    assert max(numbers["loss_differences"].values()) <= TOLERANCE
    assert numbers["methods"][FORKING]["rows_per_run"] < 1
    report = (tmp_path / "report.md").read_text()
    assert "The work is equal" in report
    assert (tmp_path / "figures/runs.svg").exists()
    assert len(pd.read_csv(tmp_path / "rounds.csv")) == len(numbers["methods"])
