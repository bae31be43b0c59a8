"""What a figure of a report is: how it is drawn, its words, and when it applies."""

import io
import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

from matplotlib.figure import Figure

from finetune.report.figures.style import figure_style

Drawn = TypeVar("Drawn")
Described = TypeVar("Described")


def _always(_: object) -> bool:
    return True


@dataclass(frozen=True)
class ReportFigure(Generic[Drawn, Described]):
    """One figure. Its words need no more than `Described`, which may be less than what it draws.

    Attributes:
        name: Of its files.
        draw: Draws it from data that are ready to be drawn.
        alt: What it shows, for readers who cannot see it.
        caption: What stands below it, as Markdown.
        applies: Whether there is anything to draw.
        section: Which section of a study's report shows it, by the name of the section's file.
    """

    name: str
    draw: Callable[[Drawn], Figure]
    alt: str
    caption: Callable[[Described], str]
    applies: Callable[[Described], bool] = _always
    section: str = "results"

    def drawn(self, data: Drawn) -> Figure:
        """Draw it in the style of reports."""
        with figure_style():
            return self.draw(data)

    def files(self, data: Drawn) -> dict[str, bytes]:
        """Draw it as SVG and as PNG, by file name; equal data give equal files."""
        with figure_style(), warnings.catch_warnings():
            # A name in a script that the font lacks shows as boxes; the tables still have it.
            warnings.filterwarnings("ignore", message="Glyph .* missing from")
            return saved_twice(self.name, self.draw(data))

    def embed(self, data: Described, *, number: int | None = None) -> str:
        """Return the Markdown that shows it with its caption, and with its number if it has one."""
        counted = f"**Figure {number}.** " if number else ""
        return f"![{self.alt}](figures/{self.name}.svg)\n\n{counted}{self.caption(data)}"


def figure_files(
    figures: Iterable[ReportFigure[Drawn, Described]], data: Drawn
) -> dict[str, bytes]:
    """Draw figures of the same data, by path in a report's folder."""
    return {
        f"figures/{name}": image for figure in figures for name, image in figure.files(data).items()
    }


def saved_twice(name: str, figure: Figure) -> dict[str, bytes]:
    """Return a figure as SVG and as PNG, by file name; call it within the figures' style."""
    svg = _saved(figure, format="svg", metadata={"Date": None})
    # The layout found for the first file serves the second; finding it is slow.
    figure.set_layout_engine(None)
    return {f"{name}.svg": svg, f"{name}.png": _saved(figure, format="png", dpi=130)}


def _saved(figure: Figure, **options) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, facecolor="white", **options)
    return buffer.getvalue()
