"""The table of outcomes: what happened to training against what happened to testing."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from finetune.stats import t_test
from finetune.stats.paired import Difference, describe
from finetune.stats.pairs import worse_sign

Level = Literal["worse", "equal", "better"]
Call = Literal["worse", "equal", "better", "undetermined"]

LEVELS: tuple[Level, ...] = ("worse", "equal", "better")

# (train, test) of the treatment, compared with the control.
FIT_TABLE: dict[tuple[Level, Level], str] = {
    ("worse", "worse"): "underfit",
    ("worse", "equal"): "slower fit, harmless",
    ("worse", "better"): "less overfit",
    ("equal", "worse"): "generalises worse",
    ("equal", "equal"): "no effect",
    ("equal", "better"): "generalises better",
    ("better", "worse"): "more overfit",
    ("better", "equal"): "faster fit, no gain",
    ("better", "better"): "better fit",
}


@dataclass(frozen=True)
class Axis:
    """One side of the table: a metric's difference, held against its margin.

    `difference` is treatment minus control in the metric's own units; `worsening` is the same
    turned so that larger means worse, which is what the rule looks at (for a loss, no change).
    `call` is the level that the data establish; `possible` are the levels they do not exclude
    (one where the call is made, two or three where it is undetermined). The p-values are those of
    the three one-sided questions: worse by more than the margin, not worse by the margin, and
    equal within it.
    """

    metric: str
    margin: float
    difference: Difference
    worsening: Difference
    call: Call
    possible: tuple[Level, ...]
    p_worse: float
    p_not_worse: float
    p_equal: float


def axis(worsening: np.ndarray, metric: str, *, margin: float, alpha: float) -> Axis:
    """Call one side of the table from how much worse the treatment is in each pair: (pair,).

    With the one-sided bounds of the mean worsening, each at level 1 - alpha:

    - worse: the lower bound lies above the margin;
    - better: the upper bound lies below minus the margin;
    - equal: two one-sided t tests put the mean within the margins, each at alpha, which is to say
      that both bounds lie between them;
    - undetermined: otherwise. Equal is then possible, worse is unless the upper bound lies below
      the margin, and better is unless the lower bound lies above minus the margin.

    At most one of the first three can hold. Each is wrong with probability at most alpha.

    Source: Schuirmann (1987) for the two one-sided tests; statsmodels `ttost_paired`.
    """
    found = describe(worsening, metric, alpha=alpha)
    p_equal = float(t_test.p_equivalent(worsening, margin=margin))
    call = _call(found, margin=margin, equal=p_equal < alpha)
    return Axis(
        metric=metric,
        margin=margin,
        difference=describe(worse_sign(metric) * worsening + 0.0, metric, alpha=alpha),
        worsening=found,
        call=call,
        possible=_possible(found, margin=margin) if call == "undetermined" else (call,),
        p_worse=float(t_test.p_value(worsening, margin, alternative="larger")),
        p_not_worse=float(t_test.p_value(worsening, margin, alternative="smaller")),
        p_equal=p_equal,
    )


def _call(worsening: Difference, *, margin: float, equal: bool) -> Call:
    if worsening.lower > margin:
        return "worse"
    if worsening.upper < -margin:
        return "better"
    return "equal" if equal else "undetermined"


def _possible(worsening: Difference, *, margin: float) -> tuple[Level, ...]:
    within: dict[Level, bool] = {
        "worse": worsening.upper >= margin,
        "equal": True,
        "better": worsening.lower <= -margin,
    }
    return tuple(level for level in LEVELS if within[level])


def cells(train: Iterable[Level], test: Iterable[Level]) -> tuple[str, ...]:
    """Name the cells of the table that some levels of its two sides leave possible."""
    tests = tuple(test)
    return tuple(FIT_TABLE[first, second] for first in train for second in tests)


def label(possible: tuple[str, ...]) -> str:
    """Name the outcome: the cell, the two that are left, or that more than two are."""
    return " or ".join(possible) if len(possible) <= 2 else "undetermined"
