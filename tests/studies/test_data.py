"""What a study was resolved to: it stays in the manifest when nothing is trained again."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression

from finetune.cli.results import print_results
from finetune.data.splits import load_splits
from finetune.engines.base import Task, TaskTables
from finetune.errors import SpecError
from finetune.execution.in_process import InProcessExecutor
from finetune.execution.training import Options
from finetune.models.summary import NetworkSummary
from finetune.report.constant_words import no_better_sentence
from finetune.spec.claims import MarginShares
from finetune.spec.study import StudySpec
from finetune.store.manifest import MANIFEST_FILE, read_manifest
from finetune.studies.data import with_absolute_margins
from finetune.studies.load import load_spec
from finetune.studies.run import read_study, run_study, train_slice
from tests.made_runs import Recorded, made_tables
from tests.small_studies import small_study

NETWORK = NetworkSummary((), trainable=7, other=0, penalised=False)
NOTE = "some of it was slow"
SMALL = ("seeds=4", "training.epochs=3")


def told(task: Task, on_progress) -> TaskTables:
    """Make up what training gives, and what it tells of how it was done."""
    return made_tables(task, failed_share=0)._replace(notes=(NOTE,), network=NETWORK)


@pytest.fixture
def options() -> Options:
    return Options(InProcessExecutor(train=told), figures=False)


def test_ids_are_read_as_the_network_takes_them(tmp_path):
    def told_of_ids(task: Task, on_progress) -> TaskTables:
        return told(task, on_progress)._replace(network=replace(NETWORK, ids=("",)))

    spec = small_study(*SMALL, "data.source=tests.engines.sources:token_ids", "data.args={}")
    executor = InProcessExecutor(train=told_of_ids)
    data = run_study(spec, tmp_path, options=Options(executor, figures=False)).manifest.data
    assert {column.scaled for column in data.reading.columns} == {False}


def test_what_training_told_stays_where_nothing_is_trained_again(tmp_path, options):
    spec = small_study(*SMALL)
    first = run_study(spec, tmp_path, options=options)
    again = run_study(spec, tmp_path, options=options)
    assert again.manifest.runs_trained == 0
    for results in (first, again, read_study(tmp_path, figures=False)):
        assert results.notes == (NOTE,)
        assert results.manifest.network == NETWORK
        assert results.manifest.data == first.manifest.data
    report = (tmp_path / "report.md").read_text()
    assert "7 weights that the optimizer changes" in report
    assert "| 1       |" in report


def test_what_an_earlier_study_in_the_folder_told_is_not_taken_over(tmp_path, options):
    run_study(small_study(*SMALL), tmp_path, options=options)
    silent = Options(InProcessExecutor(train=lambda task, _: made_tables(task)), figures=False)
    other = run_study(small_study(*SMALL, "model.hidden=[3]"), tmp_path, options=silent)
    assert other.notes == ()
    assert other.manifest.network is None


def test_slices_leave_what_they_told_for_the_run_that_trains_nothing(tmp_path, options):
    spec = small_study(*SMALL)
    assert train_slice(spec, tmp_path, 1, 2, options=options) > 0
    assert train_slice(spec, tmp_path, 2, 2, options=options) == 0
    whole = run_study(spec, tmp_path, options=options)
    assert whole.manifest.runs_trained == 0
    assert (whole.notes, whole.manifest.network) == ((NOTE,), NETWORK)


def test_a_broken_manifest_is_no_hindrance(tmp_path, options):
    run_study(small_study(*SMALL), tmp_path, options=options)
    (tmp_path / MANIFEST_FILE).write_text("{")
    assert run_study(small_study(*SMALL), tmp_path, options=options).manifest.network is None
    assert read_manifest(tmp_path).data


def large_units(folder, *, learning_rate: float) -> StudySpec:
    """Write a table whose target is in 100,000s, and a study of it."""
    rng = np.random.default_rng(5)
    x = rng.normal(size=(240, 3))
    price = 4e5 + x @ [8e4, -5e4, 2e4] + rng.normal(0, 2e4, 240)
    pd.DataFrame(x, columns=list("abc")).assign(price=price).to_csv(folder / "h.csv", index=False)
    (folder / "study.toml").write_text(
        'name = "prices"\nseeds = 2\nvary = ["init", "order", "split"]\n'
        'data = { source = "h.csv", target = "price" }\nmodel = { hidden = [] }\n'
        f"training = {{ epochs = 30, optimizer = {{ learning_rate = {learning_rate} }} }}\n"
        'variants = [{ name = "plain" }]\n'
    )
    return load_spec(folder / "study.toml")


def test_a_target_in_large_units_trains_as_well_as_a_linear_regression(tmp_path):
    spec = large_units(tmp_path, learning_rate=0.03)
    results = run_study(spec, tmp_path / "out", options=Options(figures=False))
    for seed in range(2):
        splits = load_splits(
            spec.data.model_copy(update={"scale_target": False}), seed, vary=spec.vary
        )
        fitted = LinearRegression().fit(splits.train.x, splits.train.y)
        errors = fitted.predict(splits.test.x) - splits.test.y
        (found,) = results.runs.loc[results.runs["seed"] == seed, "test_rmse"]
        assert found == pytest.approx(np.sqrt(np.mean(errors**2)), rel=0.05)
        (found,) = results.runs.loc[results.runs["seed"] == seed, "test_mae"]
        assert found == pytest.approx(np.mean(np.abs(errors)), rel=0.05)
    assert results.analysis.no_better is None
    table = pd.read_csv(tmp_path / "out" / "tables" / "runs.csv")
    assert {"train_rmse", "test_rmse", "test_mae", "test_r2"} < set(table)


def test_a_network_that_learns_nothing_is_named(tmp_path, capsys):
    spec = large_units(tmp_path, learning_rate=1e-9)
    results = run_study(spec, tmp_path / "out", options=Options(figures=False))
    sentence = no_better_sentence(results.analysis.no_better)
    assert '"plain" with ' in sentence
    assert f"- {sentence[:40]}" in (tmp_path / "out" / "report.md").read_text()
    print_results(results)
    assert f"Warning: {sentence}" in capsys.readouterr().err


def test_data_that_cannot_be_loaded_where_the_report_is_made_are_no_hindrance(tmp_path, options):
    spec = large_units(tmp_path, learning_rate=0.01)
    (tmp_path / "h.csv").unlink()
    recorded = Recorded()
    options = Options(options.executor, recorded, figures=False)
    results = run_study(spec, tmp_path / "out", options=options)
    assert results.manifest.data is None
    assert any("cannot be loaded here: DataError: data.source" in note for note in recorded.notes)


def with_shares(**data) -> StudySpec:
    """Return the small study with margins that are shares, on other data."""
    sets = [f"data.{key}={value!r}" for key, value in data.items()]
    shares = "claims.0.margins.shares={train_loss=0.02, test_loss=0.1}"
    return load_spec(overrides=["data.args={}", "seeds=3", *sets, shares])


@pytest.mark.parametrize(
    ("source", "loss"), [("load_diabetes", "mean_squared_error"), ("load_breast_cancer", None)]
)
def test_margins_that_are_shares_are_those_of_the_constant_s_loss(source, loss):
    spec = with_shares(source=source)
    spec = spec.model_copy(update={"training": spec.training.model_copy(update={"loss": loss})})
    notes: list[str] = []
    margins = with_absolute_margins(spec, on_note=notes.append).claim.margins
    y = load_splits(spec.data, 0)
    if loss:
        expected = 0.1 * np.mean((y.test.y - y.train.y.mean()) ** 2)
        assert margins.train_loss == pytest.approx(0.02)
    else:
        shares = np.bincount(y.train.y) / len(y.train.y)
        expected = 0.1 * -np.log(shares[y.test.y]).mean()
    assert margins.test_loss == pytest.approx(expected)
    assert margins.test_accuracy == spec.claim.margins.test_accuracy
    assert margins.shares == MarginShares()
    assert len(notes) == 2


def test_margins_stay_where_none_is_a_share_or_no_claim_is_made():
    spec = small_study(*SMALL)
    for same in (spec, spec.model_copy(update={"claims": ()})):
        assert with_absolute_margins(same, on_note=lambda _: None) is same


def test_shares_of_what_no_formula_tells_are_refused():
    spec = with_shares(source="load_diabetes")
    training = spec.training.model_copy(update={"loss": "huber"})
    with pytest.raises(SpecError, match=r"claims: margins\.shares: .*'huber'; allowed with cross-"):
        with_absolute_margins(spec.model_copy(update={"training": training}), on_note=print)


def test_a_study_is_judged_by_the_margins_that_its_shares_come_to(tmp_path, options):
    spec = small_study(*SMALL, "claims.0.margins.shares={train_loss=0.02}")
    results = run_study(spec, tmp_path, options=options)
    margin = results.spec.claim.margins.train_loss
    assert margin == pytest.approx(0.02 * 0.69, rel=0.05)
    assert read_study(tmp_path, figures=False).spec.claim.margins.train_loss == margin
