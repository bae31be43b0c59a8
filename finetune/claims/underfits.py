"""The rule that decides whether a treatment underfits, on losses or on accuracies."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from statsmodels.stats.multitest import multipletests

from finetune.claims.fit_table import Axis, axis, cells, label
from finetune.spec.claims import Margins, VerdictName
from finetune.stats import t_test
from finetune.stats.pairs import PairedRuns

Decision = Literal["supported", "refuted", "inconclusive"]

# Of the paired seeds, the share in which the treatment must have cut before the delay ended.
CUT_SHARE = 0.8


@dataclass(frozen=True)
class FitOutcome:
    """What the rule says on one pair of metrics, train and test.

    `label` names the cell of the train-against-test table, `cells` all that are still possible.
    `p_supported` and `p_refuted` are the p-values of the two decisions.
    """

    verdict: Decision
    label: str
    cells: tuple[str, ...]
    train: Axis
    test: Axis
    p_supported: float
    p_refuted: float


def supported(
    train: np.ndarray, test: np.ndarray, *, margins: tuple[float, float], alpha: float
) -> Any:
    """Tell whether both mean worsenings exceed their margins: one-sided bounds, each at 1 - alpha.

    The claim is that both do, so each must be shown at alpha and no correction is due: the chance
    to support it wrongly is at most alpha, however the two depend on each other. `train` and
    `test` are (pair,) or (pair, study); the answer is one truth value a study.

    Source: Berger (1982), intersection-union test.
    """
    train_lower, _ = t_test.bounds(train, alpha=alpha)
    test_lower, _ = t_test.bounds(test, alpha=alpha)
    return (train_lower > margins[0]) & (test_lower > margins[1])


def refuted(
    train: np.ndarray, test: np.ndarray, *, margins: tuple[float, float], alpha: float
) -> Any:
    """Tell whether either mean worsening stays below its margin: bounds at 1 - alpha / 2 each.

    One is enough, so there are two chances to be wrong, each at alpha / 2. No data are both
    supported and refuted: a lower bound above a margin has its upper bound above it too.

    Source: Bonferroni, for the union of two tests.
    """
    _, train_upper = t_test.bounds(train, alpha=alpha / 2)
    _, test_upper = t_test.bounds(test, alpha=alpha / 2)
    return (train_upper < margins[0]) | (test_upper < margins[1])


def judge_fit(
    runs: PairedRuns, metrics: tuple[str, str], *, margins: Margins, alpha: float
) -> FitOutcome:
    """Apply the rule to the first of two variants against the second.

    `metrics` are the training and the test metric. What is neither supported nor refuted is
    inconclusive.
    """
    train, test = (runs.worsening(metric) for metric in metrics)
    widths = (getattr(margins, metrics[0]), getattr(margins, metrics[1]))
    sides = [
        axis(values, metric, margin=width, alpha=alpha)
        for values, metric, width in zip((train, test), metrics, widths, strict=True)
    ]
    verdict: Decision = "inconclusive"
    if supported(train, test, margins=widths, alpha=alpha):
        verdict = "supported"
    elif refuted(train, test, margins=widths, alpha=alpha):
        verdict = "refuted"
    possible = cells(sides[0].possible, sides[1].possible)
    return FitOutcome(
        verdict=verdict,
        label=label(possible),
        cells=possible,
        train=sides[0],
        test=sides[1],
        p_supported=max(side.p_worse for side in sides),
        p_refuted=_p_union([side.p_not_worse for side in sides]),
    )


def _p_union(p_values: list[float]) -> float:
    """Give the p-value of the claim that at least one of several alternatives holds."""
    return min(np.asarray(multipletests(p_values, method="bonferroni")[1]).tolist())


def rule_text(alpha: float) -> str:
    """Say the rule in words, as it stands before anything runs."""
    return (
        "With treatment minus control paired by seed, larger meaning worse: not tested if the "
        "treatment cut its LR before the delay ended in fewer than "
        f"{100 * CUT_SHARE:g} % of the seeds; else supported if the one-sided {1 - alpha:.4g} "
        "lower bounds of train and test both exceed their margins; refuted if the one-sided "
        f"{1 - alpha / 2:.4g} upper bound of either is below its margin; else inconclusive."
    )


def reason(ruling: VerdictName, judgement: FitOutcome, *, cut_share: float, alpha: float) -> str:
    """Say which numbers led to the ruling."""
    sides = (judgement.train, judgement.test)
    if ruling != "not tested" and judgement.train.difference.n < 2:
        return "one pair has no spread to judge by"
    if ruling == "not tested":
        return f"the treatment cut in time in {100 * cut_share:.3g} % of the paired seeds"
    if ruling == "refuted":
        below = [side for side in sides if side.worsening.high < side.margin]
        return " and ".join(
            f"the {1 - alpha / 2:.4g} upper bound of {side.metric}, {side.worsening.high:.3g}, is "
            f"below its margin {side.margin:g}"
            for side in below
        )
    found = " and ".join(
        f"{side.worsening.lower:.3g} for {side.metric} (margin {side.margin:g})" for side in sides
    )
    relation = "both exceed" if ruling == "supported" else "do not both exceed"
    upper = " and ".join(f"{side.worsening.high:.3g}" for side in sides)
    tail = "" if ruling == "supported" else f", and neither upper bound, {upper}, is below its own"
    return f"the {1 - alpha:.4g} lower bounds {relation} their margins: {found}{tail}"
