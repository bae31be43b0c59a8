import numpy as np
import pandas as pd
import pytest

from finetune.spec.claims import Margins
from finetune.spec.study import StudySpec
from finetune.stats.comparison import compare, contrasts, default_contrasts
from finetune.stats.pairs import RunsError
from finetune.stats.sensitivity import sign_flip, signed_rank, win_rate

BARE, TREATMENT, CONTROL = "no callbacks", "from epoch 0", "delayed"
FAMILY = ((TREATMENT, CONTROL), (TREATMENT, BARE), (CONTROL, BARE))
SHIFT = {TREATMENT: {"train_loss": 0.02, "test_loss": 0.01, "test_accuracy": -0.02}}


def compared(runs: pd.DataFrame, family=FAMILY, *, seed: int = 0) -> pd.DataFrame:
    table = compare(runs, family, margins=Margins(), alpha=0.05, seed=seed)
    return table.set_index(["treatment", "control", "metric"], drop=False)


def test_a_row_for_every_contrast_and_metric(make_runs):
    table = compared(make_runs(SHIFT, n=20))
    assert len(table) == 3 * 4
    assert not table.isna().any().any()
    row = table.loc[TREATMENT, CONTROL, "test_loss"]
    assert row["n"] == 20
    assert row["low"] < row["difference"] < row["high"]
    assert row["difference"] == pytest.approx(0.01, abs=0.001)
    assert max(row["p"], row["p_wilcoxon"], row["p_sign_flip"]) < 0.001
    assert row["p_holm"] >= row["p"]
    assert (row["wins"], row["losses"], row["ties"]) == (0, 20, 0)
    assert not row["equal"]
    assert table.loc[CONTROL, BARE, "test_loss"]["equal"]


def test_a_smaller_accuracy_is_a_loss(make_runs):
    row = compared(make_runs(SHIFT, n=20)).loc[TREATMENT, CONTROL, "test_accuracy"]
    assert row["difference"] < 0
    assert (row["wins"], row["losses"], row["win_rate"]) == (0, 20, 0.0)


def test_holm_corrects_metric_by_metric(make_runs):
    table = compared(make_runs(n=20))
    for _, rows in table.groupby(level="metric"):
        assert rows["p_holm"].min() == pytest.approx(min(1, 3 * rows["p"].min()))


def test_equal_variants_are_all_ties(make_runs):
    table = compared(make_runs(n=20, noise=0.0))
    assert (table["difference"] == 0).all()
    assert (table[["p", "p_holm", "p_wilcoxon", "p_sign_flip"]] == 1).all().all()
    assert (table["ties"] == 20).all()
    assert (table[["win_rate", "win_low", "win_high"]] == [0.5, 0, 1]).all().all()
    assert table["equal"].all()


def test_order_of_rows_and_contrasts_changes_nothing(make_runs):
    runs = make_runs(SHIFT, n=12)
    straight = compared(runs)
    mixed = compared(runs.sample(frac=1, random_state=0), FAMILY[::-1])
    pd.testing.assert_frame_equal(straight.sort_index(), mixed.sort_index())


def test_swapping_the_arms_mirrors_the_row(make_runs):
    table = compared(make_runs(n=20), ((TREATMENT, CONTROL), (CONTROL, TREATMENT)))
    there = table.loc[TREATMENT, CONTROL, "test_loss"]
    back = table.loc[CONTROL, TREATMENT, "test_loss"]
    assert (back["low"], back["high"]) == pytest.approx((-there["high"], -there["low"]))
    assert (back["wins"], back["losses"]) == (there["losses"], there["wins"])
    assert back["p_wilcoxon"] == pytest.approx(there["p_wilcoxon"])


def test_failed_seeds_leave_only_their_own_contrasts(make_runs):
    runs = make_runs(n=10)
    runs.loc[(runs["variant"] == BARE) & (runs["seed"] == 2), "status"] = "failed"
    table = compared(runs)
    assert table.loc[TREATMENT, CONTROL, "test_loss"]["n"] == 10
    row = table.loc[CONTROL, BARE, "test_loss"]
    assert (row["n"], row["excluded"]) == (9, 1)


