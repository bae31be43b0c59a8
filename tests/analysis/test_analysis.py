import csv
import io

from finetune.analysis.analysis import analyse_runs
from finetune.analysis.runs import RUN_COLUMNS
from finetune.report.csv import csv_files
from tests.made_study import VARIANTS, make_study
from tests.processes import loaded_by


def test_runs_csv_has_the_agreed_columns_and_order(analysis):
    lines = csv_files(analysis.frames)["tables/runs.csv"].decode().split("\n")
    assert lines[0] == ",".join(RUN_COLUMNS)
    assert lines[1].startswith("no callbacks,0,ok,")
    assert len(lines) == 1 + 16 + 1
    assert lines[-1] == ""


def test_equal_input_gives_equal_bytes_whatever_its_order(study, analysis):
    shuffled = analyse_runs(
        study.spec,
        study.runs.sample(frac=1, random_state=3),
        study.epochs.sample(frac=1, random_state=4),
    )
    assert csv_files(shuffled.frames) == csv_files(analysis.frames)


def test_floats_read_back_exactly_and_counts_stay_whole(study, analysis):
    text = csv_files(analysis.frames)["tables/runs.csv"].decode()
    back = {(row["variant"], int(row["seed"])): row for row in csv.DictReader(io.StringIO(text))}
    for row in study.runs.to_dict("records"):
        assert float(back[row["variant"], row["seed"]]["test_loss"]) == row["test_loss"]
    assert text.count(",12,11,1,3,0.004\n") == 4


def test_a_failed_run_stays_in_the_table_with_empty_metrics():
    files = csv_files(make_study(failed=(("both", 1),)).analysis().frames)
    text = files["tables/runs.csv"].decode()
    assert "\nboth,1,failed,,,,,,,7,6,0,,0.01\n" in text


def test_every_table_is_made(analysis):
    assert {name for name, table in analysis.frames.items() if len(table.columns)} == {
        "accumulation",
        "runs",
        "summary",
        "contrasts",
        "ranks",
        "callbacks",
        "identical",
        "curves",
        "budgets",
        "time_to_target",
    }


def test_a_claim_adds_its_pairs_and_one_variant_has_no_contrasts(claimed_analysis):
    assert not claimed_analysis.frames["pairs"].empty
    alone = make_study(seeds=1, variants=VARIANTS[:1]).analysis().frames
    assert [len(alone[name].columns) for name in ("contrasts", "ranks", "pairs")] == [0, 0, 0]


def test_an_analysis_draws_nothing():
    loaded = loaded_by("import finetune.analysis.analysis, finetune.analysis.tuned_tables")
    assert "matplotlib" not in loaded
