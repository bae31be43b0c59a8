"""Where the numbers come from: program, versions, machine, and what training took."""

from collections.abc import Callable, Mapping
from typing import Any

from finetune.planning.units import duration
from finetune.report.markdown import code, plain, table
from finetune.report.sections.base import ReportContext, ReportSection
from finetune.store.manifest import Manifest


def provenance(manifest: Manifest) -> str:
    """List which program, versions and machine made the numbers, as far as they are known."""
    rows = [
        (label, as_text(value))
        for name, (label, as_text) in _ROWS.items()
        if (value := getattr(manifest, name)) not in (None, "", {}, ())
    ]
    return table(rows, columns=["What", "Value"], align="left") if rows else ""


def _stages(seconds: Mapping[str, float]) -> str:
    return ", ".join(f"{plain(stage)} {duration(spent)}" for stage, spent in seconds.items())


def _pairs(values: Mapping[str, Any]) -> str:
    known = {key: value for key, value in values.items() if value is not None}
    return ", ".join(f"{plain(key)} {plain(value)}" for key, value in known.items())


def _lines(notes: tuple[str, ...]) -> str:
    return "<br>".join(map(plain, notes))


# Fields of the manifest, each with its label and how it is written.
_ROWS: Mapping[str, tuple[str, Callable[[Any], str]]] = {
    "engine": ("Engine", plain),
    "digest": ("Digest of the study", code),
    "started": ("Started", plain),
    "wall_seconds": ("Wall time", _stages),
    "seeds": ("Seeds", plain),
    "runs_trained": ("Runs trained", plain),
    "runs_reused": ("Runs reused from the store", plain),
    "run_epochs_delivered": ("Epochs of runs delivered", plain),
    "row_epochs_trained": ("Epochs of rows of weights trained for them", plain),
    "notes": ("Notes", _lines),
    "machine": ("Machine", _pairs),
    "versions": ("Versions", _pairs),
}


def _with_all_notes(context: ReportContext) -> str:
    return provenance(context.manifest.noting(context.analysis.notes))


PROVENANCE = ReportSection("Provenance", _with_all_notes)
