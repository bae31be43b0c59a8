"""The Python interface: a study in a line, a comparison in five."""

from functools import partial
from pathlib import Path

import keras
import numpy as np
import pandas as pd
import pytest

import finetune
from finetune.errors import SpecError
from tests.engines import networks
from tests.small_studies import small_study

ROWS = np.random.default_rng(0).normal(size=(60, 4))
CLASSES = (ROWS[:, 0] > 0).astype(int)


def small_model(input_shape=(4,), n_outputs=1) -> keras.Model:
    return keras.Sequential(
        [
            keras.Input(input_shape),
            keras.layers.Dense(6, activation="relu"),
            keras.layers.Dense(n_outputs, activation="softmax" if n_outputs > 1 else "sigmoid"),
        ]
    )


@pytest.fixture
def compare(executor, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return partial(finetune.compare, seeds=3, epochs=4, executor=executor, figures=False)


def test_a_study_runs_in_a_line_and_gives_its_results(executor, tmp_path):
    spec = small_study("seeds=3", "training.epochs=4")
    results = finetune.run(spec, out=tmp_path / "out", executor=executor, figures=False)
    assert isinstance(results, finetune.Results)
    assert len(results.runs) == 15
    assert set(results.epochs["variant"]) == {variant.name for variant in spec.variants}
    assert results.verdict is not None
    assert results.report() == tmp_path / "out" / "report.md"
    assert results.report(tmp_path / "copy").read_text() == results.report().read_text()
    assert (tmp_path / "copy" / "tables" / "runs.csv").exists()
    assert not (tmp_path / "copy" / "store").exists()


def test_a_comparison_has_the_founding_variants_and_claim(compare):
    results = compare(small_model, ROWS, CLASSES)
    assert results.runs["variant"].iloc[0] == "no callbacks"
    assert len(results.runs) == 15
    assert results.verdict is not None
    assert results.folder == Path("reports/comparison")


def test_nothing_is_printed_unless_progress_prints_it(compare, executor, tmp_path, capfd):
    compare(small_model, ROWS, CLASSES)
    spec = small_study("seeds=3", "training.epochs=4")
    arguments = {"out": tmp_path / "out", "executor": executor, "figures": False}
    finetune.run(spec, **arguments)
    assert capfd.readouterr() == ("", "")
    with finetune.ProgressBar() as bar:
        finetune.run(spec, **arguments, progress=bar)
    out, err = capfd.readouterr()
    assert out == ""
    assert "runs are stored, 0 to train" in err


def test_the_same_call_again_trains_nothing(compare, executor):
    compare(small_model, ROWS, CLASSES)
    executor.trained.clear()
    compare(small_model, ROWS, CLASSES)
    assert executor.trained == []
    compare(small_model, ROWS + 1e-3, CLASSES)
    assert executor.trained != []


def test_variants_and_settings_are_those_of_a_study_file(compare):
    variants = {"plain": {}, "stop": {"early_stopping": {"patience": 2}}}
    results = compare(
        small_model, ROWS, CLASSES, variants=variants, vary=["init"], data={"val_size": 0.3}
    )
    assert results.verdict is None
    assert results.spec.vary == ("init",)
    assert results.spec.data.val_size == 0.3
    early_stopping = results.spec.variant("stop").early_stopping
    assert early_stopping is not None
    assert early_stopping.patience == 2


def test_seeds_may_be_as_many_as_the_claims_need(compare, executor):
    claim = {"kind": "not worse", "metric": "test_loss", "margin": 5.0, "alpha": 0.4}
    arms = {"treatment": "early stopping", "control": "no callbacks"}
    executor.failed_share = 0
    seeds = {"from": 20, "to": 45}
    results = compare(small_model, ROWS, CLASSES, seeds=seeds, claims=[claim | arms])
    assert results.manifest.seeds == 20


def test_a_compiled_model_brings_its_optimizer_and_loss(compare):
    def model():
        made = small_model()
        made.compile(
            optimizer=keras.optimizers.AdamW(0.003, weight_decay=0.1), loss="mean_squared_error"
        )
        return made

    training = compare(model, ROWS, CLASSES).spec.training
    assert training.optimizer.name == "adamw"
    assert training.optimizer.learning_rate == pytest.approx(0.003)
    assert training.optimizer.args == {"weight_decay": 0.1}
    assert training.loss == "mean_squared_error"


def compiled(loss):
    def model():
        made = small_model()
        made.compile(optimizer="adam", loss=loss)
        return made

    return model


def test_a_loss_object_with_the_usual_arguments_is_taken_by_its_name(compare):
    results = compare(compiled(keras.losses.MeanAbsoluteError()), ROWS, CLASSES)
    assert results.spec.training.loss == "mean_absolute_error"


@pytest.mark.parametrize(
    "loss",
    [keras.losses.BinaryCrossentropy(from_logits=True), lambda y, predicted: y - predicted],
    ids=["from logits", "own function"],
)
def test_a_loss_that_a_study_file_cannot_hold_is_refused(loss, tmp_path):
    with pytest.raises(SpecError, match=r"model_fn: its loss is .* with arguments of its own"):
        finetune.compare(compiled(loss), ROWS, CLASSES, seeds=2, epochs=1, out=tmp_path)


def test_text_labels_and_defaulted_parameters_are_fine(compare):
    labels = pd.Series(np.where(CLASSES, "yes", "no"), dtype=object)
    results = compare(lambda units=6: small_model(), ROWS, labels)
    assert len(results.runs) == 15


def test_results_print_themselves_in_a_few_lines(compare, executor):
    executor.failed_share = 0.0
    results = compare(small_model, ROWS, CLASSES)
    assert repr(results).splitlines() == [
        "Results of comparison: 5 variants at 3 seeds, 15 runs, 0 failed",
        f"Verdicts: {'; '.join(f'{one.name}: {one.verdict}' for one in results.analysis.verdicts)}",
        "Folder: reports/comparison",
    ]
    *verdicts, empty, head, _, first = str(results).splitlines()[:-4]
    assert empty == ""
    assert [line.partition(" (")[0] for line in verdicts] == [
        one.verdict.capitalize() for one in results.analysis.verdicts
    ]
    columns = [part.strip() for part in head.split("  ") if part.strip()]
    assert columns == ["Variant", "Training loss", "Test loss", "Test accuracy", "Epochs run"]
    mean = results.runs.groupby("variant", observed=True)["test_loss"].mean()["no callbacks"]
    assert first.startswith("no callbacks")
    assert float(first.split()[5]) == pytest.approx(mean, rel=0.1)


def test_verdicts_are_a_table(compare):
    results = compare(small_model, ROWS, CLASSES)
    table = results.verdicts
    assert list(table["name"]) == [one.name for one in results.analysis.verdicts]
    assert table.loc[0, "verdict"] == results.verdict.verdict
    assert table.loc[0, ["treatment", "control"]].tolist() == [
        "LR reduction from epoch 0", "delayed LR reduction"
    ]  # fmt: skip
    no_claims = compare(small_model, ROWS, CLASSES, claims=[])
    assert no_claims.verdicts.empty
    assert "Verdicts: none" in repr(no_claims)


def test_a_figure_of_the_report_is_drawn_by_its_name(compare, executor):
    executor.failed_share = 0.0
    results = compare(small_model, ROWS, CLASSES)
    figure = results.plot("learning_curves")
    assert [axes.get_title() for axes in figure.axes] == ["Training loss", "Validation loss"]
    lines = {len(axes.lines) for axes in figure.axes}
    assert lines == {len(results.spec.variants)}
    with pytest.raises(
        SpecError, match=r"received 'learning_curve'; did you mean 'learning_curves"
    ) as e:
        results.plot("learning_curve")
    assert "metric_curves" not in str(e.value)


def test_results_show_themselves_in_a_notebook(compare):
    shown = compare(small_model, ROWS, CLASSES)._repr_html_()
    assert "<h3>comparison</h3>" in shown
    assert "delayed LR reduction" in shown
    assert "test_loss" in shown


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"variants": {"a": {"stop": 3}}}, "variants.0.stop: unknown key"),
        ({"model_fn": lambda: small_model((7,))}, "(7,)"),
        ({"model": {"hidden": [3]}}, "model.hidden: received a setting"),
        ({"model_fn": lambda: networks.Subclassed(1)}, "`model.factory`, which takes"),
        ({"model_fn": networks.halved}, "`model.factory`, which takes"),
    ],
)
def test_what_cannot_be_compared_is_named_in_one_line(change, words, tmp_path):
    arguments = {"model_fn": small_model, "x": ROWS, "y": CLASSES} | change
    with pytest.raises(SpecError) as caught:
        finetune.compare(**arguments, seeds=2, epochs=1, out=tmp_path)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.slow
def test_a_comparison_trains_for_real_and_shows_figures(tmp_path):
    variants = {"plain": {}, "stop": {"early_stopping": {"patience": 1}}}
    results = finetune.compare(
        small_model, ROWS, CLASSES, variants=variants, seeds=2, epochs=3, out=tmp_path
    )
    assert (results.runs["status"] == "ok").all()
    assert results.runs["train_loss"].between(0, 2).all()
    assert "data:image/png;base64," in results._repr_html_()
    assert isinstance(results.epochs, pd.DataFrame)
