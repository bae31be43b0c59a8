"""What a section of a report is, and what all sections are made from."""

from collections.abc import Callable
from dataclasses import dataclass

from finetune.analysis.analysis import Analysis
from finetune.report.figures.base import ReportFigure
from finetune.report.markdown import paragraphs
from finetune.store.manifest import Manifest


@dataclass(frozen=True)
class ReportContext:
    """All that a report shows.

    Attributes:
        analysis: Every table, curve, verdict and check.
        manifest: Where the numbers come from.
        figures: Those that are drawn, in the order of their numbers.
        search_figures: Those of a search that are drawn; they have no numbers.
    """

    analysis: Analysis
    manifest: Manifest
    figures: tuple[ReportFigure, ...] = ()
    search_figures: tuple[ReportFigure, ...] = ()

    def embed(self, section: str) -> str:
        """Show those of a section's figures that are drawn, numbered by their place among all."""
        return paragraphs(
            *(
                figure.embed(self.analysis, number=number)
                for number, figure in enumerate(self.figures, start=1)
                if figure.section == section
            )
        )


@dataclass(frozen=True)
class ReportSection:
    """One section; its body is Markdown, and "" where it does not apply to a study."""

    title: str
    body: Callable[[ReportContext], str]
