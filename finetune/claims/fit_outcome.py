"""The outcome of training and test together, and the test of whether it is underfitting."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from finetune.claims.fit_table import outcome_label, possible_outcomes
from finetune.claims.metric_comparison import MetricComparison, compare_metric
from finetune.spec.claims import Margins, UnderfitsSpec, VerdictName
from finetune.stats import t_test
from finetune.stats.multiple_testing import union_p_value
from finetune.stats.pairs import ACCURACIES, LOSSES, PairedRuns, worse_sign


@dataclass(frozen=True)
class FitOutcome:
    """What the runs establish about a training metric and a test metric.

    `label` names the outcome in the fit table, `cells` all that are still possible (the word is
    that of verdict.json). `verdict` is that on underfitting, by these metrics alone, and
    `p_supported` and `p_refuted` are the p-values of the two ways to decide it.
    """

    verdict: VerdictName
    label: str
    cells: tuple[str, ...]
    train: MetricComparison
    test: MetricComparison
    p_supported: float
    p_refuted: float


def supported(
    train: np.ndarray, test: np.ndarray, *, margins: tuple[float, float], alpha: float
) -> Any:
    """Return whether both mean worsenings exceed their margins: lower bounds, each at 1 - alpha.

    The claim is that both do, so each must be shown at alpha and no correction is due: the chance
    to support it wrongly is at most alpha, however the two depend on each other. `train` and
    `test` are (pair,) or (pair, study); the answer is one truth value a study.

    Source: Berger (1982), intersection-union test.
    """
    worse = (
        t_test.exceeds(t_test.Sample.of(one), margin, alpha=alpha)
        for one, margin in zip((train, test), margins, strict=True)
    )
    return np.logical_and(*worse)


def refuted(
    train: np.ndarray, test: np.ndarray, *, margins: tuple[float, float], alpha: float
) -> Any:
    """Return whether either mean worsening is below its margin: upper bounds, at 1 - alpha / 2.

    One is enough, so there are two chances to be wrong, each at alpha / 2. No data are both
    supported and refuted: a lower bound above a margin has its upper bound above it too.

    Source: Bonferroni, for the union of two tests.
    """
    not_worse = (
        t_test.exceeds(-t_test.Sample.of(one), -margin, alpha=alpha / 2)
        for one, margin in zip((train, test), margins, strict=True)
    )
    return np.logical_or(*not_worse)


def fit_outcomes(pairs: PairedRuns, claim: UnderfitsSpec) -> tuple[FitOutcome, FitOutcome | None]:
    """Judge the fit by losses, and by accuracies where they were measured."""

    def outcome(metrics: tuple[str, str]) -> FitOutcome:
        return judge_fit(pairs, metrics, margins=claim.margins, alpha=claim.alpha)

    return outcome(LOSSES), outcome(ACCURACIES) if pairs.measures(ACCURACIES) else None


def judge_fit(
    pairs: PairedRuns, metrics: tuple[str, str], *, margins: Margins, alpha: float
) -> FitOutcome:
    """Judge the fit of the first of two variants against the second's.

    `metrics` are the training and the test metric. What is neither supported nor refuted is
    inconclusive.

    Raises:
        RunsError: a value is missing or not finite.
    """
    worsenings = [pairs.worsening(metric) for metric in metrics]
    widths = (getattr(margins, metrics[0]), getattr(margins, metrics[1]))
    train, test = (
        compare_metric(worsening, metric, sign=worse_sign(metric), margin=width, alpha=alpha)
        for worsening, metric, width in zip(worsenings, metrics, widths, strict=True)
    )
    possible = possible_outcomes(train.possible, test.possible)
    return FitOutcome(
        verdict=_verdict(*worsenings, margins=widths, alpha=alpha),
        label=outcome_label(possible),
        cells=possible,
        train=train,
        test=test,
        # Both must be shown, so the larger decides; of two ways to refute, one is enough.
        p_supported=max(train.p_worse, test.p_worse),
        p_refuted=union_p_value([train.p_not_worse, test.p_not_worse]),
    )


def _verdict(
    train: np.ndarray, test: np.ndarray, *, margins: tuple[float, float], alpha: float
) -> VerdictName:
    if supported(train, test, margins=margins, alpha=alpha):
        return "supported"
    return "refuted" if refuted(train, test, margins=margins, alpha=alpha) else "inconclusive"
