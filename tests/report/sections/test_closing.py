"""The last sections: failed runs, how to reproduce a report, and where its numbers come from."""

import pytest

from finetune.report.sections.failures import failures
from finetune.report.sections.provenance import provenance
from finetune.report.sections.reproduction import reproduction
from tests.made_study import make_study
from tests.report.made_report import context_of, made_manifest, rows_of


def test_failed_runs_are_listed(analysis):
    made = make_study(seeds=2, failed=(("both", 1),))
    assert rows_of(failures(context_of(made.analysis())), "Variant")["both"] == ["1", "7"]
    assert failures(context_of(analysis)) == ""


def test_many_failed_runs_are_folded():
    failed = tuple((name, seed) for name in ("both", "reduction") for seed in range(11))
    body = failures(context_of(make_study(seeds=11, failed=failed).analysis(), figures=False))
    assert "<summary>All 22</summary>" in body


def test_provenance_shows_what_is_known():
    manifest = made_manifest(runs_reused=0, started="", machine={"cores": 2, "memory_gib": None})
    rows = rows_of(provenance(manifest), "What")
    assert rows["Runs reused from the store"] == ["0"]
    assert rows["Machine"] == ["cores 2"]
    assert not {"Started", "Notes", "Wall time"} & set(rows)


@pytest.mark.parametrize(("command", "fences"), [("finetune run", 2), (None, 0), (" ", 0)])
def test_the_command_is_shown_as_code(command, fences):
    assert reproduction(made_manifest(command=command)).count("```") == fences
