"""Write a report: `report.md`, its tables and its figures, each file whole or not at all."""

import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import pandas as pd

from finetune.errors import StoreError
from finetune.report.callbacks_section import callbacks_section
from finetune.report.closing_sections import (
    failures_section,
    provenance_section,
    reproduction_section,
)
from finetune.report.figures import figure_files, figure_names
from finetune.report.markdown import Section, join_sections, plain
from finetune.report.results_section import results_section
from finetune.report.setup_section import setup_section
from finetune.report.tables import ReportTables, build_tables
from finetune.spec import StudySpec


def write_report(
    out: Path,
    *,
    spec: StudySpec,
    runs: pd.DataFrame,
    epochs: pd.DataFrame,
    manifest: Mapping[str, Any],
    claim_section: str,
    extra_sections: Sequence[Section] = (),
) -> Path:
    """Write `report.md`, `tables/*.csv` and `figures/*` into the folder `out`; give the report.

    `claim_section` is Markdown that opens the report; `extra_sections` follow the callbacks.
    Nothing is written unless everything could be made; the report comes last.

    Raises:
        StoreError: a (variant, seed) cell is missing or doubled, or a file cannot be written.
    """
    tables = build_tables(spec, runs=runs, epochs=epochs)
    sections = report_sections(tables, spec, manifest=manifest, extra_sections=extra_sections)
    title = "Study: " + plain(manifest.get("name", spec.name))
    text = join_sections(title, opening=claim_section, sections=sections)
    files = {f"tables/{name}": csv.encode() for name, csv in tables.csv_files().items()}
    figures = figure_files(tables, names=figure_names(tables))
    files |= {f"figures/{name}": image for name, image in figures.items()}
    for name, content in {**files, "report.md": text.encode()}.items():
        write_whole(out / name, content)
    return out / "report.md"


def report_sections(
    tables: ReportTables,
    spec: StudySpec,
    *,
    manifest: Mapping[str, Any],
    extra_sections: Sequence[Section] = (),
) -> list[Section]:
    """Give the report's sections in reading order; one without a body is not shown."""
    return [
        setup_section(spec),
        results_section(tables, spec, figures=figure_names(tables)),
        callbacks_section(tables, spec),
        *extra_sections,
        failures_section(tables),
        reproduction_section(manifest),
        provenance_section(manifest),
    ]


def write_whole(path: Path, content: bytes) -> None:
    """Write a file so that a reader, or a crash, sees the old one or the new one, no other.

    Raises:
        StoreError: the folder or the file cannot be written.
    """
    draft = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        draft.write_bytes(content)
        draft.replace(path)
    except OSError as error:
        reason = error.strerror or str(error)
        raise StoreError(f"cannot write {path}: {reason}; choose another folder") from error
    finally:
        with suppress(OSError):
            draft.unlink(missing_ok=True)
