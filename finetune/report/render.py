"""Write a report: `report.md`, its tables and its figures, each file whole or not at all."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from finetune.analysis.tables import ReportTables, build_tables
from finetune.claims.verdict import Verdict
from finetune.report.csv import csv_files
from finetune.report.figures.registry import figure_files, figure_names
from finetune.report.markdown import Section, join_sections, plain
from finetune.report.sections.budgets import budget_section
from finetune.report.sections.callbacks import callbacks_section
from finetune.report.sections.closing import (
    failures_section,
    provenance_section,
    reproduction_section,
)
from finetune.report.sections.comparisons import comparison_section
from finetune.report.sections.opening import opening
from finetune.report.sections.results import results_section
from finetune.report.sections.setup import setup_section
from finetune.report.sections.variance import variance_section
from finetune.report.sections.verdict import verdict_section
from finetune.spec.study import StudySpec
from finetune.store.atomic import write_whole


def write_report(
    out: Path,
    *,
    spec: StudySpec,
    runs: pd.DataFrame,
    epochs: pd.DataFrame,
    manifest: Mapping[str, Any],
    verdict: Verdict | None = None,
    replicate: pd.DataFrame | None = None,
    variance: pd.DataFrame | None = None,
    extra_sections: Sequence[Section] = (),
) -> Path:
    """Write `report.md`, `tables/*.csv` and `figures/*` into the folder `out`; give the report.

    `replicate` holds the control's runs under another batch order, which the verdict's A/A check
    rests on; `variance` is `stats.variance.variance_table` of the study; `extra_sections` follow
    it. Nothing is written unless everything could be made; the report comes last.

    Raises:
        StoreError: a (variant, seed) cell is missing or doubled, or a file cannot be written.
    """
    tables = build_tables(
        spec, runs=runs, epochs=epochs, verdict=verdict, replicate=replicate, variance=variance
    )
    figures = figure_names(tables)
    sections = report_sections(
        tables, spec, figures=figures, manifest=manifest, extra_sections=extra_sections
    )
    title = "Study: " + plain(manifest.get("name", spec.name))
    first = opening(tables, spec, figures=figures)
    text = join_sections(title, opening=first, sections=sections)
    files = {f"tables/{name}": csv.encode() for name, csv in csv_files(tables.frames).items()}
    drawn = figure_files(tables, names=figures)
    files |= {f"figures/{name}": image for name, image in drawn.items()}
    for name, content in {**files, "report.md": text.encode()}.items():
        write_whole(out / name, content)
    return out / "report.md"


def report_sections(
    tables: ReportTables,
    spec: StudySpec,
    *,
    figures: Sequence[str],
    manifest: Mapping[str, Any],
    extra_sections: Sequence[Section] = (),
) -> list[Section]:
    """Give the sections below the first screen in reading order; one without a body is not shown.

    `figures` are the names of those that are drawn, in the order of their numbers.
    """
    return [
        setup_section(spec),
        verdict_section(tables, spec),
        comparison_section(tables, figures=figures),
        results_section(tables, figures=figures),
        budget_section(tables, spec, figures=figures),
        callbacks_section(tables, spec),
        variance_section(tables.variance),
        *extra_sections,
        failures_section(tables, manifest),
        reproduction_section(manifest),
        provenance_section(manifest),
    ]
