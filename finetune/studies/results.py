"""A study's results, as a program or a notebook takes them."""

import shutil
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from finetune.analysis.analysis import Analysis
from finetune.claims.verdict import Verdict
from finetune.claims.words import sentence
from finetune.errors import SpecError, StoreError
from finetune.report.figures.registry import STUDY_FIGURES
from finetune.report.notebook import notebook_html, show_figures
from finetune.report.text import results_text
from finetune.spec.nearest import did_you_mean
from finetune.spec.study import StudySpec
from finetune.store.manifest import Manifest
from finetune.studies.tables import find_verdict

# Of each verdict, the columns of `Results.verdicts`.
_OF_VERDICT = ("name", "kind", "verdict", "label", "treatment", "control", "n", "reason")

_REPORT = ("report.md", "report.html", "figures", "tables", "verdict.json", "manifest.json")


@dataclass(frozen=True)
class Results:
    """A study's results; a notebook shows them with their figures, `print` as a small table.

    Attributes:
        folder: Of the report and the store.
        analysis: Every table, curve, verdict and check.
        manifest: Spec, versions, machine and times.
    """

    folder: Path
    analysis: Analysis
    manifest: Manifest

    def __repr__(self) -> str:
        spec = self.spec
        verdicts = [f"{one.name}: {one.verdict}" for one in self.analysis.verdicts]
        return (
            f"Results of {spec.name}: {len(spec.variants)} variants at "
            f"{self.runs['seed'].nunique()} seeds, {len(self.runs)} runs, {self.failed} failed\n"
            f"Verdicts: {'; '.join(verdicts) or 'none, since no claim was made'}\n"
            f"Folder: {self.folder}"
        )

    def __str__(self) -> str:
        return results_text(self.analysis.verdicts, self.analysis.summary)

    @property
    def spec(self) -> StudySpec:
        """The study."""
        return self.analysis.spec

    @property
    def runs(self) -> pd.DataFrame:
        """A row a run: variant, seed, status, metrics of the final weights, what callbacks did."""
        return self.analysis.runs

    @property
    def epochs(self) -> pd.DataFrame:
        """A row a run and epoch."""
        return self.analysis.epochs

    @property
    def verdict(self) -> Verdict | None:
        """The verdict on the study's first claim; None where it makes none."""
        return self.analysis.verdict

    def verdict_on(self, claim: str) -> Verdict:
        """Return the verdict on the claim of that name.

        Raises:
            SpecError: The study makes no such claim.
        """
        return find_verdict(self.analysis.verdicts, claim)

    @property
    def verdicts(self) -> pd.DataFrame:
        """A row a claim: its name and kind, the verdict and the reason, treatment, control, pairs.

        `results.analysis.verdicts` has all that each rests on.
        """
        rows = [[getattr(one, name) for name in _OF_VERDICT] for one in self.analysis.verdicts]
        return pd.DataFrame(rows, columns=list(_OF_VERDICT))

    def plot(self, name: str) -> Figure:
        """Draw one of the report's figures, as "learning_curves"; a notebook shows it by itself.

        Raises:
            SpecError: There is no figure of that name, or it is not of such a study.
        """
        figures = {one.name: one for one in STUDY_FIGURES if one.applies(self.analysis)}
        if name not in figures:
            raise SpecError(
                f"plot: received {name!r}{did_you_mean(name, figures)}; allowed of this study: "
                f"{', '.join(figures)}"
            )
        show_figures()
        return figures[name].drawn(self.analysis)

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader should know of how the data were read and the runs were trained."""
        return self.manifest.noting(self.analysis.notes).notes

    @property
    def failed(self) -> int:
        """Number of runs that failed: a loss became NaN or infinite, or training never ended."""
        return list(self.runs["status"]).count("failed")

    def report(self, path: Path | str | None = None) -> Path:
        """Return the report's path; with a folder, copy the report there with all that it shows.

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
        return notebook_html(
            self.folder,
            title=self.spec.name,
            verdicts=[sentence(one) for one in self.analysis.verdicts],
        )


def _copy(source: Path, to: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, to, dirs_exist_ok=True)
    elif source.exists():
        shutil.copyfile(source, to)
