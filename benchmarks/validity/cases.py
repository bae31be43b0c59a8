"""A claim whose metric lies exactly at its margin, where every decision is false.

Neither a claim nor its opposite says anything of the margin itself, and nowhere else is a false
decision more frequent. What a case needs of many studies at once is one sample a metric.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from benchmarks.validity.mean_tests import MeanTest
from finetune.claims.better import Better
from finetune.claims.equivalent import Equivalent
from finetune.claims.metric_claim import MetricClaim
from finetune.claims.metric_comparison import compare_metric
from finetune.claims.not_worse import NotWorse
from finetune.stats.multiple_testing import union_p_value
from finetune.stats.t_test import Sample

ALPHA = 0.05

# Of p-values (study,) that a claim is true, and that it is not.
Judge = Callable[[Sequence[Sample], MeanTest], tuple[Any, Any]]

# The other end of these margins, in standard deviations, is out of reach, and it is right here.
_WIDE, _NARROW = 20.0, 0.01
_ANY = compare_metric(np.zeros(2), "test_loss", sign=1.0, margin=0.0, alpha=ALPHA)


@dataclass(frozen=True)
class Case:
    """A kind of claim at its margin.

    Attributes:
        name: Of the kind, and which metrics lie where, if that is not plain.
        metrics: How many decide.
        judge: From samples of worsenings (study,) with a true mean of 0, one for each metric.
    """

    name: str
    metrics: int
    judge: Judge


def metric_case(kind: MetricClaim, *, margin: float = _WIDE, end: float = 1.0) -> Case:
    """Return a claim about one metric, whose mean lies at the end of the margin.

    That is minus the margin of a claim to be better, plus it of one to be not worse, and either of
    one to be equivalent: as `end` says.
    """
    at = margin * {Better.name: -1.0, NotWorse.name: 1.0}.get(kind.name, end)
    return Case(kind.name, 1, partial(_judge_metric, kind=kind, margin=margin, at=at))


def fit_case(metrics: int) -> Case:
    """Return the claim to underfit, with one of its two metrics at its margin, or both.

    Of one, the other is far beyond: then only the one can be wrong, and nothing else protects it.
    """
    where = "both metrics at their margins" if metrics == 2 else "one metric at its margin"
    return Case(f"underfits, {where}", metrics, _judge_fit)


def p_values(sample: Sample, *, margin: float, test: MeanTest) -> dict[str, Any]:
    """Compute the p-values of `MetricComparison` by any test, from a sample of worsenings."""
    p = {
        "p_worse": test(sample, margin, alternative="larger"),
        "p_not_worse": test(sample, margin, alternative="smaller"),
        "p_better": test(sample, -margin, alternative="smaller"),
        "p_not_better": test(sample, -margin, alternative="larger"),
    }
    return p | {"p_equal": np.maximum(p["p_not_better"], p["p_not_worse"])}


def _judge_metric(
    samples: Sequence[Sample], test: MeanTest, *, kind: MetricClaim, margin: float, at: float
) -> tuple[Any, Any]:
    sample = samples[0].shifted(at)
    means = replace(_ANY.worsening, mean=sample.mean)
    p = p_values(sample, margin=margin, test=test)
    decision = kind.decision(replace(_ANY, margin=margin, worsening=means, **p), alpha=ALPHA)
    return decision.p_supported, decision.p_refuted


def _judge_fit(samples: Sequence[Sample], test: MeanTest) -> tuple[Any, Any]:
    worse = [test(sample, 0.0, alternative="larger") for sample in samples]
    not_worse = [test(sample, 0.0, alternative="smaller") for sample in samples]
    # A metric far beyond its margin is surely worse.
    beyond = [1.0] * (2 - len(samples))
    others = [np.full_like(not_worse[0], p) for p in beyond]
    return np.max(worse, axis=0), union_p_value([*not_worse, *others])


CASES = (
    metric_case(Better()),
    metric_case(NotWorse()),
    metric_case(Equivalent()),
    replace(metric_case(Equivalent(), margin=_NARROW), name="equivalent, narrow margin"),
    fit_case(1),
    fit_case(2),
)
