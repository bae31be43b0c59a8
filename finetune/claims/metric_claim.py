"""What the kinds of claim about one metric share: how they are judged, and most of their words."""

from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from finetune.claims.aa_check import MetricAACheck, pair_control
from finetune.claims.kind import End
from finetune.claims.metric_comparison import MetricComparison, compare_metric
from finetune.claims.phrases import change, count, metric_name, percent, quoted
from finetune.claims.tested import LEAST_SHARE, parted, share_of
from finetune.claims.verdict import Verdict, shared_fields
from finetune.errors import SpecError
from finetune.spec.claims import AnyMetricClaim, VerdictName
from finetune.spec.study import StudySpec
from finetune.stats.paired import FEW_SEEDS, cohens_dz
from finetune.stats.pairs import PairedRuns, known_sign, pair_runs
from finetune.stats.power import POWER, seeds_needed


@dataclass(frozen=True, kw_only=True)
class MetricVerdict(Verdict):
    """The answer to a claim about one metric.

    Attributes:
        comparison: Of the metric, held against its margin.
        worse_sign: 1 where a larger value of the metric is worse, -1 where a smaller one is.
        same_again: The A/A check; None where the control was not trained again.
    """

    comparison: MetricComparison
    worse_sign: float
    same_again: MetricAACheck | None

    @property
    def comparisons(self) -> tuple[MetricComparison, ...]:
        """What the verdict rests on: the one metric."""
        return (self.comparison,)


@dataclass(frozen=True)
class Decision:
    """How a claim about one metric may be decided: scalars, or (study,) where it is of many.

    Attributes:
        p_supported, p_refuted: Of the two ways to decide it.
        excess: By how much the mean lies on the side of the answer that it speaks for.
        alpha: The level of the test that this answer needs.
        power: That each test needs which this answer takes.
    """

    p_supported: Any
    p_refuted: Any
    excess: Any
    alpha: Any
    power: Any = POWER


class MetricClaim(ABC):
    """A kind of claim about one metric: better, not worse, equivalent.

    Attributes:
        name: Of the kind.
        verbs: What the treatment does if the claim is supported, refuted, and in question.
    """

    name: ClassVar[str]
    verbs: ClassVar[tuple[str, str, str]]

    @abstractmethod
    def decision(self, compared: MetricComparison, *, alpha: float) -> Decision:
        """Return the p-values of both answers, and what more seeds would have to show."""

    @abstractmethod
    def ends(self, verdict: MetricVerdict) -> tuple[End, ...]:
        """Return the end of the margin that decides."""

    @abstractmethod
    def rule(self, margin: float, *, alpha: float) -> str:
        """Return how the claim is decided, once it is tested: what supports, what refutes."""

    def judge(
        self,
        runs: pd.DataFrame,
        claim: AnyMetricClaim,
        *,
        spec: StudySpec,
        replicate: pd.DataFrame | None = None,
        seeds: Iterable[int] | None = None,
    ) -> MetricVerdict:
        """Judge the claim; arguments and errors are those of `ClaimKind.judge`.

        Precedence: not tested, when the two runs differ in fewer than 80 % of the paired seeds;
        then supported or refuted, which exclude each other; else inconclusive.
        """
        pairs = pair_runs(runs, (claim.treatment, claim.control), seeds=seeds)
        compared = _compare(pairs, claim)
        decision = self.decision(compared, alpha=claim.alpha)
        tested = parted(pairs)
        verdict = _decide(decision, share_of(tested), alpha=claim.alpha)
        needed = None
        if verdict != "not tested":
            dz = cohens_dz(decision.excess, compared.worsening.sd)
            needed = seeds_needed(
                dz, alpha=decision.alpha, power=decision.power, alternative="larger"
            )
        return MetricVerdict(
            **shared_fields(
                claim,
                spec,
                pairs,
                verdict=verdict,
                compared=[compared],
                tested=tested,
                needed=needed,
            ),
            kind=self.name,
            label=compared.call,
            reason=_reason(verdict, compared, decision, share_of(tested)),
            rule=_rule(claim, self.rule(claim.width, alpha=claim.alpha)),
            p_supported=decision.p_supported,
            p_refuted=decision.p_refuted,
            comparison=compared,
            worse_sign=_sign(claim),
            same_again=None if replicate is None else _check(runs, replicate, claim),
        )

    def statement(self, verdict: MetricVerdict) -> str:
        """Return what the verdict says of the two variants."""
        does, does_not, would = self.verbs
        found = change(verdict.comparison)
        pairs = count(verdict.n, "paired seed")
        if not verdict.n:
            return f"no seed has a finished run of both {_arms(verdict, 'and')}"
        match verdict.verdict:
            case "supported":
                return f"{self._claimed(verdict, does)}: over {pairs} {found}"
            case "refuted":
                return f"{self._claimed(verdict, does_not)}: over {pairs} {found}"
            case "not tested":
                return f"{_parted(verdict)}; the rule requires {percent(LEAST_SHARE)}"
        open_ = f"{'does' if verdict.n == 1 else 'do'} not settle whether"
        return f"{pairs} {open_} {self._claimed(verdict, would)}; {_more(verdict)}"

    def evidence(self, verdict: MetricVerdict) -> tuple[str, ...]:
        """Return in how many seeds the two runs differ, and that the noise is within the margin."""
        sentences = [f"{_parted(verdict)}; the rule requires {percent(LEAST_SHARE)}."]
        check = verdict.same_again
        if check and check.passed:
            sentences.append(
                f"The control against itself under another batch order ends equal in "
                f"{metric_name(check.comparison.metric)} ({count(check.n, 'seed')})."
            )
        return tuple(sentences) if verdict.n else ()

    def objections(self, verdict: MetricVerdict) -> tuple[str, ...]:
        """Return that the noise reaches beyond the margin, where the A/A check shows it."""
        check = verdict.same_again
        if check is None or check.passed:
            return ()
        return (
            f"At {count(check.n, 'seed')} the margin is finer than the noise: the control against "
            f"itself, under another batch order, should come out equal, and is "
            f"{check.comparison.call}: {change(check.comparison)}.",
        )

    def _claimed(self, verdict: MetricVerdict, verb: str) -> str:
        metric = metric_name(verdict.comparison.metric)
        margin = f"{verdict.comparison.margin:g}"
        words = verb.format(metric=metric, margin=margin)
        return f"{quoted(verdict.treatment)} {words} {quoted(verdict.control)}"


