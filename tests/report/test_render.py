import re
import subprocess
import sys
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from finetune.errors import StoreError
from finetune.report import render
from finetune.report.markdown import Section
from finetune.report.render import write_report
from finetune.stats.variance import variance_table
from finetune.store.atomic import write_whole
from tests.made_study import ODD_VARIANTS, make_study

MANIFEST = {"name": "made", "engine": "keras", "command": "finetune run made.toml"}


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """A report of a full claim, with odd names, a failed run and a section of another room.

    The sources of randomness, as the variance is told, all vary as much as all together.
    """
    made = make_study(
        seeds=100,
        variants=ODD_VARIANTS,
        failed=((ODD_VARIANTS[2]["name"], 1),),
        claim={"treatment": ODD_VARIANTS[2]["name"], "control": ODD_VARIANTS[3]["name"]},
    )
    arms = [ODD_VARIANTS[2]["name"], ODD_VARIANTS[3]["name"]]
    sources = {"init": made.runs, "order": made.runs}
    out = tmp_path_factory.mktemp("report")
    parity = Section("Parity", "Two engines agree.")
    path = write_report(
        out,
        **{"spec": made.spec, "runs": made.runs, "epochs": made.epochs, "manifest": MANIFEST},
        verdict=made.verdict(),
        variance=variance_table(sources, made.runs, variants=arms),
        extra_sections=[parity],
    )
    assert path == out / "report.md"
    return out


def test_all_files_are_there_and_nothing_else(written):
    kinds = {path.relative_to(written).as_posix() for path in written.rglob("*.*")}
    names = ["runs", "summary", "contrasts", "ranks", "pairs", "callbacks", "identical", "curves"]
    names += ["budgets", "time_to_target", "variance"]
    assert {path for path in kinds if path.startswith("tables")} == {
        f"tables/{name}.csv" for name in names
    }
    assert len([path for path in kinds if path.startswith("figures")]) == 16
    assert len(kinds) == 11 + 16 + 1


def test_drawings_of_a_full_study_stay_small(written):
    assert all(path.stat().st_size < 300_000 for path in written.rglob("*.svg"))


def test_the_verdict_opens_the_report_and_the_sections_follow(written):
    text = (written / "report.md").read_text(encoding="utf-8")
    assert text.startswith('# Study: made\n\n**Refuted: "a very long name ')
    titles = [line[3:] for line in text.splitlines() if line.startswith("## ")]
    assert titles == [
        *("What was run", "How the verdict was reached", "All variants compared"),
        *("The runs in figures", "What it costs: quality against epochs"),
        *("Did the callbacks fire?", "Where the spread comes from", "Parity"),
        *("Failed runs", "How to reproduce", "Provenance"),
    ]


def test_figures_are_numbered_as_they_come(written):
    text = (written / "report.md").read_text(encoding="utf-8")
    assert re.findall(r"\*\*Figure (\d)\.", text) == list("12345678")


def test_the_report_renders(written):
    text = (written / "report.md").read_text(encoding="utf-8")
    tokens = MarkdownIt().enable("table").parse(text)
    kinds = [token.type for token in tokens]
    delimiters = [line for line in text.splitlines() if line.startswith("|:-")]
    assert kinds.count("table_open") == len(delimiters) == 16
    # Every row of a table has as many cells as its head: no name broke out of its cell.
    head = None
    for place, kind in enumerate(kinds):
        if kind == "tr_open":
            cells = sum(
                k in ("th_open", "td_open") for k in kinds[place : kinds.index("tr_close", place)]
            )
            head = cells if kinds[place - 1] == "thead_open" else head
            assert cells == head
    images = [c.attrs["src"] for t in tokens for c in t.children or [] if c.type == "image"]
    assert len(images) == 8
    assert all((written / str(image)).is_file() for image in images)


def test_a_report_replaces_an_older_one_and_is_the_same(tmp_path, monkeypatch):
    monkeypatch.setattr(render, "figure_files", lambda tables, *, names: {})
    made, texts = make_study(seeds=1), []
    (tmp_path / "report.md").write_text("old")
    for _ in range(2):
        frames = {"spec": made.spec, "runs": made.runs, "epochs": made.epochs}
        write_report(tmp_path, **frames, manifest={})
        texts.append((tmp_path / "report.md").read_text(encoding="utf-8"))
    assert texts[0] == texts[1]
    assert texts[0].startswith("# Study: made\n\n| Variant ")
    assert "## How the verdict was reached" not in texts[0]


def test_nothing_is_written_for_incomplete_runs(tmp_path):
    made = make_study(seeds=1)
    with pytest.raises(StoreError, match="is missing"):
        write_report(
            tmp_path,
            **{"spec": made.spec, "runs": made.runs[1:], "epochs": made.epochs},
            manifest={},
        )
    assert list(tmp_path.iterdir()) == []


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


def test_a_folder_that_is_a_file_is_told(tmp_path):
    (tmp_path / "out").write_text("")
    with pytest.raises(StoreError, match="cannot write"):
        write_whole(tmp_path / "out" / "a.csv", b"")


def test_imports_stay_light():
    code = (
        "import sys, finetune.analysis.tables; print(*sys.modules)\n"
        "import finetune.report.render; print(*sys.modules)"
    )
    ran = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    tables, everything = (set(line.split()) for line in ran.stdout.splitlines())
    assert not {"matplotlib", "seaborn"} & tables
    assert "seaborn" in everything
    assert not {"tensorflow", "keras"} & everything
