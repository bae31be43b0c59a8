"""What reports are made from in tests: a made-up manifest, and contexts without drawing."""

from typing import Any

from finetune.analysis.analysis import Analysis
from finetune.report.render import report_context
from finetune.report.sections.base import ReportContext
from finetune.store.manifest import Manifest
from tests.made_study import make_study


def made_manifest(**changed: Any) -> Manifest:
    """Make the manifest of a study that nothing trained."""
    fields: dict[str, Any] = {
        "name": "made",
        "engine": "population",
        "digest": "0123456789abcdef",
        "command": "finetune run made.toml",
        "started": "2025-01-02T03:04:05+00:00",
        "seeds": 10,
        "versions": {"python": "3.11.7", "keras": "3.15.1"},
        "machine": {"processor": "made up", "cores": 2, "memory_gib": None},
        "spec": make_study(seeds=1).spec,
        "wall_seconds": {},
    }
    return Manifest(**fields | changed)


def context_of(
    analysis: Analysis, manifest: Manifest | None = None, *, figures: bool = True
) -> ReportContext:
    """Return what the sections of a report are made from; its figures are named, not drawn."""
    return report_context(analysis, manifest or made_manifest(), figures=figures)


def rows_of(body: str, head: str) -> dict[str, list[str]]:
    """Return the fields of the table whose first head is given, by the first field of each row."""
    lines = body[body.index(f"| {head} ") :].partition("\n\n")[0].splitlines()
    fields = [[field.strip() for field in line.split("|")[1:-1]] for line in lines]
    return {row[0]: row[1:] for row in [fields[0], *fields[2:]]}