def _compare(pairs: PairedRuns, claim: AnyMetricClaim) -> MetricComparison:
    metric = claim.metric
    if pairs.seeds and metric not in pairs.measured:
        measured = ", ".join(pairs.measured)
        raise SpecError(
            f"claims: metric {metric!r} of the claim of {claim.treatment!r} was not measured; "
            f"allowed are {measured}; name one of them"
        )
    sign = _sign(claim)
    difference = pairs.difference(metric) if pairs.seeds else np.empty(0)
    return compare_metric(
        sign * difference + 0.0, metric, sign=sign, margin=claim.width, alpha=claim.alpha
    )


def _sign(claim: AnyMetricClaim) -> float:
    if claim.direction:
        return 1.0 if claim.direction == "lower" else -1.0
    known = known_sign(claim.metric)
    # What has no direction can only be claimed to be equivalent, which is the same both ways.
    return 1.0 if known is None else known


def _decide(decision: Decision, tested_share: float, *, alpha: float) -> VerdictName:
    if tested_share < LEAST_SHARE:
        return "not tested"
    if decision.p_supported < alpha:
        return "supported"
    return "refuted" if decision.p_refuted < alpha else "inconclusive"


def _check(
    runs: pd.DataFrame, replicate: pd.DataFrame, claim: AnyMetricClaim
) -> MetricAACheck | None:
    pairs = pair_control(runs, replicate, claim.control)
    if not pairs.seeds:
        return None
    compared = _compare(pairs, claim)
    # Nothing lies within a margin of 0.
    passed = compared.call in ("equal", *(["undetermined"] if not claim.width else []))
    return MetricAACheck(passed=passed, n=len(pairs.seeds), comparison=compared)


def _rule(claim: AnyMetricClaim, decided: str) -> str:
    better = "lower" if _sign(claim) > 0 else "higher"
    return (
        f"With treatment minus control in {metric_name(claim.metric)} paired by seed, {better} "
        f"being better: not tested if the two runs differ in fewer than {percent(LEAST_SHARE)} of "
        f"the seeds; else {decided}; else inconclusive."
    )


def _reason(
    verdict: VerdictName, compared: MetricComparison, decision: Decision, tested_share: float
) -> str:
    if verdict == "not tested":
        return f"the two runs differ in {percent(tested_share)} of the paired seeds"
    if compared.difference.n < 2:
        return "one pair has no spread to judge by"
    found = compared.difference
    return (
        f"the mean difference in {metric_name(compared.metric)} is {found.mean:.3g}, with "
        f"one-sided {1 - found.alpha:.4g} bounds of {found.lower:.3g} and {found.upper:.3g}, and "
        f"the margin {compared.margin:g}; p is {decision.p_supported:.2g} for the claim and "
        f"{decision.p_refuted:.2g} against it"
    )


def _more(verdict: MetricVerdict) -> str:
    if verdict.n < 2:
        return f"two are the least, and {FEW_SEEDS} a start"
    if verdict.seeds_missing is None:
        return "no practical number of further seeds would"
    return f"about {verdict.seeds_missing} more would, were the difference to stay as it is"


def _parted(verdict: MetricVerdict) -> str:
    return (
        f"The runs of {_arms(verdict, 'and')} differ in {verdict.tested_seeds} of "
        f"{count(verdict.n, 'paired seed')}"
    )


def _arms(verdict: MetricVerdict, word: str) -> str:
    return f"{quoted(verdict.treatment)} {word} {quoted(verdict.control)}"
