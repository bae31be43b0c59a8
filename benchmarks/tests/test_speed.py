"""Times are compared within a round, operations are counted, and all methods train the same."""

import json
from importlib.util import find_spec

import keras
import numpy as np
import pandas as pd
import pytest

from benchmarks.speed.__main__ import speed
from benchmarks.speed.arithmetic import network_operations, operations
from benchmarks.speed.equality import TOLERANCE
from benchmarks.speed.methods import FORKING, JAX, LOOP, TUNED
from benchmarks.speed.network_table import with_section
from benchmarks.speed.networks import NETWORKS
from benchmarks.speed.rounds import Extent, Measurements, whole_task
from benchmarks.speed.summary import summarise


def test_operations_count_products_by_hand():
    task = whole_task(Extent(seeds=1, epochs=1))
    forward = 2 * (10 * 64 + 64 * 32 + 32 * 16 + 16)
    training = 600 * (3 * forward - 2 * 10 * 64)

    assert operations(task, measures=()) == training
    assert operations(task, measures=("train", "val", "test")) == training + 1000 * forward


def test_operations_of_a_network_count_kernels_by_hand():
    layers = keras.layers
    base = keras.Sequential([keras.Input((6, 6, 2)), layers.Conv2D(3, 3)])
    base.trainable = False
    stack = [layers.Conv2D(5, 2), layers.Reshape((9, 5)), layers.LSTM(4), layers.Dense(2)]
    model = keras.Sequential([keras.Input((6, 6, 2)), base, *stack])
    frozen = 2 * 4 * 4 * (3 * 3 * 2 * 3)
    first, *rest = 2 * 3 * 3 * (2 * 2 * 3 * 5), 2 * 9 * (5 + 4) * 16, 2 * 4 * 2
    forward = frozen + first + sum(rest)

    # The first that trains needs no gradient of its inputs.
    gradients = first + 2 * sum(rest)
    rows = {"train": 10, "val": 3, "test": 2}
    assert network_operations(model, rows) == 10 * (forward + gradients) + 15 * forward


def test_a_section_is_put_in_the_place_of_the_former_one():
    report = "# Speed\n\n## Networks\n\nold | text\n\n## Work\n\nstays\n"
    made = with_section(report, "new\n")
    assert made == "# Speed\n\n## Networks\n\nnew\n\n## Work\n\nstays\n"


@pytest.mark.parametrize("network", NETWORKS)
def test_every_network_is_a_study(network):
    study = NETWORKS[network].study()
    assert len(study.variants) == 5
    assert NETWORKS[network].limit


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
    nothing = pd.DataFrame()
    table = summarise(Measurements(rounds, rounds, facts, nothing, {}, 1e9, nothing))

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
    assert len(pd.read_csv(tmp_path / "networks.csv")) == 2
    assert "| CNN on 8x8 digits" in report
