"""A study's results, as a program or a notebook takes them."""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from finetune.claims.verdict import Verdict
from finetune.claims.words import sentence
from finetune.errors import StoreError
from finetune.report.html import report_html
from finetune.spec.study import StudySpec

_REPORT = ("report.md", "figures", "tables", "verdict.json", "manifest.json")


@dataclass(frozen=True)
class Results:
    """A study's results; a notebook shows them with their figures.

    Attributes:
        spec: The study.
        folder: Of the report and the store.
        runs: A row a run: variant, seed, status, every metric of the final weights, and what the
            callbacks did.
        epochs: A row a run and epoch.
        verdict: On the study's claim; None where it makes none.
        manifest: Spec, versions, machine and times.
    """

    spec: StudySpec
    folder: Path
    runs: pd.DataFrame
    epochs: pd.DataFrame
    verdict: Verdict | None
    manifest: dict[str, Any]

    @property
    def failed(self) -> int:
        """Number of runs in which a loss became NaN or infinite."""
        return list(self.runs["status"]).count("failed")

    def report(self, path: Path | str | None = None) -> Path:
        """Give the report's path; with a folder, copy the report there with all that it shows.

        Raises:
            StoreError: the folder cannot be written to.
        """
        if path is None or Path(path).resolve() == self.folder.resolve():
            return self.folder / "report.md"
        try:
            Path(path).mkdir(parents=True, exist_ok=True)
            for name in _REPORT:
                _copy(self.folder / name, Path(path) / name)
        except OSError as error:
            raise StoreError(
                f"report: cannot write to {str(path)!r}: {error.strerror}; choose another folder"
            ) from error
        return Path(path) / "report.md"

    def _repr_html_(self) -> str:
        return report_html(
            self.folder,
            title=self.spec.name,
            answer=sentence(self.verdict) if self.verdict else "",
        )


def _copy(source: Path, to: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, to, dirs_exist_ok=True)
    elif source.exists():
        shutil.copyfile(source, to)
