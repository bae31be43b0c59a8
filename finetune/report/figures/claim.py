"""The figure that shows the verdict: differences in training and in test loss, seed by seed."""

from typing import Any

import pandas as pd
from matplotlib import patheffects
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from finetune.analysis.analysis import Analysis
from finetune.analysis.claim_plane import ClaimPlane, PlaneAxis, Region
from finetune.analysis.comparisons import CLAIM, SAME_AGAIN
from finetune.claims.fit_outcome import FitOutcome
from finetune.claims.fit_verdict import FitVerdict
from finetune.claims.phrases import metric_name
from finetune.report.figures.base import ReportFigure
from finetune.report.figures.style import MOST_VECTOR_DOTS, WIDTH, VariantStyles
from finetune.report.markdown import percent, quoted

_NOISE, _BAND, _FOUND = "#777777", "#000000", "#fbf4b8"
_HALO = [patheffects.withStroke(linewidth=3, foreground="white", alpha=0.8)]
_FEW = 30

# The corner of its region in which a name stands: (horizontal, vertical) by level.
_ACROSS = {"better": "left", "equal": "left", "worse": "right"}
_UP = {"better": "bottom", "equal": "center", "worse": "top"}


def claim_dots(analysis: Analysis) -> Figure:
    """Draw each seed's differences, their mean, the margins as bands, and the named regions."""
    verdict = analysis.fit_verdict
    if verdict is None or analysis.claim_plane is None:
        raise ValueError("analysis: no verdict; allowed is a study that claims underfitting")
    plane = analysis.claim_plane
    pairs = analysis.pairs.loc[analysis.pairs["claim"] == verdict.name]
    figure = Figure(figsize=(WIDTH, 5.6), layout="constrained")
    axes = figure.subplots()
    _draw_plane(axes, plane)
    level = percent(1 - verdict.level)
    if verdict.same_again and verdict.same_again.n:
        look = {"color": _NOISE, "alpha": 0.45, "s": 13, "linewidth": 0, "zorder": 2}
        noise = "noise: a seed, control against itself"
        _draw_seeds(axes, pairs, SAME_AGAIN, label=noise, **look)
        look = {"color": "#444444", "marker": "s", "ms": 5, "zorder": 5}
        _draw_mean(axes, verdict.same_again.primary, label="mean of the noise", **look)
    look = {
        "color": VariantStyles(analysis.variants).colours[verdict.treatment],
        "zorder": 3,
        "edgecolor": "white",
        "linewidth": 0.4,
        "alpha": 0.75,
        "s": 44 if verdict.n <= _FEW else 24,
    }
    _draw_seeds(axes, pairs, CLAIM, label="a seed: treatment minus control", **look)
    look = {"color": "black", "marker": "D", "ms": 8, "zorder": 6}
    _draw_mean(axes, verdict.primary, label=f"mean, {level} interval", **look)
    _add_legend(figure, axes)
    return figure


def _add_legend(figure: Figure, axes: Axes) -> None:
    """Put dots beside their mean, below the axes, the claim's in the first column."""
    handles, labels = axes.get_legend_handles_labels()
    # Matplotlib gives the dots before the means, each in the order of drawing: noise comes first.
    half = len(handles) // 2
    places = [place for dots in reversed(range(half)) for place in (dots, half + dots)]
    figure.legend(
        [handles[place] for place in places],
        [labels[place] for place in places],
        loc="outside lower center",
        ncols=half,
    )


def _draw_plane(axes: Axes, plane: ClaimPlane) -> None:
    _set_axis(axes, plane.across, "x")
    _set_axis(axes, plane.up, "y")
    axes.grid(visible=False)
    axes.set(
        xlabel="\N{LEFTWARDS ARROW} better     difference in training loss     "
        "worse \N{RIGHTWARDS ARROW}",
        ylabel="\N{LEFTWARDS ARROW} better     difference in test loss     "
        "worse \N{RIGHTWARDS ARROW}",
    )
    for region in plane.regions:
        _draw_region(axes, plane, region)


