"""What is exported: the report's own numbers, read back; bad input in one line."""

import importlib.util
import shutil
from pathlib import Path

import pandas as pd
import pytest

from finetune.report.csv import read_csv_text
from finetune.studies.export.formats import FORMATS, export_study
from finetune.studies.export.record import read_record
from tests.studies.export.conftest import NAMES


def test_csv_has_a_file_a_variant_and_what_runs_end_with(reported, tmp_path):
    said = export_study(reported, "csv", out=str(tmp_path / "to"))
    assert said == f"Wrote 5 variants to {tmp_path / 'to'}"
    files = sorted(path.name for path in (tmp_path / "to").iterdir())
    assert files == [
        "0 no callbacks.csv", "1 .._up_ _b____1_1_.csv", "2 LR reduction from epoch 0.csv",
        "3 delayed.csv", "4 both.csv", "final.csv",
    ]  # fmt: skip
    curves = pd.read_csv(reported / "tables" / "curves.csv")
    wanted = curves[(curves["variant"] == "delayed") & (curves["metric"] == "val_loss")]
    table = pd.read_csv(tmp_path / "to" / "3 delayed.csv")
    assert table["epoch"].tolist() == [0, 1, 2, 3, 4]
    for column, statistic in (("val_loss", "mean"), ("val_loss_low", "low")):
        assert table[column].tolist() == wanted[statistic].tolist()
    final = read_csv_text(tmp_path / "to" / "final.csv")
    assert list(dict.fromkeys(final["variant"])) == NAMES


def test_the_command_writes_below_exports_and_needs_no_store(reported, cli, tmp_path):
    code, out, err = cli("export", "csv", "out")
    assert (code, out, err) == (0, "Wrote 5 variants to exports/founding/csv\n", "")
    assert (tmp_path / "exports/founding/csv/final.csv").is_file()


def test_the_record_leaves_links_out(reported, tmp_path):
    (tmp_path / "secret.png").write_bytes(b"secret")
    (reported / "figures" / "z.png").symlink_to(tmp_path / "secret.png")
    record = read_record(reported)
    assert [file.name for file in record.figures] == ["claim.png", "curves.png"]
    assert Path("figures/z.png") not in record.files
    assert {Path("report.md"), Path("report.html"), Path("tables/runs.csv")} <= {*record.files}


def _drop(name: str):
    return lambda folder: (folder / name).unlink()


def _retype(folder: Path) -> None:
    file = folder / "tables" / "curves.csv"
    file.write_text(file.read_text().replace(",0,", ",first,", 1))


BAD = {
    "format": (["tensorbord", "out"], None, "did you mean 'tensorboard'?"),
    "folder": (["csv", "nowhere"], None, "'nowhere' holds no study"),
    "no report": (["csv", "out"], _drop("report.md"), "holds no report"),
    "no table": (["csv", "out"], _drop("tables/curves.csv"), "curves.csv cannot be read"),
    "a table of text": (["csv", "out"], _retype, "is not one that `finetune run` wrote"),
    "a file in the way": (["csv", "out", "--out", "out/report.md"], None, "report.md"),
}


@pytest.mark.parametrize("kind", BAD)
def test_bad_input_is_told_in_one_line_with_code_2(kind, reported, cli):
    arguments, spoil, words = BAD[kind]
    if spoil:
        spoil(reported)
    code, out, err = cli("export", *arguments)
    assert (code, out) == (2, "")
    (line,) = err.splitlines()
    assert line.startswith("finetune: ")
    assert words in line


@pytest.mark.parametrize("name", [name for name, form in FORMATS.items() if form.needs])
def test_a_package_that_is_not_there_is_named_with_its_extra(name, reported, cli, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    monkeypatch.setattr("finetune.studies.export.formats.find_spec", lambda _: None)
    code, _, err = cli("export", name, "out")
    assert code == 2
    assert f"install finetune with the extra {name}" in err


def test_nothing_is_left_where_nothing_can_be_read(reported, cli, tmp_path):
    shutil.rmtree(reported / "tables")
    assert cli("export", "csv", "out")[0] == 2
    assert not (tmp_path / "exports").exists()
