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


def grid(make_runs, **how) -> pd.DataFrame:
    tables = [
        make_runs({TREATMENT: shift}, seed=at, **how).assign(setting=setting)
        for at, (setting, shift) in enumerate(TRUTH.items())
    ]
    return pd.concat(tables, ignore_index=True)


def test_every_setting_has_its_verdict(spec, make_runs):
    delays = dict.fromkeys(TRUTH, 20)
    table = claim_map(grid(make_runs), spec.claim, delays=delays)
    assert table["setting"].tolist() == list(TRUTH)
    assert table["verdict"].tolist() == ["supported", "refuted", "refuted", "inconclusive"]
    assert table["label"].tolist()[:3] == ["underfit", "slower fit, harmless", "no effect"]
    assert (table["n"] == 40).all()
    assert (table["p_supported_adjusted"] >= table["p_supported"]).all()
    assert (table["train_loss_low"] <= table["train_loss_difference"]).all()


def test_settings_that_are_not_tested_make_no_other_cheaper(spec, make_runs):
    runs = grid(make_runs)
    late = dict.fromkeys(TRUTH, 20) | {"underfits": 5, "nothing": 0}
    table = claim_map(runs, spec.claim, delays=late).set_index("setting")
    assert table.loc[["underfits", "nothing"], "verdict"].tolist() == ["not tested"] * 2
    assert (table.loc["nothing", ["p_supported_adjusted", "p_refuted_adjusted"]] == 1).all()
    alone = claim_map(
        runs[runs["setting"].isin(["slower", "at the margin"])],
        spec.claim,
        delays={"slower": 20, "at the margin": 20},
    ).set_index("setting")
    columns = ["p_supported_adjusted", "p_refuted_adjusted"]
    pd.testing.assert_frame_equal(table.loc[alone.index, columns], alone[columns])


def test_a_delay_that_never_ends_counts_any_cut(spec, make_runs):
    delays = dict.fromkeys(TRUTH, None)
    table = claim_map(grid(make_runs, cut=90), spec.claim, delays=delays)
    assert (table["cut_share"] == 1).all()


def test_equal_runs_everywhere_are_refuted(spec, make_runs):
    runs = make_runs(noise=0.0, n=5).assign(setting=0)
    table = claim_map(runs, spec.claim, delays={0: 20})
    assert table["verdict"].tolist() == ["refuted"]
    assert np.isfinite(table.select_dtypes("number")).all().all()


def test_settings_must_be_complete(spec, make_runs):
    runs, delays = grid(make_runs), dict.fromkeys(TRUTH, 20)
    with pytest.raises(RunsError, match="'nothing' has runs but no delay"):
        claim_map(runs, spec.claim, delays={"underfits": 20, "slower": 20, "at the margin": 20})
    with pytest.raises(RunsError, match="'more' has no runs"):
        claim_map(runs, spec.claim, delays=delays | {"more": 20})
    lost = (runs["setting"] == "slower") & (runs["variant"] == "delayed") & (runs["seed"] == 39)
    with pytest.raises(RunsError, match=r"setting 'slower'.*'delayed', seed 39 is missing"):
        claim_map(runs[~lost], spec.claim, delays=delays)
