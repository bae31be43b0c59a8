"""How figures look: one colour, dash and marker a variant, the same in every figure."""

import math
import textwrap
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import matplotlib
import pandas as pd
import seaborn
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from finetune.errors import escape_unprintable

WIDTH = 9.0  # inches: at 96 pixels an inch about the width of GitHub's column

# More dots than this make an SVG heavy: they are drawn as an image in it.
MOST_VECTOR_DOTS = 1500

# Okabe and Ito's colours, which colour-blind readers distinguish; grey for the first variant,
# which is the baseline in most studies.
_COLOURS = ("#8a8a8a", "#e69f00", "#0072b2", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#000000")
_DASHES = ("", (4, 2), (1, 1.2), (6, 2, 1, 2), (2.5, 1))
_MARKERS = ("o", "s", "^", "D", "v", "P", "X")

# `hashsalt` makes the ids inside an SVG the same at every writing.
_RC: Any = {
    **seaborn.axes_style("whitegrid"),
    **seaborn.plotting_context("notebook", font_scale=0.85),
    "svg.hashsalt": "finetune",
    "axes.titleweight": "bold",
    "axes.edgecolor": "#888888",
    "grid.color": "#dddddd",
    "legend.frameon": False,
}


@contextmanager
def figure_style() -> Iterator[None]:
    """Draw with the settings of reports alone, whatever the user's or a folder's `matplotlibrc`."""
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(_RC)
        yield


@dataclass(frozen=True)
class VariantStyles:
    """The look of every variant, as seaborn's mappings from a variant's name.

    Lines and markers get smaller from first to last, and are drawn in that order: where variants
    are the same runs, and so fall on each other, the earlier show as a rim around the later.
    """

    variants: list[str]

    @property
    def colours(self) -> dict[str, str]:
        """The colour of each variant."""
        return self._cycled(_COLOURS)

    @property
    def dashes(self) -> dict[str, Any]:
        """The dashes of each variant's line, in line widths; "" is solid, until colours repeat."""
        return self._cycled(_DASHES, every=len(_COLOURS))

    @property
    def markers(self) -> dict[str, str]:
        """The marker of each variant."""
        return self._cycled(_MARKERS)

    @property
    def widths(self) -> dict[str, float]:
        """The width of each variant's line, in points."""
        return self._shrinking(4.5, 1.5)

    @property
    def areas(self) -> dict[str, float]:
        """The area of each variant's dots, in square points."""
        return self._shrinking(34.0, 12.0)

    def line_mapping(self) -> dict[str, Any]:
        """Return the arguments with which `seaborn.lineplot` draws one line a variant."""
        return {
            **self._mapping(),
            "sizes": self.widths,
            "dashes": self.dashes,
            "estimator": None,
            "errorbar": None,
        }

    def dot_mapping(self) -> dict[str, Any]:
        """Return the arguments with which `seaborn.scatterplot` draws dots by variant."""
        return {**self._mapping(), "sizes": self.areas, "markers": self.markers}

    def add_legend(self, figure: Figure) -> None:
        """Put one legend below all axes, where it covers no data, and make room for it."""
        handles = [self._handle(name) for name in self.variants]
        labels = [shown(name) for name in self.variants]
        rows = math.ceil(len(labels) / 3) * max(label.count("\n") + 1 for label in labels)
        figure.set_figheight(figure.get_figheight() + 0.22 * rows)
        figure.legend(handles, labels, loc="outside lower center", ncols=3)

    def _mapping(self) -> dict[str, Any]:
        roles = dict.fromkeys(("hue", "size", "style"), "variant")
        orders = dict.fromkeys(("hue_order", "size_order", "style_order"), self.variants)
        return {**roles, **orders, "palette": self.colours, "legend": False}

    def _cycled(self, looks: Sequence[Any], *, every: int = 1) -> dict[str, Any]:
        places = enumerate(self.variants)
        return {name: looks[place // every % len(looks)] for place, name in places}

    def _shrinking(self, largest: float, smallest: float) -> dict[str, float]:
        step = (largest - smallest) / max(len(self.variants) - 1, 1)
        return {name: largest - step * place for place, name in enumerate(self.variants)}

    def _handle(self, name: str) -> Line2D:
        handle = Line2D([], [], color=self.colours[name], linewidth=self.widths[name])
        handle.set(marker=self.markers[name], markersize=7, markeredgecolor="white")
        if self.dashes[name]:
            handle.set_dashes(self.dashes[name])
        return handle


def shown(name: str, *, width: int = 30) -> str:
    """Return a name to print in a figure: wrapped, and with no part of it read as mathematics."""
    return textwrap.fill(escape_unprintable(name), width).replace("$", r"\$")


def set_scale(axes: Axes, values: pd.Series, *, axis: str, factor: float = 20) -> None:
    """Use a logarithmic axis where positive values span more than a factor."""
    low, high = values.min(), values.max()
    if low > 0 and high > factor * low:
        axes.set(**{f"{axis}scale": "log"})
