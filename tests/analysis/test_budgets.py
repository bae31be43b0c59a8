"""Budgets: what runs would have ended with sooner, against Keras's own early stopping."""

from types import SimpleNamespace

import keras
import numpy as np
import pandas as pd
import pytest

from finetune.analysis.budgets import (
    budget_table,
    cost_table,
    default_budgets,
    default_target,
    loss_by_budget,
    runs_within,
    time_table,
)
from finetune.analysis.runs import METRICS, tidy_epochs, tidy_runs
from finetune.spec.study import StudySpec
from finetune.spec.study_file import parse_spec
from finetune.spec.variants import EarlyStoppingSpec
from tests.made_study import BUDGET, VARIANTS, make_study
from tests.small_studies import small_study, task

MODES = {"loss": "min", "val_loss": "min", "val_accuracy": "max"}


def spec_of(*stopping: dict | None, epochs: int = 9) -> StudySpec:
    """Return a study with a variant for each of these early stoppings, named v0, v1, ..."""
    variants = [
        {"name": f"v{place}"} | ({"early_stopping": arguments} if arguments is not None else {})
        for place, arguments in enumerate(stopping)
    ]
    tree = {"name": "made", "seeds": 1, "data": {"source": "load_iris"}, "variants": variants}
    return parse_spec(tree | {"training": {"epochs": epochs}})


def epochs_of(spec: StudySpec, curves: dict[tuple[str, int], list[float]]) -> pd.DataFrame:
    """Return epochs of runs by (variant, seed), whose monitored quantities all follow one curve.

    The test loss is 100 times the epoch, so that a result shows its epoch.
    """
    tables = [
        pd.DataFrame({"variant": variant, "seed": seed, "epoch": range(len(values))}).assign(
            **dict.fromkeys(METRICS, np.nan)
            | dict.fromkeys(MODES, np.array(values, np.float32).astype(float))
            | {"test_loss": 100.0 * np.arange(len(values))}
        )
        for (variant, seed), values in curves.items()
    ]
    names = pd.CategoricalDtype([variant.name for variant in spec.variants], ordered=True)
    return pd.concat(tables, ignore_index=True).astype({"variant": names})


def runs_of(epochs: pd.DataFrame) -> pd.DataFrame:
    """Return the runs that end with the last of these epochs and measure no accuracy."""
    runs = epochs.groupby(["variant", "seed"], observed=True, as_index=False).last()
    return runs.assign(status="ok", epochs_run=runs["epoch"] + 1)


def kept_by_keras(values: list[float], spec: EarlyStoppingSpec, *, budget: int) -> tuple[int, int]:
    """Let Keras's callback end a run: return its epochs and the epoch whose weights it keeps."""
    callback = keras.callbacks.EarlyStopping(**spec.model_dump(), mode=MODES[spec.monitor])
    model = SimpleNamespace(stop_training=False, epoch=0)
    model.get_weights = lambda: model.epoch
    model.set_weights = lambda epoch: setattr(model, "epoch", epoch)
    callback.set_model(model)
    callback.on_train_begin()
    count = 0
    while count < min(budget, len(values)) and not model.stop_training:
        model.epoch = count
        callback.on_epoch_end(count, {spec.monitor: values[count]})
        count += 1
    callback.on_train_end()
    return count, model.epoch


@pytest.mark.parametrize(
    ("epochs", "budgets"),
    [
        (1, (1,)),
        (5, (1, 2, 5)),
        (12, (1, 2, 5, 10, 12)),
        (100, (5, 10, 20, 50, 100)),
        (150, (10, 20, 50, 100, 150)),
        (1000, (50, 100, 200, 500, 1000)),
    ],
)
def test_budgets_end_with_the_studys_own(epochs, budgets):
    assert default_budgets(epochs) == budgets


def test_runs_within_by_hand():
    spec = spec_of(None, {"patience": 2}, {"patience": 2, "restore_best_weights": False})
    curve = [0.9, 0.5, 0.6, 0.4, 0.45, 0.5]
    epochs = epochs_of(spec, {(f"v{v}", 0): curve for v in range(3)})
    ends = runs_within(epochs, spec, budgets=[3, 5, 9])
    assert list(ends["epochs_run"]) == [3, 5, 6] * 3
    assert list(ends["epoch"]) == [2, 4, 5, 1, 3, 3, 2, 4, 5]
    assert list(ends["test_loss"]) == [100.0 * epoch for epoch in ends["epoch"]]


