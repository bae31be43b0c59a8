"""What the commands print of a study's results."""

import sys
from collections.abc import Sequence
from pathlib import Path

from finetune.claims.verdict import Verdict
from finetune.claims.words import sentence
from finetune.cli.terminal import console, error_console
from finetune.report.constant_words import no_better_sentence
from finetune.report.html.page import PAGE_FILE, REPORT_FILE
from finetune.report.setting_words import setting_words
from finetune.studies.claim_map import ClaimMap
from finetune.studies.results import Results
from finetune.studies.search import SearchResults
from finetune.studies.tables import StudyTables


def print_results(results: Results, *, quiet: bool = False) -> None:
    """Print a study's verdicts, a table of its variants and where its report is.

    Exit with 3 if runs failed. `quiet` leaves notes, table and paths out.
    """
    for note in () if quiet else results.notes:
        error_console.print(f"Note: {note}")
    if results.analysis.no_better:
        error_console.print(f"Warning: {no_better_sentence(results.analysis.no_better)}")
    _print_verdicts(results.analysis.verdicts, "" if quiet else str(results))
    if not quiet:
        console.print()
        _print_report(results.folder)
    _exit_if_failed(results.failed, len(results.runs))


def print_tables(tables: StudyTables, *, quiet: bool = False) -> None:
    """Print the same of a study whose tables are there, and not its runs."""
    if not quiet:
        error_console.print(
            "Note: judged from tables/runs.csv, since the folder has no store; the A/A check needs "
            "one, and is told in report.md"
        )
    _print_verdicts(tables.verdicts, "" if quiet else str(tables))
    _exit_if_failed(tables.failed, len(tables.runs))


def print_page(page: Path, *, quiet: bool = False) -> None:
    """Print which page was made anew of a report whose runs are not there."""
    if not quiet:
        error_console.print(
            "Note: the folder has no store, which a report is made from; report.md stays as it is"
        )
    console.print(f"Page: {page}")


def _print_report(folder: Path) -> None:
    console.print(f"Report: {folder / REPORT_FILE}\nPage: {folder / PAGE_FILE}")


def _print_verdicts(verdicts: Sequence[Verdict], whole: str) -> None:
    """Print a text that has the verdicts in it; without one the verdicts alone."""
    for text in [whole] if whole else map(sentence, verdicts):
        console.print(text)


def _exit_if_failed(failed: int, count: int) -> None:
    if failed:
        error_console.print(f"{failed} of {count} runs failed; the report names them")
        sys.exit(3)


def print_map(mapped: ClaimMap, *, quiet: bool = False) -> None:
    """Print how many settings have each verdict, and where the report is."""
    for verdict, count in mapped.table["verdict"].value_counts().items():
        console.print(f"{verdict}: {count} of {len(mapped.table)} settings")
    if not quiet:
        _print_report(mapped.folder)


def print_search(found: SearchResults, *, quiet: bool = False) -> None:
    """Print each arm's best setting, what came of it, and the verdict of the study."""
    for arm in found.tuned.arms:
        console.print(f"{arm.name}: {setting_words(arm.setting)}")
    console.print(f"Tuned: {found.tuned.conclusion}")
    print_results(found.study, quiet=quiet)


def print_slice(number: int, of: int, *, left: int) -> None:
    """Print what is still to be done once a slice of a study is trained."""
    console.print(
        f"Slice {number} of {of} is stored; {left} runs of the study are not in this folder."
    )
    console.print("Once all are: the same command without --slice writes the report.")
