"""TensorBoard's event files, read back by TensorBoard's own reader."""

import re

import pandas as pd
import pytest

from finetune.studies.export.formats import export_study

pytest.importorskip("tensorboard", reason="the extra tensorboard is not installed")


@pytest.fixture
def runs(reported, tmp_path):
    """Export twice, which must leave one export, and read every run."""
    from tensorboard.backend.event_processing.event_multiplexer import EventMultiplexer

    out = tmp_path / "to"
    for _ in range(2):
        said = export_study(reported, "tensorboard", out=str(out))
    assert said == f"Look at them: tensorboard --logdir {out}"
    found = EventMultiplexer(size_guidance={"tensors": 0}).AddRunsFromDirectory(str(out))
    found.Reload()
    return found


def values(runs, run: str, tag: str) -> list[tuple[int, float]]:
    from tensorboard.util.tensor_util import make_ndarray

    return [(e.step, make_ndarray(e.tensor_proto).item()) for e in runs.Tensors(run, tag)]


def test_a_run_a_variant_has_the_means_and_intervals_of_every_epoch(runs, reported):
    assert sorted(runs.Runs()) == [
        "0 no callbacks", "1 .._up_ _b____1_1_", "2 LR reduction from epoch 0", "3 delayed",
        "4 both", "report",
    ]  # fmt: skip
    curves = pd.read_csv(reported / "tables" / "curves.csv")
    curves = curves[(curves["variant"] == "both") & (curves["metric"] == "test_loss")]
    for name in ("mean", "low", "high"):
        found = values(runs, "4 both", f"test_loss/{name}")
        assert [step for step, _ in found] == curves["epoch"].tolist()
        assert [value for _, value in found] == pytest.approx(curves[name].tolist(), rel=1e-6)
    summary = pd.read_csv(reported / "tables" / "summary.csv").set_index(["variant", "metric"])
    ((step, ended),) = values(runs, "3 delayed", "final/test_loss")
    assert step == 0
    assert ended == pytest.approx(summary.loc[("delayed", "test_loss"), "mean"], rel=1e-6)


def test_the_report_its_figures_and_the_settings_are_there(runs, reported):
    tags = runs.Runs()["report"]["tensors"]
    assert {"report", "figures/curves", "figures/claim", "custom_scalars__config__"} <= {*tags}
    (report,) = runs.Tensors("report", "report")
    assert report.tensor_proto.string_val[0].decode() == (reported / "report.md").read_text()
    (figure,) = runs.Tensors("report", "figures/curves")
    width, height, png = figure.tensor_proto.string_val
    assert (width, height) == (b"30", b"60")
    assert png.startswith(b"\x89PNG")
    (settings,) = runs.Tensors("4 both", "settings")
    text = settings.tensor_proto.string_val[0].decode()
    assert "early_stopping.patience = 5" in text
    assert "reduce_lr.start_from_epoch = 20" in text


def test_charts_draw_each_mean_within_its_interval(runs):
    from tensorboard.plugins.custom_scalar import layout_pb2

    (event,) = runs.Tensors("report", "custom_scalars__config__")
    layout = layout_pb2.Layout.FromString(event.tensor_proto.string_val[0])
    charts = {chart.title: chart.margin.series[0] for chart in layout.category[0].chart}
    band = charts["val_loss"]
    assert (band.value, band.lower, band.upper) == (
        "val_loss/mean",
        "val_loss/low",
        "val_loss/high",
    )
    written = runs.Runs()["4 both"]["tensors"]
    assert all(re.search("/(mean|low|high)$", band.value) for band in charts.values())
    assert {end for band in charts.values() for end in (band.value, band.lower, band.upper)} <= {
        *written
    }