def _set_axis(axes: Axes, axis: PlaneAxis, place: str) -> None:
    """Set range and scale, and shade what lies within the margin."""
    margin = axis.side.margin
    scale, ticks, span, line = (getattr(axes, name) for name in _CALLS[place])
    if axis.symlog:
        scale("symlog", linthresh=margin, linscale=0.7)
        ticks(axis.ticks, [f"{tick:g}".replace("-", "\N{MINUS SIGN}") for tick in axis.ticks])
    axes.set(**{f"{place}lim": (axis.low, axis.high)})
    span(-margin, margin, color=_BAND, alpha=0.07, linewidth=0, zorder=0)
    for edge in (-margin, margin):
        line(edge, color=_BAND, alpha=0.45, linewidth=0.8, zorder=1)


_CALLS = {
    "x": ("set_xscale", "set_xticks", "axvspan", "axvline"),
    "y": ("set_yscale", "set_yticks", "axhspan", "axhline"),
}


def _draw_region(axes: Axes, plane: ClaimPlane, region: Region) -> None:
    """Name a region in its outer corner; colour it where the data leave it possible."""
    (left, right), (low, high) = plane.across.regions[region.train], plane.up.regions[region.test]
    if region.possible:
        box = Rectangle((left, low), right - left, high - low)
        box.set(facecolor=_FOUND, linewidth=0, zorder=0.5)
        axes.add_patch(box)
    x = {"left": left, "right": right}[_ACROSS[region.train]]
    y = {"bottom": low, "center": 0.0, "top": high}[_UP[region.test]]
    shift = {"left": 6, "bottom": 6, "center": 0, "right": -6, "top": -6}
    axes.annotate(
        region.name.replace(", ", ",\n") if region.test != "equal" else region.name,
        (x, y),
        xytext=(shift[_ACROSS[region.train]], shift[_UP[region.test]]),
        textcoords="offset points",
        ha=_ACROSS[region.train],
        va=_UP[region.test],
        fontsize=11 if region.possible else 9.5,
        fontweight="bold" if region.possible else "normal",
        color="black" if region.possible else "#666666",
        path_effects=_HALO,
        zorder=7,
    )


def _draw_seeds(axes: Axes, pairs: pd.DataFrame, comparison: str, **look: Any) -> None:
    pairs = pairs.loc[pairs["comparison"] == comparison]
    many = len(pairs) > MOST_VECTOR_DOTS
    axes.scatter(pairs["train_loss"], pairs["test_loss"], rasterized=many, **look)


def _draw_mean(axes: Axes, judged: FitOutcome, **look: Any) -> None:
    across, up = judged.train.difference, judged.test.difference
    bars: dict[str, Any] = {}
    if across.n > 1:
        bars = {
            "xerr": [[across.mean - across.low], [across.high - across.mean]],
            "yerr": [[up.mean - up.low], [up.high - up.mean]],
        }
    axes.errorbar(across.mean, up.mean, **bars, elinewidth=2.2, mec="white", ls="none", **look)


def _caption(analysis: Analysis) -> str:
    """Explain the dots, the margins, and what is unusual about the axes."""
    verdict, plane = analysis.fit_verdict, analysis.claim_plane
    if verdict is None or plane is None:
        return ""
    sentences = [
        f"A dot is a seed: {quoted(verdict.treatment)} minus {quoted(verdict.control)}.",
        f"Black is their mean with its {percent(1 - verdict.level)} intervals."
        if verdict.n > 1
        else "",
        f"Within the grey bands a difference counts as none: the margins are "
        f"{plane.across.side.margin:g} in training and {plane.up.side.margin:g} in test loss.",
        _outcomes(verdict),
        "Small grey dots are noise alone: the control against itself, under another batch order."
        if verdict.same_again
        else "",
        *_scales(plane),
    ]
    return " ".join(filter(None, sentences))


def _outcomes(verdict: FitVerdict) -> str:
    if len(verdict.primary.cells) == 1:
        return "The outcome is yellow."
    return "The outcomes that are still possible are yellow."


def _scales(plane: ClaimPlane) -> list[str]:
    return [
        f"The axis of {metric_name(axis.side.metric)} is "
        f"{'logarithmic beyond the margins' if axis.symlog else 'linear'}"
        f"{', and cuts off the interval of the mean' if axis.clipped else ''}."
        for axis in (plane.across, plane.up)
        if axis.symlog or axis.clipped
    ]


CLAIM_DOTS = ReportFigure(
    name="claim",
    draw=claim_dots,
    alt="Difference in test loss against difference in training loss, a dot for each seed",
    caption=_caption,
    applies=lambda analysis: analysis.claim_plane is not None,
    section="opening",
)