@pytest.mark.parametrize(
    "arguments",
    [
        {"patience": 2},
        {"patience": 3, "min_delta": 0.05},
        {"patience": 2, "start_from_epoch": 4},
        {"patience": 2, "start_from_epoch": 50},
        {"patience": 1, "monitor": "val_accuracy"},
        {"patience": 1, "monitor": "loss", "min_delta": 0.1, "start_from_epoch": 1},
        {"patience": 2, "baseline": 0.2},
        {"patience": 2, "restore_best_weights": False},
    ],
)
def test_within_every_budget_a_run_ends_as_keras_ends_it(arguments):
    # Two decimals, so that there are ties, which the first epoch wins; NaN in some, also first.
    curves = np.random.default_rng(2).random((30, 9)).round(2)
    curves[20:] = np.where(np.random.default_rng(3).random((10, 9)) < 0.3, np.nan, curves[20:])
    assert 0 < np.isnan(curves[:, 0]).sum() < 10
    spec = spec_of(arguments)
    stopping = spec.variants[0].early_stopping
    assert stopping is not None
    lengths = [kept_by_keras(list(curve), stopping, budget=9)[0] for curve in curves]
    runs = {("v0", s): list(c[:n]) for s, (c, n) in enumerate(zip(curves, lengths, strict=True))}
    ends = runs_within(epochs_of(spec, runs), spec, budgets=range(1, 10))
    for row in ends.to_dict("records"):
        curve = list(curves[row["seed"]])
        expected = kept_by_keras(curve, stopping, budget=row["budget"])
        assert (row["epochs_run"], row["epoch"]) == expected


def test_the_full_budget_gives_what_the_runs_ended_with(study):
    runs = tidy_runs(study.runs, study.spec)
    ends = runs_within(tidy_epochs(study.epochs, runs), study.spec, budgets=[BUDGET])
    both = ends.merge(runs, on=["variant", "seed"], suffixes=("", "_run"))
    assert len(both) == len(runs)
    for name in (*METRICS, "epochs_run"):
        assert list(both[name]) == list(both[f"{name}_run"])


@pytest.mark.slow
def test_a_training_with_a_smaller_budget_ends_as_the_larger_one_says():
    """Train for real, for 12 epochs and anew for 7: the second is read off the first exactly."""
    from finetune.engines.population import PopulationEngine

    spec = small_study("variants.1.early_stopping.patience=1", "training.epochs=12", "seeds=3")
    long, short = (
        PopulationEngine().train(task(made, seeds=range(3))) for made in (spec, spec.with_epochs(7))
    )
    epochs = tidy_epochs(long.epochs, tidy_runs(long.runs, spec))
    for budget, trained in ((12, long), (7, short)):
        ends = runs_within(epochs, spec, budgets=[budget])
        expected = tidy_runs(trained.runs, spec).set_index(["variant", "seed"])
        found = ends.set_index(["variant", "seed"]).loc[expected.index]
        assert len(found) == 15
        for name in (*METRICS, "epochs_run"):
            np.testing.assert_array_equal(found[name], expected[name].astype(float))


def test_the_table_describes_every_budget():
    spec = spec_of(None, {"patience": 1}, epochs=5)
    curves = {("v0", 0): [0.5] * 5, ("v0", 1): [0.5] * 5}
    curves |= {("v1", 0): [0.5, 0.4, 0.6], ("v1", 1): [0.5, 0.4, 0.3, 0.2, 0.1]}
    epochs = epochs_of(spec, curves)
    runs = runs_of(epochs).assign(test_loss=[400.0, 400, 100, 400])
    table = budget_table(epochs, runs, spec).set_index(["variant", "budget", "metric"])
    assert set(table.index.unique("metric")) == {"test_loss", "epochs_run", "epochs_saved"}
    assert set(table.index.unique("budget")) == {1, 2, 5}
    assert table["mean"]["v0", 5, "test_loss"] == 400
    assert table["mean"]["v1", 5, "test_loss"] == (100 + 400) / 2
    assert table["mean"]["v1", 2, "test_loss"] == 100
    assert table["mean"]["v1", 5, "epochs_run"] == 4
    assert table["mean"]["v1", 5, "epochs_saved"] == 1
    # Two values 300 apart: half the interval is t(0.975, 1) = 12.706 standard errors of 150.
    assert table["high"]["v1", 5, "test_loss"] == pytest.approx(250 + 12.7062 * 150, rel=1e-5)


def test_where_the_budget_outlasts_a_run_its_own_results_stand():
    spec = spec_of(None, epochs=5)
    epochs = epochs_of(spec, {("v0", 0): [0.5] * 4})
    runs = runs_of(epochs).assign(test_loss=7.0)
    table = budget_table(epochs, runs, spec).set_index(["budget", "metric"])["mean"]
    assert [table[budget, "test_loss"] for budget in (1, 2, 5)] == [0, 100, 7]


