import numpy as np
import pandas as pd
import pytest

from finetune.claims.grid import claim_map
from finetune.stats.pairs import RunsError

TREATMENT = "from epoch 0"
TRUTH = {
    "underfits": {"train_loss": 0.02, "test_loss": 0.01},
    "slower": {"train_loss": 0.02},
    "nothing": {},
    "at the margin": {"train_loss": 0.01, "test_loss": 0.005},
}


SETTINGS = list(TRUTH)


def grid(make_runs, *, unchanged=(), **how) -> pd.DataFrame:
    """Make the runs of every setting; in those `unchanged` the treatment never cut its LR."""
    tables = []
    for at, (setting, shift) in enumerate(TRUTH.items()):
        cut = {"cut": np.nan} if setting in unchanged else {}
        runs = make_runs({TREATMENT: shift}, seed=at, **how, **cut)
        tables.append(runs.assign(setting=setting))
    return pd.concat(tables, ignore_index=True)


def test_every_setting_has_its_verdict(spec, make_runs):
    table = claim_map(grid(make_runs), spec.claim, spec=spec, settings=SETTINGS)
    assert table["setting"].tolist() == SETTINGS
    assert table["verdict"].tolist() == ["supported", "refuted", "refuted", "inconclusive"]
    assert table["label"].tolist()[:3] == ["underfit", "slower fit, harmless", "no effect"]
    assert (table["n"] == 40).all()
    assert (table["tested_share"] == 1).all()
    assert (table["p_supported_adjusted"] >= table["p_supported"]).all()
    assert (table["train_loss_low"] <= table["train_loss_difference"]).all()


def test_settings_that_are_not_tested_make_no_other_cheaper(spec, make_runs):
    runs = grid(make_runs, unchanged=("underfits", "nothing"))
    table = claim_map(runs, spec.claim, spec=spec, settings=SETTINGS).set_index("setting")
    assert table.loc[["underfits", "nothing"], "verdict"].tolist() == ["not tested"] * 2
    assert (table.loc["nothing", ["p_supported_adjusted", "p_refuted_adjusted"]] == 1).all()
    tested = ["slower", "at the margin"]
    some = runs[runs["setting"].isin(tested)]
    alone = claim_map(some, spec.claim, spec=spec, settings=tested).set_index("setting")
    columns = ["p_supported_adjusted", "p_refuted_adjusted"]
    pd.testing.assert_frame_equal(table.loc[alone.index, columns], alone[columns])


def test_equal_runs_everywhere_are_refuted(spec, make_runs):
    runs = make_runs(noise=0.0, n=5).assign(setting=0)
    table = claim_map(runs, spec.claim, spec=spec, settings=[0])
    assert table["verdict"].tolist() == ["refuted"]
    assert np.isfinite(table.select_dtypes("number")).all().all()


def test_settings_must_be_complete(spec, make_runs):
    runs = grid(make_runs)
    with pytest.raises(RunsError, match="'nothing' has runs but is not among them"):
        some = [setting for setting in SETTINGS if setting != "nothing"]
        claim_map(runs, spec.claim, spec=spec, settings=some)
    with pytest.raises(RunsError, match="'more' has no runs"):
        claim_map(runs, spec.claim, spec=spec, settings=[*SETTINGS, "more"])
    lost = (runs["setting"] == "slower") & (runs["variant"] == "delayed") & (runs["seed"] == 39)
    with pytest.raises(RunsError, match=r"setting 'slower'.*'delayed', seed 39 is missing"):
        claim_map(runs[~lost], spec.claim, spec=spec, settings=SETTINGS)
