"""MLflow's tracking folder, read back by MLflow's own client."""

from pathlib import Path

import pandas as pd
import pytest

from finetune.errors import StoreError
from finetune.studies.export.formats import export_study
from tests.studies.export.conftest import NAMES

pytest.importorskip("mlflow", reason="the extra mlflow is not installed")
# MLflow and what it imports warn of what they use of each other.
pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture
def client(reported, tmp_path):
    """Export twice into one folder, and return the client that reads it, and what was said."""
    from mlflow import MlflowClient

    for _ in range(2):
        said = export_study(reported, "mlflow", out=str(tmp_path / "to"))
    uri = f"sqlite:///{tmp_path / 'to' / 'mlflow.db'}"
    assert said == f"Look at them: mlflow ui --backend-store-uri {uri}"
    return MlflowClient(tracking_uri=uri)


def test_runs_metrics_and_artifacts_are_read_back(client, reported, tmp_path):
    experiment = client.get_experiment_by_name("founding")
    runs = client.search_runs([experiment.experiment_id])
    # An export adds runs, newest first: MLflow keeps what was logged before.
    assert len(runs) == 2 * (1 + len(NAMES))
    runs = runs[: 1 + len(NAMES)]
    assert {run.info.status for run in runs} == {"FINISHED"}
    by_name = {run.info.run_name: run for run in runs}
    assert {*by_name} == {"founding", *NAMES}
    whole = by_name["founding"].info.run_id
    parents = {by_name[name].data.tags["mlflow.parentRunId"] for name in NAMES}
    assert parents == {whole}

    both = by_name["both"]
    assert both.data.params["early_stopping.patience"] == "5"
    assert both.data.params["reduce_lr.start_from_epoch"] == "20"
    curves = pd.read_csv(reported / "tables" / "curves.csv")
    curves = curves[(curves["variant"] == "both") & (curves["metric"] == "val_loss")]
    for name in ("mean", "low", "high"):
        history = client.get_metric_history(both.info.run_id, f"val_loss/{name}")
        found = {metric.step: metric.value for metric in history}
        assert found == dict(zip(curves["epoch"], curves[name], strict=True))
    summary = pd.read_csv(reported / "tables" / "summary.csv").set_index(["variant", "metric"])
    assert both.data.metrics["final/test_loss"] == summary.loc[("both", "test_loss"), "mean"]

    assert {file.path for file in client.list_artifacts(whole)} == {
        "report.md", "report.html", "figures", "tables"
    }  # fmt: skip
    copied = client.download_artifacts(whole, "figures/curves.svg", str(tmp_path))
    with Path(copied).open("rb") as file:
        assert file.read() == (reported / "figures" / "curves.svg").read_bytes()


def test_where_it_cannot_write_is_told(reported, tmp_path):
    (tmp_path / "file").write_text("in the way")
    for out in (str(tmp_path / "file"), "nosql://x"):
        with pytest.raises(StoreError, match="--out: MLflow cannot write to") as caught:
            export_study(reported, "mlflow", out=out)
        assert "\n" not in str(caught.value)
