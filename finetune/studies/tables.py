"""A study read from its report's tables, where its runs are not stored: a fresh clone's."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from finetune.analysis.runs import finished, tidy_runs
from finetune.analysis.summary import summary_table
from finetune.claims.registry import judge_claim
from finetune.claims.verdict import Verdict
from finetune.errors import SpecError, StoreError, one_line
from finetune.report.csv import read_csv_text
from finetune.report.html.page import renew_page
from finetune.report.text import results_text
from finetune.spec.regular_file import open_regular
from finetune.spec.study import StudySpec
from finetune.store.links import refuse_links_of_study
from finetune.store.manifest import read_manifest


@dataclass(frozen=True, eq=False)
class StudyTables:
    """What the tables of a report tell of a study.

    Attributes:
        spec: The study.
        runs: A row a run, as `Results.runs`.
        verdicts: On the study's claims, judged from the runs; there is no A/A check among them.
    """

    spec: StudySpec
    runs: pd.DataFrame
    verdicts: tuple[Verdict, ...]

    def __str__(self) -> str:
        return results_text(self.verdicts, summary_table(self.runs, self.spec))

    @property
    def verdict(self) -> Verdict | None:
        """The verdict on the study's first claim; None where it makes none."""
        return self.verdicts[0] if self.verdicts else None

    def verdict_on(self, claim: str) -> Verdict:
        """Return the verdict on the claim of that name; see `find_verdict`."""
        return find_verdict(self.verdicts, claim)

    @property
    def failed(self) -> int:
        """Number of runs that failed."""
        return len(self.runs) - len(finished(self.runs))


def has_store(folder: Path) -> bool:
    """Return whether a study's folder holds a store of its runs."""
    return (folder / "store").is_dir()


def read_tables(folder: Path) -> StudyTables:
    """Read a study from its folder's manifest and `tables/runs.csv`, and judge its claims.

    Raises:
        StoreError: One of the two cannot be read, or they are not of one study.
    """
    refuse_links_of_study(folder)
    spec = read_manifest(folder).spec
    try:
        runs = tidy_runs(read_table(folder, "runs"), spec)
    # Text where numbers are wanted.
    except (ValueError, TypeError) as error:
        raise _unreadable(folder, "runs", one_line(error)) from error
    return StudyTables(spec, runs, tuple(judge_claim(runs, one, spec) for one in spec.claims))


def renew_page_alone(folder: Path) -> Path:
    """Write the page of a study's report anew from its `report.md`; return the page's path.

    Raises:
        StoreError: The folder holds no study, or its report cannot be read.
    """
    refuse_links_of_study(folder)
    read_manifest(folder)
    return renew_page(folder)


def read_table(folder: Path, name: str) -> pd.DataFrame:
    """Read a table of a report by its name, as "curves".

    Raises:
        StoreError: It is not there, or is no such table.
    """
    try:
        with open_regular(folder / "tables" / f"{name}.csv", follow=False) as file:
            return read_csv_text(file)
    except OSError as error:
        raise _unreadable(folder, name, error.strerror or str(error)) from error
    except ValueError as error:
        raise _unreadable(folder, name, one_line(error)) from error


def find_verdict(verdicts: Sequence[Verdict], claim: str) -> Verdict:
    """Return the verdict on the claim of that name.

    Raises:
        SpecError: The study makes no such claim.
    """
    by_name = {one.name: one for one in verdicts}
    if claim not in by_name:
        allowed = ", ".join(map(repr, by_name)) or "none, since the study makes no claim"
        raise SpecError(f"--claim: received {claim!r}; allowed: {allowed}")
    return by_name[claim]


def _unreadable(folder: Path, name: str, reason: str) -> StoreError:
    return StoreError(
        f"DIR: of the tables of {str(folder)!r}, {name}.csv cannot be read: {reason}; allowed is a "
        "folder that `finetune run` wrote"
    )
