import numpy as np
import pandas as pd
import pytest

from finetune.analysis.callbacks import firing_table, identity_table, mostly_identical
from finetune.analysis.runs import tidy_runs
from tests.made_study import make_study


def _fired(made):
    return firing_table(tidy_runs(made.runs, made.spec), made.spec).set_index("variant")


def _identity(made):
    return identity_table(tidy_runs(made.runs, made.spec)).set_index(["variant", "other"])


def test_cuts_and_stops_are_counted(study):
    table = _fired(study)
    assert list(table["n_cut"]) == [0, 0, 4, 0]
    assert list(table["share_stopped"]) == [0, 1, 0, 1]
    stopping = table.loc["early stopping"]
    # Epochs count from 0, so a run of six epochs stops after epoch 5.
    columns = ["stop_epoch_median", "stop_epoch_min", "stop_epoch_max"]
    assert list(stopping[columns]) == [5.5, 5, 7]
    reduction = table.loc["reduction"]
    assert (reduction["first_cut_epoch_min"], reduction["cuts_median"]) == (3, 1)
    assert reduction["final_lr_max"] == 0.004


def test_what_never_happened_is_missing_and_not_zero(study):
    table = _fired(study)
    assert np.isnan(table.loc["both", "first_cut_epoch_median"])
    assert np.isnan(table.loc["reduction", "stop_epoch_min"])
    assert table.loc["both", "cuts_max"] == 0


def test_failed_runs_do_not_fire():
    table = _fired(make_study(failed=(("reduction", 0),)))
    row = table.loc["reduction"]
    assert (row["n_ok"], row["n_failed"], row["n_cut"], row["share_cut"]) == (3, 1, 3, 1.0)


def test_variants_with_equal_runs_are_found(study):
    table = _identity(study)
    assert table.loc[("early stopping", "both"), "n_identical"] == 4
    assert table.loc[("early stopping", "both"), "max_cuts"] == 0
    assert table.loc[("early stopping", "both"), "max_epochs_run"] == 8
    others = table.drop(index=("early stopping", "both"))
    assert list(others["n_identical"]) == [0] * 5
    assert others["max_cuts"].isna().all()


@pytest.mark.parametrize("column", ["test_loss", "final_lr", "best_epoch", "first_reduction_epoch"])
def test_one_number_apart_is_not_identical(study, column):
    runs = study.runs.copy()
    changed_run = runs.index[(runs["variant"] == "both") & (runs["seed"] == 2)]
    value = runs.loc[changed_run, column].iloc[0]
    # The next float up, or another count: nothing is near enough to be equal.
    apart = np.nextafter(value, 2) if isinstance(value, float) else 99
    runs.loc[changed_run, column] = apart
    changed = identity_table(tidy_runs(runs, study.spec)).set_index(["variant", "other"])
    assert changed.loc[("early stopping", "both"), "n_identical"] == 3


def test_pairs_with_a_failed_run_are_left_out():
    table = _identity(make_study(failed=(("both", 0), ("early stopping", 1))))
    assert table.loc[("early stopping", "both"), ["n_pairs", "n_identical"]].tolist() == [2, 2]


def test_one_variant_has_nobody_to_equal():
    table = _identity(make_study(variants=[{"name": "alone"}]))
    assert table.empty
    assert isinstance(table, pd.DataFrame)


@pytest.mark.parametrize(("changed", "kept"), [((0,), [3]), ((0, 1), [])])
def test_mostly_identical_is_more_than_half_of_the_seeds(changed, kept):
    made = make_study()
    apart = (made.runs["variant"] == "both") & made.runs["seed"].isin(changed)
    made.runs.loc[apart, "test_loss"] += 1
    same = mostly_identical(identity_table(tidy_runs(made.runs, made.spec)))
    assert list(same["n_identical"]) == kept
