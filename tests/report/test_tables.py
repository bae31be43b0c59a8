import csv
import io

from finetune.report.cells import RUN_COLUMNS
from finetune.report.tables import build_tables

from .conftest import make_study


def test_runs_csv_has_the_agreed_columns_and_order(study):
    lines = study.tables().csv_files()["runs.csv"].split("\n")
    assert lines[0] == ",".join(RUN_COLUMNS)
    assert lines[1].startswith("no callbacks,0,ok,")
    assert len(lines) == 1 + 16 + 1
    assert lines[-1] == ""


def test_equal_input_gives_equal_bytes_whatever_its_order(study):
    shuffled = build_tables(
        study.spec,
        runs=study.runs.sample(frac=1, random_state=3),
        epochs=study.epochs.sample(frac=1, random_state=4),
    )
    assert shuffled.csv_files() == study.tables().csv_files()


def test_floats_read_back_exactly_and_counts_stay_whole(study):
    text = study.tables().csv_files()["runs.csv"]
    back = {(row["variant"], int(row["seed"])): row for row in csv.DictReader(io.StringIO(text))}
    for row in study.runs.to_dict("records"):
        assert float(back[row["variant"], row["seed"]]["test_loss"]) == row["test_loss"]
    assert text.count(",12,11,1,3,0.004\n") == 4


def test_a_failed_run_stays_in_the_table_with_empty_metrics():
    text = make_study(failed=(("both", 1),)).tables().csv_files()["runs.csv"]
    assert "\nboth,1,failed,,,,,,,7,6,0,,0.01\n" in text


def test_every_table_is_made(study):
    assert set(study.tables().csv_files()) == {
        *("runs.csv", "summary.csv", "differences.csv"),
        *("callbacks.csv", "identical.csv", "curves.csv"),
    }
