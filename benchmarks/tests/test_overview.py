"""The overview: what the suite as a whole finds, from the verdicts of its studies."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks.__main__ import suite, write_overview
from benchmarks.forest import forest_files, in_margins
from benchmarks.overview import overview
from benchmarks.verdicts import read_verdicts
from finetune.engines.registry import DEFAULT
from finetune.store.manifest import Manifest
from finetune.studies.load import load_spec

REPORTS = Path(__file__).parents[2] / "reports"


def side(metric: str, value: float, margin: float) -> dict:
    interval = {"mean": value, "low": value - 0.002, "high": value + 0.002}
    return {"metric": metric, "difference": interval, "margin": margin}


def metric_claim(name: str, verdict: str, metric: str, *, mean: float) -> dict:
    pair = {"treatment": "both", "control": "no callbacks"}
    found = {"name": name, "kind": "better", "verdict": verdict, "label": "equal", "n": 30}
    return found | {"comparison": side(metric, mean, 0.01), **pair}


def write_verdict(
    folder: Path,
    study: str,
    verdict: str,
    *,
    train: float,
    test: float,
    units: int = 0,
    treatment: str = "LR reduction from epoch 0",
    others: Sequence[dict] = (),
) -> None:
    """Write what the overview reads of a study: one claim about the fit, then the others."""
    (folder / study).mkdir(parents=True)
    primary = {"train": side("train_loss", train, 0.01), "test": side("test_loss", test, 0.005)}
    pair = {"treatment": treatment, "control": "delayed LR reduction"}
    about_fit = {"name": "it underfits", "kind": "underfits", "verdict": verdict, **pair}
    about_fit |= {"label": "a label", "n": 30, "primary": primary, "secondary": None}
    whole = {**about_fit, "claims": [about_fit, *others]}
    (folder / study / "verdict.json").write_text(json.dumps(whole))
    spec = load_spec(overrides=[f"model.hidden=[{units or len(study)}]"])
    now = datetime(2026, 1, 1, tzinfo=UTC)
    about = Manifest.of(spec, engine=DEFAULT.name, seeds=30, command=None, started=now)
    about.write(folder / study)
    (folder / study / "report.md").write_text("# Study")


@pytest.fixture
def folder(tmp_path) -> Path:
    write_verdict(tmp_path, "founding", "refuted", train=0.02, test=-0.03)
    write_verdict(tmp_path, "digits", "supported", train=0.05, test=0.02)
    write_verdict(tmp_path, "generalised", "refuted", train=-0.001, test=0.001)
    return tmp_path


def test_verdicts_and_directions_of_the_two_losses_are_counted(folder):
    text = overview(folder, studies=suite())
    assert "**Over 3 studies the claim is refuted in 2, supported in 1.**" in text
    assert "fits the training set less in 2 of 3" in text
    assert "ends better in 1 and worse in 1; in 1 it does both" in text


def test_every_other_claim_has_a_row_and_is_counted_apart(folder):
    others = [
        metric_claim("both | help", "supported", "test_accuracy", mean=0.04),
        metric_claim("both cost nothing", "inconclusive", "test_auc", mean=-0.5),
    ]
    write_verdict(folder, "optimizers", "refuted", train=0, test=0, others=others)
    text = overview(folder, studies=suite())
    assert "Over 4 studies the claim is refuted in 3, supported in 1." in text
    assert "Of 2 other claims, told in a table below, the answer is: supported in 1" in text
    rows = [line for line in text.splitlines() if line.startswith("| [optimizers]")]
    assert len(rows) == 3
    assert [part for part in ("both \\| help", "test accuracy 0.04") if part not in rows[1]] == []
    assert [part for part in ("both cost", "test AUC -0.5") if part not in rows[2]] == []


def test_underfitting_by_something_else_is_no_early_reduction(folder):
    write_verdict(folder, "blobs", "supported", train=0.02, test=0.02, treatment="both")
    text = overview(folder, studies=suite())
    assert "Over 3 studies" in text
    assert "Of 1 other claim, told in a table below, the answer is: supported in 1." in text
    row = next(line for line in text.splitlines() if line.startswith("| [blobs]"))
    assert "training loss 0.02" in row and "test loss 0.02" in row
    write_overview(folder)
    early = read_verdicts(folder, {"founding", "digits", "generalised"})
    drawn = (folder / "figures" / "forest.svg").read_bytes()
    assert drawn == forest_files(early)["forest.svg"]


def test_the_one_verdict_of_an_earlier_version_is_read(folder):
    before = read_verdicts(folder, suite())
    for path in folder.glob("*/verdict.json"):
        whole = json.loads(path.read_text())
        later = {"name", "kind", "claims"}
        path.write_text(json.dumps({key: whole[key] for key in whole.keys() - later}))
    after = read_verdicts(folder, suite())
    assert set(after["claim"]) == {"underfits"}
    pd.testing.assert_frame_equal(after.drop(columns="claim"), before.drop(columns="claim"))


def test_a_study_of_the_same_runs_is_not_counted_twice(folder):
    write_verdict(folder, "delay-sweep", "refuted", train=0.02, test=-0.03, units=len("founding"))
    text = overview(folder, studies=suite())
    assert "Over 3 studies" in text
    assert "once more: delay-sweep." in text
    assert "| [delay-sweep](delay-sweep/report.md)" in text


def test_the_forest_is_in_units_of_each_studys_margin(folder):
    scaled = in_margins(read_verdicts(folder, suite()), "test")
    np.testing.assert_allclose(scaled["difference"], [4, -6, 0.2])
    np.testing.assert_allclose(scaled["high"] - scaled["low"], 0.8)


def test_the_forest_is_drawn_beside_the_overview_and_always_the_same(folder):
    write_overview(folder)
    assert (folder / "figures" / "forest.svg").stat().st_size > 1000
    verdicts = read_verdicts(folder, suite())
    assert forest_files(verdicts) == forest_files(verdicts)


def test_a_users_reports_do_not_belong_to_the_suite(folder):
    write_verdict(folder, "comparison", "supported", train=1.0, test=1.0)
    assert "Over 3 studies" in overview(folder, studies=suite())


def test_without_a_study_it_says_so(tmp_path):
    write_overview(tmp_path)
    assert "No study of it has run yet." in (tmp_path / "README.md").read_text()


def test_a_folder_with_an_odd_name_is_a_link_that_shows(tmp_path):
    folder = tmp_path / "[x](javascript:a) <b>"
    folder.mkdir()
    (folder / "report.md").touch()
    text = overview(tmp_path, studies=[])
    assert "(%5Bx%5D%28javascript%3Aa%29%20%3Cb%3E/report.md)" in text
    assert "<b>" not in text


def test_the_committed_reports_can_be_read():
    verdicts = read_verdicts(REPORTS, suite())
    assert set(verdicts["study"]) == {path.parent.name for path in REPORTS.glob("*/verdict.json")}
    assert set(verdicts["verdict"]) <= {"supported", "refuted", "inconclusive", "not tested"}


def test_the_suite_has_real_data_of_every_task_and_variants_of_every_kind():
    wanted = {"founding", "generalised", "breast-cancer", "digits", "diabetes", "noisy-labels"}
    wanted |= {"blobs", "beside-early-stopping", "optimizers", "regularisation"}
    assert wanted <= set(suite())
