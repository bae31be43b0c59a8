"""The claim that a treatment underfits: training and test both end worse than the control's."""

from collections.abc import Iterable

import numpy as np
import pandas as pd

from finetune.claims import underfits_words
from finetune.claims.aa_check import check_fit, pair_control
from finetune.claims.fit_outcome import FitOutcome, fit_outcomes
from finetune.claims.fit_verdict import FitVerdict, agreement
from finetune.claims.kind import End
from finetune.claims.metric_comparison import MetricComparison
from finetune.claims.tested import (
    LEAST_SHARE,
    changed_first,
    differ_in_lr_policies_alone,
    parted,
    share_of,
)
from finetune.claims.verdict import shared_fields
from finetune.spec.claims import UnderfitsSpec, VerdictName
from finetune.spec.study import StudySpec
from finetune.stats.paired import cohens_dz
from finetune.stats.pairs import PairedRuns, pair_runs
from finetune.stats.power import POWER, each_of_two, seeds_needed


class Underfits:
    """The kind `underfits`, on losses; accuracies stand beside them and do not decide."""

    name = "underfits"

    def judge(
        self,
        runs: pd.DataFrame,
        claim: UnderfitsSpec,
        *,
        spec: StudySpec,
        replicate: pd.DataFrame | None = None,
        seeds: Iterable[int] | None = None,
    ) -> FitVerdict:
        """Judge the claim; arguments and errors are those of `ClaimKind.judge`.

        Precedence: not tested, when fewer than 80 % of the paired seeds test the claim; then
        supported or refuted, which exclude each other; else inconclusive.
        """
        pairs = pair_runs(runs, (claim.treatment, claim.control), seeds=seeds)
        tested = seeds_that_test(pairs, spec)
        lr_alone = differ_in_lr_policies_alone(spec, claim.treatment, claim.control)
        primary, secondary = fit_outcomes(pairs, claim)
        verdict = decide(primary, tested)
        needed = None
        # More seeds would not make the treatment act.
        if verdict != "not tested":
            needed = seeds_to_settle(primary.train, primary.test, alpha=claim.alpha)
        again = None if replicate is None else pair_control(runs, replicate, claim.control)
        return FitVerdict(
            **shared_fields(
                claim,
                spec,
                pairs,
                verdict=verdict,
                compared=[primary.train, primary.test],
                tested=tested,
                needed=needed,
            ),
            kind=self.name,
            label=primary.label,
            reason=underfits_words.reason(
                verdict, primary, share=share_of(tested), lr_alone=lr_alone, alpha=claim.alpha
            ),
            rule=underfits_words.rule(claim.alpha, lr_alone=lr_alone),
            p_supported=primary.p_supported,
            p_refuted=primary.p_refuted,
            lr_alone=lr_alone,
            primary=primary,
            secondary=secondary,
            agreement=agreement(primary, secondary) if secondary else None,
            same_again=None if again is None else check_fit(again, claim),
        )

    def ends(self, verdict: FitVerdict) -> tuple[End, ...]:
        """Return the margins of both losses; one of the two below its own refutes."""
        return tuple(End(one.margin, below=0.5) for one in verdict.comparisons)

    def statement(self, verdict: FitVerdict) -> str:
        """Return what the verdict says of the two variants."""
        return underfits_words.statement(verdict)

    def evidence(self, verdict: FitVerdict) -> tuple[str, ...]:
        """Return in how many seeds the claim was tested, and what accuracy and noise say."""
        return underfits_words.evidence(verdict)

    def objections(self, verdict: FitVerdict) -> tuple[str, ...]:
        """Return where accuracy or noise speak against it, and what may look like underfitting."""
        return underfits_words.objections(verdict)


def decide(primary: FitOutcome, tested: np.ndarray) -> VerdictName:
    """Return the verdict, from the losses and whether each paired seed tests the claim: (pair,)."""
    return "not tested" if share_of(tested) < LEAST_SHARE else primary.verdict


def seeds_that_test(pairs: PairedRuns, spec: StudySpec) -> np.ndarray:
    """Return in which pairs the first variant can show whether it underfits: (pair,) of bool.

    Where LR policies alone differ, those in which it changed its LR before the second did: what is
    claimed is an effect of changing it sooner. Elsewhere those in which the two runs differ.
    """
    first, second = pairs.variants[:2]
    if differ_in_lr_policies_alone(spec, first, second):
        return changed_first(pairs, spec.variant(first), spec.variant(second))
    return parted(pairs)


def seeds_to_settle(
    train: MetricComparison, test: MetricComparison, *, alpha: float, power: float = POWER
) -> int | None:
    """Compute how many seeds in all would settle the claim, were the observed means the true ones.

    With both mean worsenings above their margins, that is what supports the claim with `power`;
    with one below, what refutes it by the metric that does so soonest. None: a mean lies so close
    to its margin that no practical number would. The observed means are estimates, and so is this.
    """
    excess = [cohens_dz(one.worsening.mean - one.margin, one.worsening.sd) for one in (train, test)]
    if min(excess) > 0:
        needed = [
            seeds_needed(dz, alpha=alpha, power=each_of_two(power), alternative="larger")
            for dz in excess
        ]
        # Both metrics must be shown, so the one that needs more seeds decides.
        known = [seeds for seeds in needed if seeds is not None]
        return max(known) if len(known) == len(needed) else None
    needed = [
        seeds_needed(-dz, alpha=alpha / 2, power=power, alternative="larger") for dz in excess
    ]
    return min((seeds for seeds in needed if seeds is not None), default=None)