def test_failed_runs_count_in_no_budget():
    analysis = make_study(failed=(("both", 1),)).analysis()
    losses = analysis.budgets.query("variant == 'both' and metric == 'test_loss'")
    assert set(losses["n"]) == {3}
    assert list(analysis.time_to_target["n"]) == [4, 4, 4, 3]


def test_where_every_run_failed_there_is_nothing_to_describe():
    everything = tuple((variant["name"], 0) for variant in VARIANTS)
    analysis = make_study(seeds=1, failed=everything).analysis()
    assert set(analysis.budgets["n"]) <= {0}
    assert analysis.time_to_target[["n", "misses"]].to_numpy().tolist() == [[0, 0]] * 4
    assert analysis.time_to_target["median"].isna().all()


def test_time_to_a_target_by_hand():
    spec = spec_of(None, None)
    runs = [[0.5, 0.25], [0.125, 0.9, 0.1], [0.4, 0.4, 0.2], [0.9]]
    curves = {("v0", seed): values for seed, values in enumerate(runs)}
    curves |= {("v1", seed): [0.9, 0.9] for seed in range(4)}
    table = time_table(epochs_of(spec, curves), target=0.25).set_index("variant")
    # Arrivals after 2, 1 and 3 epochs, and never: 1, 2, 3, never.
    assert list(table.loc["v0", ["n", "misses", "q25", "median", "q75"]]) == [4, 1, 1, 2, 3]
    assert list(table.loc["v1", ["n", "misses"]]) == [4, 4]
    assert table.loc["v1", ["q25", "median", "q75"]].isna().all()


def test_a_miss_is_later_than_all_others_and_not_dropped():
    spec = spec_of(None)
    values = [[0.1], [0.9], [0.9]]
    curves = {("v0", seed): curve for seed, curve in enumerate(values)}
    row = time_table(epochs_of(spec, curves), target=0.3).iloc[0]
    assert (row["q25"], row["misses"]) == (1, 2)
    assert row["median"] is pd.NA


@pytest.mark.parametrize(
    ("lowest", "target"),
    [
        ([0.1234], 0.124),
        ([0.123], 0.123),
        ([0.1230001], 0.124),
        ([1234.0], 1240.0),
        ([0.1, 0.2, 0.3, 0.4], 0.4),
        ([0.1, 0.2, 0.3, 0.4, 0.5], 0.4),
        ([0.0], 0.0),
        ([-0.1239], -0.123),
    ],
)
def test_the_default_target_is_the_upper_quartile_rounded_up(lowest, target):
    spec = spec_of(None, None)
    curves = {("v0", seed): [9.0, value, 9.0] for seed, value in enumerate(lowest)}
    epochs = epochs_of(spec, curves | {("v1", 0): [min(lowest) - 1]})
    epochs["val_loss"] = epochs["val_loss"].round(7)  # as float32 holds it, it is a little more
    assert default_target(epochs) == target


def test_three_of_four_runs_of_every_variant_reach_the_default_target():
    rng = np.random.default_rng(7)
    spec = spec_of(None, None)
    curves = {(f"v{v}", s): list(rng.random(9) + v) for v in range(2) for s in range(20)}
    table = time_table(epochs_of(spec, curves))
    assert (4 * table["misses"] <= table["n"]).all()
    assert table["misses"].max() > 0


def test_losses_by_budget_stand_beside_the_epochs_they_took(analysis):
    losses = loss_by_budget(analysis.budgets)
    assert len(losses) == 4 * 5
    stopping = losses.loc[losses["variant"] == "early stopping"]
    assert list(stopping["epochs_run"]) == [1, 2, 5, 6.75, 6.75]
    expected = analysis.budgets.query("variant == 'early stopping' and metric == 'test_loss'")
    assert list(stopping["mean"]) == list(expected["mean"])


def test_the_lowest_mean_of_a_budget_is_marked_and_ties_are_too(analysis):
    lowest = loss_by_budget(analysis.budgets).pivot(
        index="variant", columns="budget", values="lowest"
    )
    # Nothing has stopped or cut within 2 epochs; no callback makes these losses lower later.
    assert list(lowest[2]) == [True] * 4
    assert list(lowest[12]) == [True, False, False, False]


def test_costs_are_epochs_run_and_saved_of_the_whole_budget(analysis):
    costs = cost_table(analysis.budgets, analysis.time_to_target).set_index("variant")
    assert set(costs["budget"]) == {BUDGET}
    assert costs.loc["no callbacks", ["epochs_run", "share_saved"]].tolist() == [12, 0]
    # 6, 7, 8 and 6 epochs of 12.
    assert costs.loc["early stopping", "epochs_run"] == 6.75
    assert costs.loc["early stopping", "share_saved"] == pytest.approx(5.25 / 12)
