"""The figure that shows the verdict: differences in training and in test loss, seed by seed."""

from typing import Any

from matplotlib import patheffects
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import SymmetricalLogLocator

from finetune.report.claim_plane import ClaimPlane, PlaneAxis, claim_plane
from finetune.report.comparisons import CLAIM, SAME_AGAIN
from finetune.report.style import WIDTH, VariantStyles
from finetune.report.tables import ReportTables
from finetune.stats.rule import Judgement

_NOISE, _HALO = "#8c8c8c", [patheffects.withStroke(linewidth=3, foreground="white", alpha=0.85)]
_FEW = 30


def claim_dots(tables: ReportTables) -> Figure:
    """Draw each seed's differences, their mean, the margins as bands, and the named regions."""
    if tables.verdict is None:
        raise ValueError("a study without a claim has no differences to draw")
    verdict, plane = tables.verdict, claim_plane(tables.pairs, tables.verdict)
    figure = Figure(figsize=(WIDTH, 5.4), layout="constrained")
    axes = figure.subplots()
    _draw_plane(axes, plane)
    colour = VariantStyles(tables.variants).colours[verdict.treatment]
    if verdict.same_again:
        _draw_seeds(axes, tables, SAME_AGAIN, color=_NOISE, alpha=0.45, s=13, zorder=2)
        _draw_mean(axes, verdict.same_again.primary, color="#555555", marker="s", ms=4, zorder=5)
    few = (tables.pairs["comparison"] == CLAIM).sum() <= _FEW
    look = {"color": colour, "edgecolor": "white", "linewidth": 0.5}
    _draw_seeds(axes, tables, CLAIM, **look, alpha=0.8, s=46 if few else 26, zorder=3)
    _draw_mean(axes, verdict.primary, color="black", marker="D", ms=7, zorder=6)
    _name_regions(axes, plane)
    figure.legend(loc="outside lower center", ncols=4, handletextpad=0.4)
    return figure


def _draw_plane(axes: Axes, plane: ClaimPlane) -> None:
    """Set both axes, and shade what lies within a margin."""
    for axis, place in ((plane.across, "x"), (plane.up, "y")):
        if axis.symlog:
            axes.set(**{f"{place}scale": "symlog"})
            _symlog(axes, axis, place)
        axes.set(**{f"{place}lim": (axis.low, axis.high)})
        band = axes.axvspan if place == "x" else axes.axhspan
        band(-axis.side.margin, axis.side.margin, color="#0072b2", alpha=0.1, linewidth=0, zorder=0)
        line = axes.axvline if place == "x" else axes.axhline
        for edge in (-axis.side.margin, axis.side.margin):
            line(edge, color="#0072b2", linewidth=0.8, alpha=0.6, zorder=1)
    axes.grid(visible=False)
    axes.set(
        xlabel=r"$\leftarrow$ better     difference in training loss     worse $\rightarrow$",
        ylabel=r"$\leftarrow$ better     difference in test loss     worse $\rightarrow$",
    )


def _symlog(axes: Axes, axis: PlaneAxis, place: str) -> None:
    """Make an axis even within the margins and logarithmic outside of them."""
    axes.set(**{f"{place}scale": "symlog"})


def _draw_seeds(axes: Axes, tables: ReportTables, comparison: str, **look: Any) -> None:
    pairs = tables.pairs.loc[tables.pairs["comparison"] == comparison]
    what = "a seed" if comparison == CLAIM else "a seed, control against itself"
    axes.scatter(pairs["train_loss"], pairs["test_loss"], label=what, **look)


def _draw_mean(axes: Axes, judged: Judgement, *, color: str, **look: Any) -> None:
    across, up = judged.train.difference, judged.test.difference
    arms: dict[str, Any] = {}
    if across.n > 1:
        arms["xerr"] = [[across.mean - across.low], [across.high - across.mean]]
        arms["yerr"] = [[up.mean - up.low], [up.high - up.mean]]
    axes.errorbar(across.mean, up.mean, **arms, color=color, elinewidth=2, mec="white", **look)


def _name_regions(axes: Axes, plane: ClaimPlane) -> None:
    pass
