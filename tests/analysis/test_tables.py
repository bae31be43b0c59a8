import csv
import io

from finetune.analysis.runs import RUN_COLUMNS
from finetune.analysis.tables import build_tables
from finetune.report.csv import csv_files
from tests.made_study import VARIANTS, make_study


def test_runs_csv_has_the_agreed_columns_and_order(tables):
    lines = csv_files(tables.frames)["runs.csv"].split("\n")
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
    assert csv_files(shuffled.frames) == csv_files(tables.frames)


def test_floats_read_back_exactly_and_counts_stay_whole(study, tables):
    text = csv_files(tables.frames)["runs.csv"]
    back = {(row["variant"], int(row["seed"])): row for row in csv.DictReader(io.StringIO(text))}
    for row in study.runs.to_dict("records"):
        assert float(back[row["variant"], row["seed"]]["test_loss"]) == row["test_loss"]
    assert text.count(",12,11,1,3,0.004\n") == 4


def test_a_failed_run_stays_in_the_table_with_empty_metrics():
    text = csv_files(make_study(failed=(("both", 1),)).tables().frames)["runs.csv"]
    assert "\nboth,1,failed,,,,,,,7,6,0,,0.01\n" in text


def test_every_table_is_made(tables):
    assert set(csv_files(tables.frames)) == {
        *("runs.csv", "summary.csv", "contrasts.csv", "ranks.csv"),
        *("callbacks.csv", "identical.csv", "curves.csv", "budgets.csv", "time_to_target.csv"),
    }


def test_a_claim_adds_its_pairs_and_one_variant_has_no_contrasts(claimed_tables):
    assert "pairs.csv" in csv_files(claimed_tables.frames)
    alone = csv_files(make_study(seeds=1, variants=VARIANTS[:1]).tables().frames)
    assert not {"contrasts.csv", "ranks.csv", "pairs.csv"} & set(alone)
