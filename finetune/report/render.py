"""Render an analysis: `report.md`, its page, its tables and figures, `verdict.json`."""

from pathlib import Path

from finetune.analysis.analysis import Analysis
from finetune.claims.verdict import verdicts_json
from finetune.report.csv import csv_files
from finetune.report.figures.base import figure_files
from finetune.report.figures.registry import SEARCH_FIGURES, STUDY_FIGURES
from finetune.report.html.page import write_page
from finetune.report.markdown import Section, join_sections, plain
from finetune.report.sections.base import ReportContext
from finetune.report.sections.opening import opening
from finetune.report.sections.registry import SECTIONS
from finetune.store.atomic import write_whole
from finetune.store.manifest import Manifest


def write_report(
    folder: Path, analysis: Analysis, manifest: Manifest, *, figures: bool = True
) -> None:
    """Write the files of `render` into a folder, and the page that is made of the report.

    The report and the verdict come last; none of them is written unless all could be made.

    Raises:
        StoreError: a file cannot be written.
    """
    files = render(analysis, manifest, figures=figures)
    # A search has drawn figures of the same report, which lie in the folder.
    write_page(folder, files["report.md"].decode(), drawn=files)
    for name, content in files.items():
        write_whole(folder / name, content)


def render(analysis: Analysis, manifest: Manifest, *, figures: bool = True) -> dict[str, bytes]:
    """Return the files of a report by their path in its folder; nothing is computed here."""
    context = report_context(analysis, manifest, figures=figures)
    files = csv_files(analysis.frames) | figure_files(context.figures, analysis)
    files["report.md"] = report_text(context).encode()
    if analysis.verdicts:
        files["verdict.json"] = verdicts_json(analysis.verdicts).encode()
    return files


def report_context(
    analysis: Analysis, manifest: Manifest, *, figures: bool = True
) -> ReportContext:
    """Return what the sections are made from, with the figures that apply, or none."""
    if not figures:
        return ReportContext(analysis, manifest)
    tuned = analysis.tuned
    return ReportContext(
        analysis,
        manifest,
        figures=tuple(one for one in STUDY_FIGURES if one.applies(analysis)),
        search_figures=tuple(one for one in SEARCH_FIGURES if tuned and one.applies(tuned)),
    )


def report_text(context: ReportContext) -> str:
    """Return `report.md`: the first screen, then the sections in their order."""
    sections = [Section(section.title, section.body(context)) for section in SECTIONS]
    title = "Study: " + plain(context.manifest.name)
    return join_sections(title, opening=opening(context), sections=sections)
