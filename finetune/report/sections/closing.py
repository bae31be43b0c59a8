"""What stands last in a report: failed runs, how to reproduce it, and where it comes from."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from finetune.analysis.tables import ReportTables
from finetune.report.markdown import (
    NONE,
    Section,
    bullets,
    code,
    code_block,
    folded,
    paragraphs,
    plain,
    table,
)

_FEW = 20
_LABELS = {
    **{"engine": "Engine", "digest": "Digest of the study", "started": "Started"},
    **{"wall_seconds": "Wall time", "seeds": "Seeds", "runs_trained": "Runs trained"},
    **{"runs_reused": "Runs reused from the store"},
    **{"run_epochs_delivered": "Epochs of runs delivered"},
    **{"row_epochs_trained": "Epochs of rows of weights trained for them", "notes": "Notes"},
    **{"machine": "Machine", "versions": "Versions"},
}


def failures_section(tables: ReportTables, manifest: Mapping[str, Any]) -> Section:
    """List the runs that failed, if any, and why those failed that were not trained to an end."""
    failed = tables.runs.loc[tables.runs["status"] != "ok"]
    if failed.empty:
        return Section("Failed runs", "")
    untrained = int(failed["epochs_run"].isna().sum())
    rows = [
        (
            plain(row["variant"]),
            str(row["seed"]),
            NONE if pd.isna(row["epochs_run"]) else str(row["epochs_run"]),
        )
        for row in failed.to_dict("records")
    ]
    listing = table(rows, columns=["Variant", "Seed", "Epochs run"])
    return Section(
        "Failed runs",
        paragraphs(
            f"{len(failed)} of {len(tables.runs)} runs failed{_ways(len(failed), untrained)}. They "
            "are in no mean, interval or pair above, which is a choice in favour of variants that "
            "fail.",
            _reasons(manifest) if untrained else "",
            listing if len(rows) <= _FEW else folded(f"All {len(rows)}", listing),
        ),
    )


def _ways(failed: int, untrained: int) -> str:
    if not untrained:
        return ": their training left the finite numbers"
    if untrained == failed:
        return ": they could not be trained"
    return f": {untrained} could not be trained, and the training of others left the finite numbers"


def _reasons(manifest: Mapping[str, Any]) -> str:
    """Say what ended the tasks; running the study again tries them again."""
    reasons = dict.fromkeys(failure["reason"] for failure in manifest.get("failures", ()))
    again = "Run the same command to try them again; what is stored is kept."
    return paragraphs(again, bullets(*(f"Reason: {code(reason)}" for reason in reasons)))


def reproduction_section(manifest: Mapping[str, Any]) -> Section:
    """Say how to make the same report again."""
    command = str(manifest.get("command") or "").strip()
    return Section(
        "How to reproduce",
        paragraphs(
            code_block(command, language="sh") if command else "",
            "`manifest.json` holds the whole study file and the versions; `tables/` holds every "
            "number above, with all digits.",
        ),
    )


def provenance_section(manifest: Mapping[str, Any]) -> Section:
    """Say which program, versions and machine made the numbers, as far as they are known."""
    written = {
        "digest": code,
        "wall_seconds": _stages,
        "machine": _pairs,
        "versions": _pairs,
        "notes": lambda notes: "<br>".join(map(plain, notes)),
    }
    rows = [
        (label, written.get(key, plain)(manifest[key]))
        for key, label in _LABELS.items()
        if manifest.get(key) not in (None, "", {}, [], ())
    ]
    body = table(rows, columns=["What", "Value"], align="left") if rows else ""
    return Section("Provenance", body)


def duration(seconds: float) -> str:
    """Give a time as a person says it."""
    if seconds < 99.5:
        return f"{seconds:.1f} s" if seconds < 9.95 else f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"


def _stages(seconds: Mapping[str, float]) -> str:
    return ", ".join(f"{plain(stage)} {duration(spent)}" for stage, spent in seconds.items())


def _pairs(values: Mapping[str, Any]) -> str:
    known = {key: value for key, value in values.items() if value is not None}
    return ", ".join(f"{plain(key)} {plain(value)}" for key, value in known.items())
