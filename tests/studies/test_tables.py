"""A study judged from what is committed of it: its manifest and its tables, without a store."""

import json
import shutil
from pathlib import Path

import pandas as pd
import pytest

from finetune.errors import FinetuneError
from finetune.execution.training import Options
from finetune.studies.run import run_study
from finetune.studies.tables import read_tables
from tests.made_runs import MadeUpExecutor
from tests.small_studies import small_study

SIZE = ("training.epochs=5", "seeds=6", "variants.1.name=None", "claims.1.treatment=None")


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    """The folder of a study with failed runs, its store left out."""
    folder = tmp_path_factory.mktemp("made") / "out"
    options = Options(MadeUpExecutor(), figures=False)
    run_study(small_study(*SIZE), folder, options=options)
    shutil.rmtree(folder / "store")
    return folder


@pytest.fixture
def folder(made, tmp_path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "out"))


def test_the_verdicts_are_those_of_the_store_but_for_the_check_that_needs_it(folder):
    tables = read_tables(folder)
    stored = json.loads((folder / "verdict.json").read_text())["claims"]
    judged = json.loads(json.dumps([one.to_dict() for one in tables.verdicts]))
    assert len(judged) == 3
    for before, after in zip(stored, judged, strict=True):
        assert {key for key in before if before[key] != after[key]} <= {"same_again"}
    assert tables.failed == list(tables.runs["status"]).count("failed") > 0


def test_the_command_says_what_it_judges_from(folder, cli, monkeypatch):
    monkeypatch.chdir(folder.parent)
    before = sorted(folder.rglob("*"))
    verdict = json.loads((folder / "verdict.json").read_text())["verdict"]
    code, out, err = cli("claim", "out", "--expect", verdict)
    assert code == 3  # some runs failed
    assert "Note: judged from tables/runs.csv, since the folder has no store" in err
    assert out.startswith(verdict.capitalize())
    assert "no callbacks  " in out
    assert sorted(folder.rglob("*")) == before


def test_without_the_runs_the_page_alone_is_made_anew_which_is_said(folder, cli):
    page = folder / "report.html"
    before = page.read_bytes()
    page.unlink()
    code, out, err = cli("report", str(folder))
    assert (code, out) == (0, f"Page: {page}\n")
    assert "Note: the folder has no store" in err
    assert page.read_bytes() == before
    (folder / "report.md").unlink()
    code, out, err = cli("report", str(folder))
    assert (code, out, len(err.splitlines())) == (2, "", 1)
    assert "cannot read" in err


def _change(folder: Path, name: str, value) -> None:
    file = folder / "tables" / "runs.csv"
    table = pd.read_csv(file, keep_default_na=False, dtype=object)
    table.loc[1, name] = value
    table.to_csv(file, index=False)


FAULTS = {
    "no table": (lambda folder: (folder / "tables" / "runs.csv").unlink(), "No such file"),
    "empty": (lambda folder: (folder / "tables" / "runs.csv").write_text(""), "No columns"),
    "no UTF-8": (lambda folder: (folder / "tables" / "runs.csv").write_bytes(b"\xff\xfe"), "utf-8"),
    "text for a number": (lambda folder: _change(folder, "test_loss", "low"), "'low'"),
    "another variant": (lambda folder: _change(folder, "variant", "x"), "variant 'x'"),
    "twice": (lambda folder: _change(folder, "seed", 0), "more than once"),
    "status": (lambda folder: _change(folder, "status", "fine"), "'fine'"),
    "no manifest": (lambda folder: (folder / "manifest.json").write_text("{}"), "holds no study"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_tables_that_cannot_be_judged_are_refused_in_one_line(folder, fault, cli):
    spoil, words = FAULTS[fault]
    spoil(folder)
    with pytest.raises(FinetuneError) as caught:
        read_tables(folder)
    assert words in str(caught.value)
    code, out, err = cli("claim", str(folder))
    assert (code, out, len(err.splitlines())) == (2, "", 1)


def test_a_link_is_not_followed(folder, tmp_path):
    (tmp_path / "elsewhere.csv").write_text("secret")
    (folder / "tables" / "runs.csv").unlink()
    (folder / "tables" / "runs.csv").symlink_to(tmp_path / "elsewhere.csv")
    with pytest.raises(FinetuneError, match=r"runs\.csv cannot be read"):
        read_tables(folder)


def test_a_study_that_looks_several_times_is_judged_as_often(tmp_path):
    spec = small_study("training.epochs=5", "seeds={from=5, to=10}")
    executor = MadeUpExecutor(failed_share=0.0)
    run_study(spec, tmp_path, options=Options(executor, figures=False))
    stored = json.loads((tmp_path / "verdict.json").read_text())["claims"]
    judged = json.loads(json.dumps([one.to_dict() for one in read_tables(tmp_path).verdicts]))
    assert [one["looks"] for one in judged] == [one["looks"] for one in stored]
    assert [one["verdict"] for one in judged] == [one["verdict"] for one in stored]
    assert all(one["looks"] for one in judged)
