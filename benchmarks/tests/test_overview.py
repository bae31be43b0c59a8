"""The overview: what the suite as a whole finds, from the verdicts of its studies."""

import json
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from benchmarks.__main__ import suite, write_overview
from benchmarks.forest import forest_files, in_margins
from benchmarks.overview import overview
from benchmarks.verdicts import read_verdicts
from finetune.engines.registry import DEFAULT
from finetune.store.manifest import Manifest
from finetune.studies.load import load_spec

REPORTS = Path(__file__).parents[2] / "reports"


def write_verdict(
    folder: Path, study: str, verdict: str, *, train: float, test: float, units: int = 0
) -> None:
    def side(value: float, margin: float) -> dict:
        interval = {"mean": value, "low": value - 0.002, "high": value + 0.002}
        return {"difference": interval, "margin": margin}

    (folder / study).mkdir(parents=True)
    primary = {"train": side(train, 0.01), "test": side(test, 0.005)}
    spec = load_spec(overrides=[f"model.hidden=[{units or len(study)}]"])
    assert spec.claim is not None
    pair = {"treatment": spec.claim.treatment, "control": spec.claim.control}
    whole = {"verdict": verdict, "label": "a label", "n": 30, "primary": primary, **pair}
    whole |= {"secondary": None}
    (folder / study / "verdict.json").write_text(json.dumps(whole))
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
    assert "No study has run yet." in (tmp_path / "README.md").read_text()


def test_a_folder_with_an_odd_name_is_a_link_that_shows(tmp_path):
    folder = tmp_path / "[x](javascript:a) <b>"
    folder.mkdir()
    (folder / "report.md").touch()
    text = overview(tmp_path, studies=[])
    assert "(%5Bx%5D%28javascript%3Aa%29%20%3Cb%3E/report.md)" in text
    assert "<b>" not in text


def test_the_committed_reports_can_be_read():
    verdicts = read_verdicts(REPORTS, suite())
    assert len(verdicts) >= len(suite()) - 1
    assert set(verdicts["verdict"]) <= {"supported", "refuted", "inconclusive", "not tested"}


def test_the_suite_has_real_data_of_every_task():
    wanted = {"founding", "generalised", "breast-cancer", "digits", "diabetes", "noisy-labels"}
    assert wanted <= set(suite())
