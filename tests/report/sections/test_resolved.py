"""What data and network were resolved to, in words; the golden report shows the rest."""

from dataclasses import replace

import pytest

from finetune.data.reading import ColumnReading, TableReading
from finetune.data.summary import Baselines, DataSummary, SplitCount, TargetScale
from finetune.models.summary import LayerSummary, NetworkSummary
from finetune.report.sections.opening import opening
from finetune.report.sections.resolved import weights_fact
from finetune.report.sections.setup import setup
from finetune.spec.data import DataSpec
from finetune.store.manifest import Manifest
from tests.made_study import make_study
from tests.report.made_report import context_of, made_manifest, rows_of

COLUMNS = (
    ColumnReading("power", "number", convention="with a decimal comma", missing=3, features=1),
    ColumnReading("town", "category", missing=2, categories=4, features=4),
    ColumnReading("id", "dropped"),
)
HORSES = ColumnReading("horses", "number", missing=6, missing_words={"?": 6}, features=1)
NETWORK = NetworkSummary(
    (LayerSummary("conv", "Conv1D", (None, 8), 1200), LayerSummary("own", "Own", None, 34)),
    trainable=1200,
    other=34,
    penalised=False,
)


def regression(*columns: ColumnReading) -> DataSummary:
    splits = tuple(SplitCount(name, 60, ()) for name in ("training", "validation", "test"))
    reading = TableReading(ColumnReading("price", "number"), columns)
    why = "the target has 312 distinct numbers"
    return DataSummary("regression", why, (), splits, reading, TargetScale(3e5, 1e5))


def test_the_groups_of_each_split_are_told():
    grouped = regression(*COLUMNS)
    splits = tuple(replace(split, kinship="1,200 groups") for split in grouped.splits)
    manifest = made_manifest(data=replace(grouped, splits=splits))
    fixed, varied = said(manifest), said(manifest, vary=("split",))
    assert "60 validation (1,200 groups) and 60 test (1,200 groups) rows; 5 features" in fixed
    assert "60 test (1,200 groups) rows at seed 0; 5 features" in varied


def classes(count: int) -> DataSummary:
    rows = tuple(range(1, count + 1))
    splits = tuple(SplitCount(name, sum(rows), rows) for name in ("training", "validation", "test"))
    reading = TableReading(ColumnReading("kind", "category", categories=count), COLUMNS)
    names = tuple(f"c{number}" for number in rows)
    return DataSummary("multiclass", "data.task says so", names, splits, reading)


def said(manifest: Manifest, **study) -> str:
    return setup(make_study(seeds=1, **study).spec, manifest)


def test_the_task_the_loss_and_the_scale_are_told():
    body = said(made_manifest(data=regression(*COLUMNS)))
    assert "**Task:** regression, since the target has 312 distinct numbers. The target is" in body
    assert "(mean 3e+05, standard deviation 1e+05)." in body
    assert "loss mean\\_squared\\_error;" in body
    assert "60 training, 60 validation and 60 test rows; 5 features for the network" in body
    assert "from columns: 1 of numbers and 1 of categories." in body
    varied = said(made_manifest(data=regression()), vary=("split",))
    assert "(at seed 0 mean" in varied


def test_every_column_is_told_with_what_became_of_it():
    rows = rows_of(said(made_manifest(data=regression(*COLUMNS, HORSES))), "Column")
    assert rows["price"] == ["numbers", "0", "-", "target", "-"]
    assert rows["power"] == ["numbers with a decimal comma", "3", "-", "scaled", "1"]
    assert rows["town"] == ["4 categories", "2", "-", "one-hot encoded", "4"]
    assert rows["id"] == ["-", "-", "-", "left out", "0"]
    assert rows["horses"] == ["numbers", "6", "'?'", "scaled", "1"]


def test_ids_are_not_said_to_be_scaled():
    data = DataSpec(source="rows.csv", target="price")
    spec = make_study(seeds=1).spec.model_copy(update={"data": data})
    networks = (NETWORK, replace(NETWORK, ids=("",)))
    features, ids = (setup(spec, made_manifest(network=one)) for one in networks)
    assert "imputed by their median and scaled, by" in features
    assert "imputed by their median, by" in ids


def test_each_of_several_inputs_is_told():
    image = ColumnReading("image", "number", features=32, remark="rows of shape (4, 4, 2)")
    table = [replace(column, input="table") for column in COLUMNS[:2]]
    body = said(made_manifest(data=regression(replace(image, input="image"), *table)))
    told = (
        "image (32 numbers a row: rows of shape (4, 4, 2)) and table (columns: 1 of numbers and 1"
    )
    assert f"test rows; 2 inputs of the network: {told}" in body
    became = "scaled, one-hot encoded and missing numbers imputed by their median"
    assert f"1 of categories; {became})." in body
    assert rows_of(body, "Column")["power of table"][-2:] == ["scaled", "1"]


@pytest.mark.parametrize("count", [3, 40])
def test_the_rows_of_each_class_are_counted_in_every_split(count):
    body = said(made_manifest(data=classes(count)))
    rows = rows_of(body, "Class")
    assert rows["Class"] == ["Rows in training", "Rows in validation", "Rows in test"]
    assert rows["c2"] == ["2", "2", "2"]
    assert len(rows) == 1 + count
    assert ("<summary>Rows of each class" in body) == (count == 40)


def test_the_network_is_told_with_its_weights():
    body = said(made_manifest(network=NETWORK))
    assert "1,200 weights that the optimizer changes, 34 that it does not change; all" in body
    assert "all weights are drawn anew for each seed, none is loaded." in body
    assert rows_of(body, "Layer")["conv (Conv1D)"] == ["any x 8", "1,200"]
    assert rows_of(body, "Layer")["own (Own)"] == ["-", "34"]
    assert "drawn once, the same for every seed" in said(
        made_manifest(network=NETWORK), vary=("order",)
    )


def test_a_manifest_of_earlier_versions_says_what_the_study_sets():
    spec = make_study(seeds=1).spec
    assert setup(spec, made_manifest()) == setup(spec)


def test_the_first_screen_warns_of_variants_no_better_than_a_constant():
    study = make_study(accuracy=False)
    baselines = Baselines("mean", (0.0,), (0.0,), (0.0,))
    manifest = made_manifest(data=regression(), network=NETWORK, baselines=baselines)
    screen = opening(context_of(study.analysis(manifest=manifest), manifest, figures=False))
    assert "- These variants end with a test loss no better than a constant's: " in screen
    assert "Predicting the mean of the training rows' target for every row has 0." in screen
    assert "MAE and RMSE are in the target's own unit." in screen
    calm = manifest.updated(baselines=Baselines("mean", (9.0,), (9.0,), (9.0,)))
    assert "constant" not in opening(context_of(study.analysis(manifest=calm), calm))


def test_what_was_loaded_is_said_with_what_became_of_it():
    loaded = replace(NETWORK, kept=("base/conv",), redrawn=("base/dense", "head"))
    fact = weights_fact(loaded, vary=("init",))
    assert "base/conv begin at every seed as they were loaded" in fact
    assert "what was loaded into base/dense and head is not used" in fact
    assert "none is loaded" in weights_fact(NETWORK, vary=("init",))


def test_frozen_layers_are_named():
    frozen = weights_fact(replace(NETWORK, frozen=("conv", "base/dense")), vary=("init",))
    assert "34 that it does not change (frozen: conv and base/dense); all weights" in frozen
