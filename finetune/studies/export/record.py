"""What is exported of a study, whatever to: read from its report's folder, which needs no store."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from finetune.errors import StoreError
from finetune.report.html.page import PAGE_FILE, REPORT_FILE
from finetune.spec.study import StudySpec
from finetune.store.links import refuse_links_of_study
from finetune.store.manifest import read_manifest
from finetune.studies.tables import read_table

# Of every value: the mean over seeds, and the ends of its 95 % interval.
STATISTICS = ("mean", "low", "high")


@dataclass(frozen=True, eq=False)
class VariantRecord:
    """One variant.

    Attributes:
        name: Of the variant.
        run: A name for it that can be a file's everywhere, with its number in the study.
        settings: What it adds to the study, or sets otherwise, by dotted path.
        curves: A row a metric and epoch (from 0): metric, epoch and `STATISTICS`.
        final: A row a metric, of the weights that runs end with: metric and `STATISTICS`.
    """

    name: str
    run: str
    settings: Mapping[str, Any]
    curves: pd.DataFrame
    final: pd.DataFrame

    def values(self) -> Iterator[tuple[str, int, float]]:
        """Yield each number of the curves: its key, as "val_loss/mean", its epoch, and itself.

        One seed has no interval, so that its ends are left out.
        """
        for row in self.curves.to_dict("records"):
            for name in STATISTICS:
                if pd.notna(row[name]):
                    yield f"{row['metric']}/{name}", row["epoch"], row[name]


@dataclass(frozen=True, eq=False)
class StudyRecord:
    """A study: its variants, and the files of its report."""

    folder: Path
    spec: StudySpec
    variants: tuple[VariantRecord, ...]

    @property
    def report(self) -> str:
        """The report, in Markdown."""
        return (self.folder / REPORT_FILE).read_text(encoding="utf-8")

    @property
    def figures(self) -> list[Path]:
        """The report's figures, as PNG."""
        return _files(self.folder, "figures/*.png")

    @property
    def files(self) -> list[Path]:
        """All files of the report, by their path in its folder."""
        patterns = (REPORT_FILE, PAGE_FILE, "verdict.json", "figures/*.*", "tables/*.csv")
        found = [file for pattern in patterns for file in _files(self.folder, pattern)]
        return [file.relative_to(self.folder) for file in found]


def read_record(folder: Path) -> StudyRecord:
    """Read what is exported from a report's folder.

    Raises:
        StoreError: The folder holds no study, or no report of it with its tables.
    """
    refuse_links_of_study(folder)
    spec = read_manifest(folder).spec
    if not _files(folder, REPORT_FILE):
        raise StoreError(
            f"DIR: {str(folder)!r} holds no report; allowed is a folder in which `finetune run` "
            "has ended; run it again"
        )
    curves, final = _numbers(folder, "curves", "epoch"), _numbers(folder, "summary")
    variants = tuple(
        VariantRecord(
            name=one.name,
            run=_run_name(number, one.name),
            settings=one.settings,
            curves=curves.loc[curves["variant"] == one.name].drop(columns="variant"),
            final=final.loc[final["variant"] == one.name].drop(columns="variant"),
        )
        for number, one in enumerate(spec.variants)
    )
    return StudyRecord(folder, spec, variants)


def _numbers(folder: Path, name: str, *counts: str) -> pd.DataFrame:
    """Return a table's columns that are exported, of the types that they must have."""
    kinds = dict.fromkeys(("variant", "metric"), "str") | dict.fromkeys(counts, "int64")
    try:
        table = read_table(folder, name)
        typed = table.astype(kinds | dict.fromkeys(STATISTICS, "float64"))
        return typed.loc[:, ["variant", "metric", *counts, *STATISTICS]]
    except (KeyError, ValueError, TypeError) as error:
        raise StoreError(
            f"DIR: {name}.csv among the tables of {str(folder)!r} is not one that `finetune run` "
            "wrote; write it anew with `finetune report`"
        ) from error


def _files(folder: Path, pattern: str) -> list[Path]:
    """Return the regular files of a pattern; a link may lead anywhere."""
    found = sorted(folder.glob(pattern))
    return [file for file in found if file.is_file() and not file.is_symlink()]


def _run_name(number: int, name: str) -> str:
    safe = "".join(c if c.isalnum() or c in " ._-" else "_" for c in name)
    return f"{number} {safe[:60]}".rstrip(" .")
