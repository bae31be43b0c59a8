"""Render what a search found: its tables, its figures, and `tuned.json` for the study's report."""

from finetune.analysis.tuned import TUNED_FILE, Tuned
from finetune.analysis.tuned_tables import TunedTables
from finetune.report.csv import csv_files
from finetune.report.figures.base import figure_files
from finetune.report.figures.registry import SEARCH_FIGURES
from finetune.report.figures.search.panels import SearchData


def render_search(tuned: Tuned, tables: TunedTables, *, figures: bool = True) -> dict[str, bytes]:
    """Return the files of a search by their path in the study's folder.

    `tuned.json`, from which the study's report makes its section, comes last.
    """
    drawn = [figure for figure in SEARCH_FIGURES if figures and figure.applies(tuned)]
    files = csv_files(tables.frames) | figure_files(drawn, SearchData(tuned, tables))
    return files | {TUNED_FILE: tuned.model_dump_json(indent=2).encode()}
