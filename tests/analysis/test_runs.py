import pandas as pd
import pytest

from finetune.analysis.runs import metrics_of, tidy_epochs, tidy_runs
from finetune.errors import StoreError
from finetune.store.schema import RUN_COLUMNS
from tests.made_study import make_study


def test_runs_are_put_in_the_specs_order(study):
    shuffled = study.runs.sample(frac=1, random_state=1)[[*reversed(RUN_COLUMNS)]]
    tidy = tidy_runs(shuffled.assign(extra=1), study.spec)
    assert tuple(tidy.columns) == RUN_COLUMNS
    assert list(tidy["variant"].unique()) == [variant.name for variant in study.spec.variants]
    assert list(tidy["seed"]) == [0, 1, 2, 3] * 4


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda runs: runs.drop(index=6), "variant 'early stopping', seed 2 is missing"),
        (lambda runs: pd.concat([runs, runs.iloc[[9]]]), "'reduction', seed 1 is there more than"),
        (lambda runs: runs.replace({"variant": {"both": "Both"}}), "variant 'Both', seed 0 is of"),
        (lambda runs: runs[runs["seed"] != 3], "there are 3 seeds; needed is .* 4 seeds"),
        (lambda runs: runs.replace({"status": {"ok": "done"}}), "status 'done'; allowed are 'ok'"),
        (lambda runs: runs.drop(columns="final_lr"), "the column 'final_lr' is missing"),
    ],
)
def test_an_incomplete_grid_is_refused_by_its_run(study, change, message):
    with pytest.raises(StoreError, match=message):
        tidy_runs(change(study.runs), study.spec)


@pytest.mark.parametrize(
    "change",
    [
        lambda epochs: epochs[~((epochs["variant"] == "both") & (epochs["seed"] == 1))],
        lambda epochs: epochs.drop(index=_rows(epochs, epoch=3)),
        lambda epochs: epochs.drop(index=_rows(epochs, epoch=6)),
        lambda epochs: pd.concat([epochs, epochs.loc[_rows(epochs, epoch=2)]]),
        lambda epochs: epochs.replace({"epoch": {2: 3}}),
    ],
    ids=["whole run", "gap", "last", "doubled", "renamed"],
)
def test_epochs_that_do_not_fit_their_run_are_refused(study, change):
    runs = tidy_runs(study.runs, study.spec)
    with pytest.raises(StoreError, match=r"variant '[a-z ]+', seed [01] are not exactly 0 to"):
        tidy_epochs(change(study.epochs), runs)


def test_a_failed_run_may_lack_epochs_and_is_left_out_of_them():
    made = make_study(failed=(("both", 1),))
    tidy = tidy_epochs(made.epochs, tidy_runs(made.runs, made.spec))
    assert set(tidy.loc[tidy["variant"] == "both", "seed"]) == {0, 2, 3}


def test_further_metrics_come_last_where_every_run_has_them():
    made = make_study(metrics=("auc", "f1"), failed=(("both", 1),))
    made.runs.loc[made.runs["seed"] == 2, "test_f1"] = float("nan")
    tidy = tidy_runs(made.runs, made.spec)
    further = ["train_auc", "val_auc", "test_auc", "train_f1", "val_f1"]
    assert list(tidy) == [*RUN_COLUMNS, *further]
    assert metrics_of(tidy)[6:] == further
    assert "test_auc" in set(made.analysis().summary["metric"])
    assert "val_auc" in set(made.analysis().curves["metric"])


def test_a_regression_task_has_no_accuracies(study):
    assert len(metrics_of(study.runs)) == 6
    assert metrics_of(make_study(accuracy=False).runs) == ["train_loss", "val_loss", "test_loss"]


def _rows(epochs, *, epoch):
    found = (epochs["variant"] == "both") & (epochs["seed"] == 1) & (epochs["epoch"] == epoch)
    return epochs.index[found]
