import csv
import io

from finetune.report.cells import RUN_COLUMNS
from finetune.report.tables import build_tables

from .conftest import VARIANTS, make_study


def test_runs_csv_has_the_agreed_columns_and_order(tables):
    lines = tables.csv_files()["runs.csv"].split("\n")
    assert lines[0] == ",".join(RUN_COLUMNS)
    assert lines[1].startswith("no callbacks,0,ok,")
    assert len(lines) == 1 + 16 + 1
    assert lines[-1] == ""


def test_equal_input_gives_equal_bytes_whatever_its_order(study, tables):
    shuffled = build_tables(
        study.spec,
        runs=study.runs.sample(frac=1, random_state=3),
        epochs=study.epochs.sample(frac=1, random_state=4),
    )
    assert shuffled.csv_files() == tables.csv_files()


def test_floats_read_back_exactly_and_counts_stay_whole(study, tables):
    text = tables.csv_files()["runs.csv"]
    back = {(row["variant"], int(row["seed"])): row for row in csv.DictReader(io.StringIO(text))}
    for row in study.runs.to_dict("records"):
        assert float(back[row["variant"], row["seed"]]["test_loss"]) == row["test_loss"]
    assert text.count(",12,11,1,3,0.004\n") == 4


def test_a_failed_run_stays_in_the_table_with_empty_metrics():
    text = make_study(failed=(("both", 1),)).tables().csv_files()["runs.csv"]
    assert "\nboth,1,failed,,,,,,,7,6,0,,0.01\n" in text


def test_every_table_is_made(tables):
    assert set(tables.csv_files()) == {
        *("runs.csv", "summary.csv", "contrasts.csv", "ranks.csv"),
        *("callbacks.csv", "identical.csv", "curves.csv", "budgets.csv", "time_to_target.csv"),
    }


def test_a_claim_adds_its_pairs_and_one_variant_has_no_contrasts(claimed_tables):
    assert "pairs.csv" in claimed_tables.csv_files()
    alone = make_study(seeds=1, variants=VARIANTS[:1]).tables().csv_files()
    assert not {"contrasts.csv", "ranks.csv", "pairs.csv"} & set(alone)
