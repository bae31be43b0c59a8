import re
from dataclasses import replace
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from finetune.errors import StoreError
from finetune.report.figures.registry import STUDY_FIGURES
from finetune.report.render import render, write_report
from finetune.report.sections.registry import SECTIONS
from finetune.stats.variance import variance_table
from finetune.store.atomic import write_whole
from tests.made_study import ODD_VARIANTS, make_study
from tests.processes import loaded_by
from tests.report.made_report import made_manifest


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """A report of a full claim with odd names and a failed run.

    The sources of randomness all vary as much as all together.
    """
    arms = [variant["name"] for variant in ODD_VARIANTS[2:]]
    made = make_study(
        seeds=100,
        variants=ODD_VARIANTS,
        failed=((arms[0], 1),),
        claims=[
            {"kind": "underfits", "treatment": arms[0], "control": arms[1]},
            {"kind": "equivalent", "treatment": arms[1], "control": arms[0], "metric": "test_loss"},
        ],
        metrics=("auc", "log_loss", "f1"),
    )
    sources = {"init": made.runs, "order": made.runs}
    variance = variance_table(sources, made.runs, variants=arms)
    out = tmp_path_factory.mktemp("report")
    write_report(out, replace(made.analysis(), variance=variance), made_manifest())
    return out


def test_all_files_are_there_and_nothing_else(written):
    tables = [
        "runs",
        "summary",
        "contrasts",
        "ranks",
        "pairs",
        "callbacks",
        "identical",
        "curves",
        "budgets",
        "time_to_target",
        "variance",
        "accumulation",
    ]
    files = {path.relative_to(written).as_posix() for path in written.rglob("*.*")}
    assert files == {
        "report.md",
        "report.html",
        "verdict.json",
        *(f"tables/{name}.csv" for name in tables),
        *(f"figures/{figure.name}.{kind}" for figure in STUDY_FIGURES for kind in ("svg", "png")),
    }


def test_drawings_of_a_full_study_stay_small(written):
    assert all(path.stat().st_size < 300_000 for path in written.rglob("*.svg"))


def test_the_verdict_opens_the_report_and_the_sections_follow_in_order(written):
    text = (written / "report.md").read_text(encoding="utf-8")
    assert text.startswith("# Study: made\n\n**Refuted: ")
    titles = [line[3:] for line in text.splitlines() if line.startswith("## ")]
    absent = {
        "Tuned fairly: each arm at its best setting",
        "Checks",
        "Probe: was the learning rate starved?",
        "Parity with Keras",
    }
    assert titles == [section.title for section in SECTIONS if section.title not in absent]


def test_figures_are_numbered_as_they_come(written):
    text = (written / "report.md").read_text(encoding="utf-8")
    assert re.findall(r"\*\*Figure (\d+)\.", text) == [*"123456789", "10", "11"]


def test_the_long_table_of_the_runs_follows_their_figures_and_is_folded(written):
    text = (written / "report.md").read_text(encoding="utf-8")
    section = text.split("## The runs in figures")[1].split("\n## ")[0]
    assert re.findall(r"Figure (\d+)\.", section) == ["5", "6", "7", "8", "9", "10"]
    assert section.index("<details>") > section.index("Figure 10.")
    assert section.split("<details>")[1].count(r"| \_hidden ") == 17


def test_the_report_renders(written):
    text = (written / "report.md").read_text(encoding="utf-8")
    tokens = MarkdownIt().enable("table").parse(text)
    kinds = [token.type for token in tokens]
    delimiters = [line for line in text.splitlines() if line.startswith("|:-")]
    assert kinds.count("table_open") == len(delimiters) == 17
    # Every row of a table has as many fields as its head: no name broke out of its own.
    head = None
    for place, kind in enumerate(kinds):
        if kind == "tr_open":
            fields = sum(
                k in ("th_open", "td_open") for k in kinds[place : kinds.index("tr_close", place)]
            )
            head = fields if kinds[place - 1] == "thead_open" else head
            assert fields == head
    images = [c.attrs["src"] for t in tokens for c in t.children or [] if c.type == "image"]
    assert len(images) == len(STUDY_FIGURES)
    assert all((written / str(image)).is_file() for image in images)


def test_a_report_replaces_an_older_one_and_is_the_same(tmp_path, analysis):
    (tmp_path / "report.md").write_text("old")
    write_report(tmp_path, analysis, made_manifest(), figures=False)
    files = render(analysis, made_manifest(), figures=False)
    assert (tmp_path / "report.md").read_bytes() == files["report.md"]
    text = files["report.md"].decode()
    assert text.startswith("# Study: made\n\n| Variant ")
    assert "## How the verdict was reached" not in text
    assert "](figures/" not in text
    assert "verdict.json" not in files


def test_a_failed_write_keeps_the_old_file_and_leaves_no_draft(tmp_path, monkeypatch):
    path = tmp_path / "a.csv"
    write_whole(path, b"old")

    def refuse(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", refuse)
    with pytest.raises(StoreError, match=r"a\.csv: No space left on device"):
        write_whole(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_that_is_a_file_is_refused(tmp_path):
    (tmp_path / "out").write_text("")
    with pytest.raises(StoreError, match="cannot write"):
        write_whole(tmp_path / "out" / "a.csv", b"")


def test_a_report_is_rendered_without_tensorflow():
    assert not {"tensorflow", "keras"} & loaded_by("import finetune.report.render")
