import numpy as np
import pandas as pd
import pytest
from scipy import stats

from finetune.analysis.runs import tidy_runs
from finetune.analysis.summary import describe, summary_table
from tests.made_study import make_study


def _row(table, variant, metric):
    return table[(table["variant"] == variant) & (table["metric"] == metric)].iloc[0]


def test_the_interval_is_scipys():
    values = np.random.default_rng(0).normal(size=9)
    row = describe(pd.DataFrame({"by": "a", "value": values}), by=["by"]).iloc[0]
    interval = stats.ttest_1samp(values, 0).confidence_interval()
    np.testing.assert_allclose([row["low"], row["high"]], [interval.low, interval.high])
    np.testing.assert_allclose(row[["median", "q25", "q75"]].astype(float), [
        np.median(values), *np.quantile(values, [0.25, 0.75])
    ])  # fmt: skip


@pytest.mark.parametrize("value", [0.0, 0.1, 1 / 3, -2.7])
@pytest.mark.parametrize("count", [2, 7, 100])
def test_equal_values_have_an_interval_of_no_width(value, count):
    row = describe(pd.DataFrame({"by": "a", "value": [value] * count}), by=["by"]).iloc[0]
    assert row["low"] == pytest.approx(row["mean"], abs=1e-15)
    assert row["high"] == pytest.approx(value, abs=1e-15)


def test_one_value_has_no_interval():
    row = describe(pd.DataFrame({"by": ["a"], "value": [2.5]}), by=["by"]).iloc[0]
    assert (row["n"], row["mean"], row["median"]) == (1, 2.5, 2.5)
    assert np.isnan(row["low"])
    assert np.isnan(row["high"])


def test_failed_runs_are_counted_and_not_averaged():
    made = make_study(failed=(("both", 1), ("both", 2)))
    table = summary_table(tidy_runs(made.runs, made.spec), made.spec)
    row = _row(table, "both", "test_loss")
    assert (row["n_ok"], row["n_failed"], row["n"]) == (2, 2, 2)
    kept = made.runs.query("variant == 'both' and seed in [0, 3]")["test_loss"]
    assert row["mean"] == pytest.approx(kept.mean())


def test_a_variant_whose_runs_all_failed_keeps_its_row():
    made = make_study(seeds=2, failed=(("reduction", 0), ("reduction", 1)))
    table = summary_table(tidy_runs(made.runs, made.spec), made.spec)
    row = _row(table, "reduction", "train_loss")
    assert (row["n"], row["n_failed"]) == (0, 2)
    assert np.isnan(row["mean"])


def test_epochs_saved_are_those_of_the_budget_not_run(study):
    table = summary_table(tidy_runs(study.runs, study.spec), study.spec)
    assert _row(table, "early stopping", "epochs_run")["mean"] == (6 + 7 + 8 + 6) / 4
    assert _row(table, "early stopping", "epochs_saved")["mean"] == 12 - (6 + 7 + 8 + 6) / 4
    assert _row(table, "no callbacks", "epochs_saved")["high"] == 0
