import pandas as pd
import pytest

from finetune.stats.comparison import compare
from finetune.stats.pairs import RunsError
from tests.made_comparisons import BARE, CONTROL, TREATMENT, make_runs

FAMILY = ((TREATMENT, CONTROL), (TREATMENT, BARE), (CONTROL, BARE))
SHIFT = {TREATMENT: {"train_loss": 0.02, "test_loss": 0.01, "test_accuracy": -0.02}}
MARGINS = {"train_loss": 0.01, "test_loss": 0.005, "train_accuracy": 0.01, "test_accuracy": 0.005}
# Few enough that sign flips run through every pattern of signs, which is quick.
SEEDS = 12


def compared(runs: pd.DataFrame, family=FAMILY, *, seed: int = 0) -> pd.DataFrame:
    table = compare(runs, family, margins=MARGINS, alpha=0.05, seed=seed)
    return table.set_index(["treatment", "control", "metric"], drop=False)


@pytest.fixture(scope="module")
def runs() -> pd.DataFrame:
    """Runs in which the treatment is worse than both other variants, which are alike."""
    return make_runs(SHIFT, n=SEEDS)


@pytest.fixture(scope="module")
def table(runs) -> pd.DataFrame:
    """Their comparison."""
    return compared(runs)


def test_a_row_for_every_contrast_and_metric(table):
    assert len(table) == 3 * 4
    assert not table.isna().any().any()
    row = table.loc[TREATMENT, CONTROL, "test_loss"]
    assert row["n"] == SEEDS
    assert row["low"] < row["difference"] < row["high"]
    assert row["difference"] == pytest.approx(0.01, abs=0.001)
    assert max(row["p"], row["p_wilcoxon"], row["p_sign_flip"]) < 0.001
    assert row["p_holm"] >= row["p"]
    assert (row["wins"], row["losses"], row["ties"]) == (0, SEEDS, 0)
    assert not row["equal"]
    assert table.loc[CONTROL, BARE, "test_loss"]["equal"]


def test_a_smaller_accuracy_is_a_loss(table):
    row = table.loc[TREATMENT, CONTROL, "test_accuracy"]
    assert row["difference"] < 0
    assert (row["wins"], row["losses"], row["win_rate"]) == (0, SEEDS, 0.0)


def test_holm_corrects_metric_by_metric(table):
    for _, rows in table.groupby(level="metric"):
        assert rows["p_holm"].min() == pytest.approx(min(1, 3 * rows["p"].min()))


def test_equal_variants_are_all_ties():
    table = compared(make_runs(n=SEEDS, noise=0.0))
    assert (table["difference"] == 0).all()
    assert (table[["p", "p_holm", "p_wilcoxon", "p_sign_flip"]] == 1).all().all()
    assert (table["ties"] == SEEDS).all()
    assert (table[["win_rate", "win_low", "win_high"]] == [0.5, 0, 1]).all().all()
    assert table["equal"].all()


def test_order_of_rows_and_contrasts_changes_nothing(runs, table):
    mixed = compared(runs.sample(frac=1, random_state=0), FAMILY[::-1])
    pd.testing.assert_frame_equal(table.sort_index(), mixed.sort_index())


def test_swapping_the_arms_mirrors_the_row(runs, table):
    there = table.loc[TREATMENT, CONTROL, "test_loss"]
    back = compared(runs, ((CONTROL, TREATMENT),)).loc[CONTROL, TREATMENT, "test_loss"]
    assert (back["low"], back["high"]) == pytest.approx((-there["high"], -there["low"]))
    assert (back["wins"], back["losses"]) == (there["losses"], there["wins"])
    assert back["p_wilcoxon"] == pytest.approx(there["p_wilcoxon"])


@pytest.mark.parametrize("failed", [{2}, set(range(SEEDS))])
def test_failed_seeds_leave_only_their_own_contrasts(runs, failed):
    broken = runs.copy()
    broken.loc[(runs["variant"] == BARE) & runs["seed"].isin(failed), "status"] = "failed"
    table = compared(broken)
    assert len(table) == 3 * 4
    assert table.loc[TREATMENT, CONTROL, "test_loss"]["n"] == SEEDS
    row = table.loc[CONTROL, BARE, "test_loss"]
    assert (row["n"], row["excluded"]) == (SEEDS - len(failed), len(failed))
    if not row["n"]:
        assert row["p"] == 1.0


@pytest.mark.parametrize("n", [1, 2, 5])
def test_few_seeds_are_exploratory_and_no_error(n):
    table = compared(make_runs(n=n))
    assert table["exploratory"].all()
    assert not table.isna().any().any()


def test_a_regression_has_no_rows_of_accuracy():
    table = compared(make_runs(n=5, accuracy=False))
    assert set(table["metric"]) == {"train_loss", "test_loss"}


def test_no_contrast_is_an_empty_table(runs):
    assert compare(runs, (), margins={}, alpha=0.05, seed=0).empty


def test_a_missing_run_is_no_smaller_comparison(runs):
    last = (runs["variant"] == CONTROL) & (runs["seed"] == SEEDS - 1)
    with pytest.raises(RunsError, match=f"'delayed', seed {SEEDS - 1} is missing"):
        compared(runs[~last])
