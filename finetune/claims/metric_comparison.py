"""One metric of two variants, held against its margin: worse, equal, better or undetermined."""

from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import numpy as np

from finetune.stats import t_test
from finetune.stats.paired import Difference, describe

Level = Literal["worse", "equal", "better"]
Call = Literal["worse", "equal", "better", "undetermined"]

LEVELS: tuple[Level, ...] = ("worse", "equal", "better")


@dataclass(frozen=True)
class MetricComparison:
    """The difference of one metric between treatment and control, held against its margin.

    `difference` is treatment minus control in the metric's own units; `worsening` is the same
    turned so that larger means worse (for a loss, no change), and decides. `call` is the level
    that the data establish; `possible` are the levels they do not exclude: one where there is a
    call, two or three where it is undetermined. The p-values are those of five alternatives: worse
    by more than the margin, and not; better by more than it, and not; equal within it.
    """

    metric: str
    margin: float
    difference: Difference
    worsening: Difference
    call: Call
    possible: tuple[Level, ...]
    p_worse: float
    p_not_worse: float
    p_better: float
    p_not_better: float
    p_equal: float

    @property
    def sign(self) -> float:
        """1 where a larger value of the metric is worse, -1 where a smaller one is."""
        return 1.0 if self.difference.mean == self.worsening.mean else -1.0


def compare_metric(
    worsening: np.ndarray, metric: str, *, sign: float, margin: float, alpha: float
) -> MetricComparison:
    """Compare one metric, from how much worse the treatment is in each pair: (pair,).

    `sign` is 1 where a larger value of the metric is worse, -1 where a smaller one is.

    With the one-sided bounds of the mean worsening, each at level 1 - alpha, the metric is

    - worse where the lower bound lies above the margin;
    - better where the upper bound lies below minus the margin;
    - equal where two one-sided tests put the mean within the margins, each at alpha, so that
      both bounds lie between them;
    - undetermined otherwise. Equal is then possible, worse is unless the upper bound lies below
      the margin, and better is unless the lower bound lies above minus the margin.

    At most one of the first three can hold. Each is wrong with probability at most alpha.

    Source: Schuirmann (1987) for the two one-sided tests.
    """
    turned = describe(worsening, metric, alpha=alpha)
    p = {name: float(value) for name, value in p_values(worsening, margin=margin).items()}
    call = _call(turned, margin=margin, equal=p["p_equal"] < alpha)
    return MetricComparison(
        metric=metric,
        margin=margin,
        # Adding 0 turns a negative zero, which prints as "-0", into 0.
        difference=describe(sign * worsening + 0.0, metric, alpha=alpha),
        worsening=turned,
        call=call,
        possible=_possible(turned, margin=margin) if call == "undetermined" else (call,),
        **p,
    )


def p_values(worsening: np.ndarray, *, margin: float) -> dict[str, Any]:
    """Compute the p-values of `MetricComparison`, by their names there.

    `worsening` is (pair,), or (pair, study) for one value a study.
    """
    sample = t_test.Sample.of(worsening)
    p = partial(t_test.p_value, sample)
    return {
        "p_worse": p(margin, alternative="larger"),
        "p_not_worse": p(margin, alternative="smaller"),
        "p_better": p(-margin, alternative="smaller"),
        "p_not_better": p(-margin, alternative="larger"),
        "p_equal": t_test.tost_p_value(sample, margin=margin),
    }


def _call(worsening: Difference, *, margin: float, equal: bool) -> Call:
    if worsening.lower > margin:
        return "worse"
    if worsening.upper < -margin:
        return "better"
    return "equal" if equal else "undetermined"


def _possible(worsening: Difference, *, margin: float) -> tuple[Level, ...]:
    within: dict[Level, bool] = {
        "worse": worsening.upper >= margin,
        # Undetermined intervals reach into the margins: those wholly outside have a call.
        "equal": True,
        "better": worsening.lower <= -margin,
    }
    return tuple(level for level in LEVELS if within[level])
