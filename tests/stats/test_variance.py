from functools import cache

import numpy as np
import pandas as pd
import pytest

from finetune.stats.pairs import RunsError
from finetune.stats.variance import COLUMNS, TOGETHER, spread, variance_table

METRICS = ("test_loss", "train_loss", "test_accuracy", "train_accuracy")


def runs_of(**losses: np.ndarray) -> pd.DataFrame:
    """Make runs of variants with these test losses; the other metrics never vary."""
    tables = [
        pd.DataFrame({"variant": name, "seed": range(len(values)), "status": "ok"}).assign(
            **{**dict.fromkeys(METRICS, 0.5), "test_loss": values}
        )
        for name, values in losses.items()
    ]
    return pd.concat(tables, ignore_index=True)


def row_of(table: pd.DataFrame, source: str, variant: str, metric="test_loss", *, minus=None):
    same = table["minus"].isna() if minus is None else table["minus"] == minus
    keys = (table["source"] == source) & (table["variant"] == variant) & same
    rows = table[keys & (table["metric"] == metric)]
    assert len(rows) == 1
    return rows.iloc[0]


def simulate(n: int, *, varied: tuple[str, ...], interaction: float = 0.0) -> pd.DataFrame:
    """Simulate two variants: sd 3 from init and 4 from order; only order differs between them."""
    rng = np.random.default_rng(len(varied[0]))
    drawn = {source: rng.normal(size=n) for source in ("init", "order")}
    init, order = (drawn[source] if source in varied else np.zeros(n) for source in drawn)
    control = 3 * init + 4 * order
    return runs_of(a=control + order + interaction * init * order, b=control)


@cache
def components(**options) -> pd.DataFrame:
    sources = {name: simulate(40_000, varied=(name,), **options) for name in ("init", "order")}
    together = simulate(40_000, varied=("order", "init"), **options)
    return variance_table(sources, together, variants=["a", "b"])


def test_the_interval_of_a_standard_deviation_by_hand():
    found = spread(np.array([1.0, 2.0, 3.0, 4.0]))
    # Chi-square with 3 degrees of freedom: 0.2158 and 9.3484 cut off 2.5 % each.
    expected = [np.sqrt(5 / 3), np.sqrt(5 / 9.3484), np.sqrt(5 / 0.2158)]
    assert [found["sd"], found["low"], found["high"]] == pytest.approx(expected, rel=1e-4)


def test_twenty_seeds_know_it_to_a_quarter_below_and_a_half_above():
    found = spread(np.arange(20.0))
    assert found["low"] / found["sd"] == pytest.approx(0.7605, abs=1e-4)
    assert found["high"] / found["sd"] == pytest.approx(1.4606, abs=1e-4)


def test_the_interval_covers_the_truth_at_its_level():
    rng = np.random.default_rng(5)
    found = [spread(values) for values in rng.normal(0, 2.0, (2000, 8))]
    below = np.mean([row["high"] < 2.0 for row in found])
    above = np.mean([row["low"] > 2.0 for row in found])
    assert below == pytest.approx(0.025, abs=0.01)
    assert above == pytest.approx(0.025, abs=0.01)


@pytest.mark.parametrize("n", [0, 1])
def test_below_two_seeds_nothing_is_known(n):
    found = spread(np.zeros(n))
    assert found["n"] == n
    assert np.isnan([found["sd"], found["low"], found["high"]]).all()


def test_known_components_are_found_again():
    table = components()
    assert tuple(table.columns) == COLUMNS
    assert row_of(table, "init", "b")["sd"] == pytest.approx(3, rel=0.02)
    assert row_of(table, "order", "b")["sd"] == pytest.approx(4, rel=0.02)
    assert row_of(table, TOGETHER, "b")["sd"] == pytest.approx(5, rel=0.02)
    assert row_of(table, "init", "b")["share"] == pytest.approx(9 / 25, rel=0.04)
    assert row_of(table, "order", "b")["share"] == pytest.approx(16 / 25, rel=0.04)
    assert row_of(table, TOGETHER, "b")["share"] == 1


def test_what_both_variants_share_is_not_in_their_difference():
    table = components()
    assert row_of(table, "init", "a", minus="b")["sd"] == pytest.approx(0, abs=1e-12)
    assert row_of(table, "order", "a", minus="b")["sd"] == pytest.approx(1, rel=0.02)
    assert row_of(table, "order", "a", minus="b")["share"] == pytest.approx(1, rel=0.04)


def test_shares_do_not_add_up_where_sources_interact():
    table = components(interaction=2.0)
    shares = [row_of(table, source, "a", minus="b")["share"] for source in ("init", "order")]
    assert sum(shares) == pytest.approx(1 / 5, rel=0.1)


def test_a_failed_run_leaves_its_seed_to_no_variant():
    sources = {"init": runs_of(a=np.array([1.0, 2, 9]), b=np.array([5.0, 5, 5]))}
    sources["init"].loc[2, "status"] = "failed"
    table = variance_table(sources, runs_of(a=np.arange(4.0), b=np.zeros(4)), variants=["a", "b"])
    assert row_of(table, "init", "a", minus="b")["n"] == 2
    assert row_of(table, "init", "a")["sd"] == pytest.approx(np.sqrt(0.5))
    assert row_of(table, "init", "b")["n"] == 2
    assert row_of(table, TOGETHER, "a")["n"] == 4


def test_a_source_whose_runs_all_failed_has_a_row_without_numbers():
    lost = runs_of(a=np.zeros(2), b=np.zeros(2)).assign(status="failed")
    together = runs_of(a=np.arange(3.0), b=np.zeros(3))
    row = row_of(variance_table({"init": lost}, together, variants=["a", "b"]), "init", "a")
    assert row["n"] == 0
    assert np.isnan([row["sd"], row["share"]]).all()


def test_no_spread_has_no_share():
    flat = runs_of(a=np.full(3, 0.1), b=np.full(3, 0.3))
    row = row_of(variance_table({"init": flat}, flat, variants=["a", "b"]), "init", "a", minus="b")
    assert [row["sd"], row["low"], row["high"]] == [0, 0, 0]
    assert np.isnan(row["share"])


def test_one_variant_has_no_difference():
    runs = runs_of(a=np.arange(3.0))
    table = variance_table({"init": runs}, runs, variants=["a"])
    assert len(table) == 2 * len(METRICS)
    assert table["minus"].isna().all()


def test_what_was_not_measured_has_no_row(make_runs):
    runs = make_runs(accuracy=False)
    table = variance_table({"init": runs}, runs, variants=["from epoch 0", "delayed"])
    assert set(table["metric"]) == {"test_loss", "train_loss"}
    assert len(table) == 2 * 2 * 3


def test_a_missing_run_is_refused():
    runs = runs_of(a=np.arange(3.0), b=np.arange(3.0))
    with pytest.raises(RunsError, match="variant 'b', seed 2 is missing"):
        variance_table({"init": runs[:-1]}, runs, variants=["a", "b"])
