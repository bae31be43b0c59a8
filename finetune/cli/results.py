"""What the commands print of a study's results."""

import sys

from finetune.claims.words import sentence
from finetune.cli.terminal import console, error_console
from finetune.report.constant_words import no_better_sentence
from finetune.report.setting_words import setting_words
from finetune.studies.claim_map import ClaimMap
from finetune.studies.results import Results
from finetune.studies.search import SearchResults


def print_results(results: Results, *, quiet: bool = False) -> None:
    """Print a study's verdicts, a table of its variants and where its report is.

    Exit with 3 if runs failed. `quiet` leaves notes, table and paths out.
    """
    for note in () if quiet else results.notes:
        error_console.print(f"Note: {note}")
    if results.analysis.no_better:
        error_console.print(f"Warning: {no_better_sentence(results.analysis.no_better)}")
    if quiet:
        for verdict in results.analysis.verdicts:
            console.print(sentence(verdict))
    else:
        console.print(f"{results}\n\nReport: {results.report()}")
    if results.failed:
        error_console.print(
            f"{results.failed} of {len(results.runs)} runs failed; the report names them"
        )
        sys.exit(3)


def print_map(mapped: ClaimMap, *, quiet: bool = False) -> None:
    """Print how many settings have each verdict, and where the report is."""
    for verdict, count in mapped.table["verdict"].value_counts().items():
        console.print(f"{verdict}: {count} of {len(mapped.table)} settings")
    if not quiet:
        console.print(f"Report: {mapped.folder / 'report.md'}")


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
