import numpy as np
import pytest

from finetune.analysis.curves import curve_table, mostly_trained
from finetune.analysis.runs import tidy_epochs, tidy_runs
from tests.made_study import make_study


def _curves(made):
    runs = tidy_runs(made.runs, made.spec)
    return curve_table(tidy_epochs(made.epochs, runs), runs)


def _curve(table, variant, metric):
    return table[(table["variant"] == variant) & (table["metric"] == metric)].set_index("epoch")


def test_a_stopped_run_counts_on_with_its_last_value(study):
    curve = _curve(_curves(study), "early stopping", "val_loss")
    epochs = study.epochs[study.epochs["variant"] == "early stopping"]
    wide = epochs.pivot(index="epoch", columns="seed", values="val_loss").ffill()
    np.testing.assert_allclose(curve["mean"].loc[:7], wide.mean(axis=1))
    assert list(curve["n_training"]) == [4] * 6 + [2, 1] + [0] * 4
    assert set(curve["n"]) == {4}


def test_the_mean_of_survivors_would_be_another(study):
    """Seed 2 alone trains at epoch 7, and its losses are higher than those of the others."""
    curve = _curve(_curves(study), "early stopping", "train_loss")
    survivor = study.epochs.query("variant == 'early stopping' and epoch == 7")["train_loss"]
    assert curve.loc[7, "mean"] != pytest.approx(survivor.mean(), rel=0.01)


def test_a_curve_ends_where_fewer_than_half_still_train(study):
    kept = mostly_trained(_curves(study))
    assert _curve(kept, "early stopping", "train_loss").index.max() == 6
    assert _curve(kept, "no callbacks", "train_loss").index.max() == 11


def test_failed_runs_are_in_no_curve():
    curve = _curve(_curves(make_study(failed=(("both", 0),))), "both", "learning_rate")
    assert set(curve["n"]) == {3}
    assert curve.loc[0, "n_training"] == 3


def test_a_variant_without_a_finished_run_has_no_curve():
    made = make_study(seeds=1, failed=(("both", 0),))
    assert "both" not in set(mostly_trained(_curves(made))["variant"])