@pytest.mark.parametrize("n", [1, 2, 5])
def test_few_seeds_are_exploratory_and_no_error(make_runs, n):
    table = compared(make_runs(n=n))
    assert table["exploratory"].all()
    assert not table.isna().any().any()


def test_a_regression_has_no_rows_of_accuracy(make_runs):
    table = compared(make_runs(n=10, accuracy=False))
    assert set(table["metric"]) == {"train_loss", "test_loss"}


def test_a_variant_that_failed_throughout_keeps_its_rows(make_runs):
    runs = make_runs(n=10)
    runs.loc[runs["variant"] == BARE, "status"] = "failed"
    table = compared(runs)
    assert len(table) == 3 * 4
    row = table.loc[CONTROL, BARE, "test_loss"]
    assert (row["n"], row["excluded"], row["p"]) == (0, 10, 1.0)
    assert table.loc[TREATMENT, CONTROL, "test_loss"]["n"] == 10


def test_no_contrast_is_an_empty_table(make_runs):
    assert compare(make_runs(n=3), (), margins=Margins(), alpha=0.05, seed=0).empty


def test_a_missing_cell_is_no_smaller_comparison(make_runs):
    runs = make_runs(n=10)
    with pytest.raises(RunsError, match="'delayed', seed 9 is missing"):
        compared(runs[(runs["variant"] != CONTROL) | (runs["seed"] < 9)])


def test_the_default_family(spec):
    assert default_contrasts(spec) == ((TREATMENT, CONTROL), (TREATMENT, BARE), (CONTROL, BARE))
    assert contrasts(spec) == default_contrasts(spec)


def named(*names: str, claim: tuple[str, str] | None = None) -> StudySpec:
    tree = {
        "name": "made-up",
        "data": {"source": "x"},
        "variants": tuple(
            {"name": name} if name == BARE else {"name": name, "reduce_lr": {}} for name in names
        ),
    }
    if claim:
        tree["claim"] = {"treatment": claim[0], "control": claim[1]}
    return StudySpec.model_validate(tree)


def test_a_family_holds_no_pair_twice():
    same = named("a", BARE, claim=("a", BARE))
    assert default_contrasts(same) == (("a", BARE),)
    turned = named("a", BARE, claim=(BARE, "a"))
    assert default_contrasts(turned) == ((BARE, "a"),)


def test_the_first_variant_stands_in_for_a_bare_one():
    assert default_contrasts(named("a", "b", "c")) == (("b", "a"), ("c", "a"))


def test_wilcoxon_with_few_ties_and_zeros_counts_every_pattern():
    # Signs of 1, 1, 2 and nothing else: 2 of 8 patterns are as extreme.
    found = signed_rank(np.array([1.0, 0.0, 1.0, 2.0, 0.0]))
    assert (found.p, found.method) == (0.25, "exact, with ties")
    assert signed_rank(np.zeros(30)).p == 1.0


def test_five_pairs_cannot_reach_a_twentieth():
    assert signed_rank(np.arange(1.0, 6.0)).p == 0.0625


def test_sign_flips_are_exact_while_few_and_repeatable_when_many():
    assert sign_flip(np.array([0.1, 0.2, 0.4]), seed=0) == 0.25
    many = np.random.default_rng(0).normal(0.3, 1, 40)
    assert sign_flip(many, seed=1) == sign_flip(many, seed=1)
    assert sign_flip(many, seed=1) == pytest.approx(sign_flip(many, seed=2), abs=0.02)
    assert sign_flip(np.zeros(40), seed=1) == 1.0


def test_ties_stand_apart_from_wins():
    found = win_rate(np.array([-1.0, -1.0, 1.0, 0.0]), alpha=0.05)
    assert (found.wins, found.losses, found.ties) == (2, 1, 1)
    assert found.rate == pytest.approx(2 / 3)
