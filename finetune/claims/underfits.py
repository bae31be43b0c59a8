"""The claim that a treatment underfits: training and test both end worse than the control's."""

import math
from collections.abc import Iterable

import numpy as np
import pandas as pd

from finetune.claims.aa_check import check_control
from finetune.claims.fit_outcome import FitOutcome, fit_outcomes
from finetune.claims.phrases import changes, count, does, percent, quoted
from finetune.claims.seeds_needed import seeds_to_settle
from finetune.claims.verdict import Verdict, agreement
from finetune.spec.claims import ClaimSpec, VerdictName
from finetune.spec.study import StudySpec
from finetune.spec.variants import VariantSpec
from finetune.stats.paired import FEW_SEEDS
from finetune.stats.pairs import PairedRuns, pair_runs

# Of the paired seeds, the share in which the treatment must have cut before the delay ended.
CUT_SHARE = 0.8


class Underfits:
    """The kind `underfits`, on losses; accuracies stand beside them and do not decide."""

    name = "underfits"

    def judge(
        self,
        runs: pd.DataFrame,
        claim: ClaimSpec,
        *,
        spec: StudySpec,
        replicate: pd.DataFrame | None = None,
        seeds: Iterable[int] | None = None,
    ) -> Verdict:
        """Judge the claim; arguments and errors are those of `ClaimKind.judge`.

        Precedence: not tested, when fewer than 80 % of the paired seeds cut before the delay ended
        (equal runs refute nothing); then supported or refuted, which exclude each other; else
        inconclusive.
        """
        pairs = pair_runs(runs, (claim.treatment, claim.control), seeds=seeds)
        delay_ends = end_of_delay(spec.variant(claim.control))
        cut = cut_before(pairs, delay_ends)
        primary, secondary = fit_outcomes(pairs, claim)
        verdict = decide(primary, cut)
        n, needed = len(pairs.seeds), None
        # More seeds would not make the treatment cut in time.
        if verdict != "not tested":
            needed = seeds_to_settle(primary.train, primary.test, alpha=claim.alpha)
        return Verdict(
            verdict=verdict,
            label=primary.label,
            reason=_reason(verdict, primary, cut_share=share_of(cut), alpha=claim.alpha),
            rule=_rule(claim.alpha),
            treatment=claim.treatment,
            control=claim.control,
            alpha=claim.alpha,
            n=n,
            exploratory=n < FEW_SEEDS,
            excluded=pairs.excluded,
            cut_seeds=int(cut.sum()),
            cut_share=share_of(cut),
            delay_ends=delay_ends,
            seeds_needed=needed,
            seeds_missing=max(needed - n, 1) if needed and verdict == "inconclusive" else None,
            primary=primary,
            secondary=secondary,
            agreement=agreement(primary, secondary) if secondary else None,
            same_again=None if replicate is None else check_control(runs, replicate, claim),
            stops_early=tuple(
                name for name in pairs.variants if spec.variant(name).early_stopping is not None
            ),
            vary=tuple(spec.vary),
            kind=self.name,
        )

    def statement(self, verdict: Verdict) -> str:
        """Return what the verdict says of the two variants."""
        state = {
            "supported": _supported,
            "refuted": _refuted,
            "inconclusive": _inconclusive,
            "not tested": _not_tested,
        }[verdict.verdict]
        return state(verdict)

    def evidence(self, verdict: Verdict) -> tuple[str, ...]:
        """Return in how many seeds the treatment cut its learning rate in time."""
        return (f"{_cuts(verdict)}; the rule requires {percent(CUT_SHARE)}.",) if verdict.n else ()

    def objections(self, verdict: Verdict) -> tuple[str, ...]:
        """Return that early stopping, where a variant has it, may be taken for underfitting."""
        if not verdict.stops_early:
            return ()
        names = " and ".join(map(quoted, verdict.stops_early))
        return (
            f"Early stopping is part of the contrast ({names}): the arms do not have the same "
            "epoch budget, so underfitting and stopping sooner look alike.",
        )


def decide(primary: FitOutcome, cut: np.ndarray) -> VerdictName:
    """Return the verdict, from the losses and whether each paired seed cut in time: (pair,)."""
    return "not tested" if share_of(cut) < CUT_SHARE else primary.verdict


def cut_before(pairs: PairedRuns, delay_ends: int | None) -> np.ndarray:
    """Return in which pairs the treatment first cut its LR before the control's delay ended.

    (pair,) of bool. `delay_ends` is an epoch, counted from 0; None where any cut counts.
    """
    first = pairs.runs[pairs.variants[0]]["first_reduction_epoch"]
    # A run that never cut has no such epoch: infinity lies before no end, not even before infinity.
    return first.to_numpy(np.float64, na_value=np.inf) < (
        math.inf if delay_ends is None else delay_ends
    )


def end_of_delay(control: VariantSpec) -> int | None:
    """Return the first epoch at whose end the control may cut; None where it never does."""
    return None if control.reduce_lr is None else control.reduce_lr.start_from_epoch


def share_of(cut: np.ndarray) -> float:
    """Return the share of the pairs that cut in time; 0 without any pair."""
    return float(cut.mean()) if cut.size else 0.0


def _rule(alpha: float) -> str:
    return (
        "With treatment minus control paired by seed, larger meaning worse: not tested if the "
        "treatment cut its LR before the delay ended in fewer than "
        f"{100 * CUT_SHARE:g} % of the seeds; else supported if the one-sided {1 - alpha:.4g} "
        "lower bounds of train and test both exceed their margins; refuted if the one-sided "
        f"{1 - alpha / 2:.4g} upper bound of either is below its margin; else inconclusive."
    )


def _reason(verdict: VerdictName, fit: FitOutcome, *, cut_share: float, alpha: float) -> str:
    """Return which numbers led to the verdict."""
    compared = (fit.train, fit.test)
    if verdict == "not tested":
        return f"the treatment cut in time in {100 * cut_share:.3g} % of the paired seeds"
    if fit.train.difference.n < 2:
        return "one pair has no spread to judge by"
    if verdict == "refuted":
        below = [metric for metric in compared if metric.worsening.high < metric.margin]
        return " and ".join(
            f"the {1 - alpha / 2:.4g} upper bound of {one.metric}, {one.worsening.high:.3g}, is "
            f"below its margin {one.margin:g}"
            for one in below
        )
    lower = " and ".join(
        f"{one.worsening.lower:.3g} for {one.metric} (margin {one.margin:g})" for one in compared
    )
    relation = "both exceed" if verdict == "supported" else "do not both exceed"
    upper = " and ".join(f"{one.worsening.high:.3g}" for one in compared)
    tail = "" if verdict == "supported" else f", and neither upper bound, {upper}, is below its own"
    return f"the {1 - alpha:.4g} lower bounds {relation} their margins: {lower}{tail}"


def _supported(verdict: Verdict) -> str:
    primary = verdict.primary
    return (
        f"{_arms(verdict, 'underfits')}: over {_pairs(verdict)} {changes(primary)}, both by more "
        f"than their margins of {primary.train.margin:g} and {primary.test.margin:g}"
    )


def _refuted(verdict: Verdict) -> str:
    effect = does(verdict.primary)
    instead = f"; it {effect}" if effect else ""
    return (
        f"{_arms(verdict, 'does not underfit')}{instead}: over {_pairs(verdict)} "
        f"{changes(verdict.primary)}"
    )


def _inconclusive(verdict: Verdict) -> str:
    more = "no practical number of further seeds would"
    if verdict.seeds_missing is not None:
        more = f"about {verdict.seeds_missing} more would, were the differences to stay as they are"
    if verdict.n < 2:
        more = f"two are the least, and {FEW_SEEDS} a start"
    verb = "does" if verdict.n == 1 else "do"
    return f"{_pairs(verdict)} {verb} not settle whether {_arms(verdict, 'underfits')}; {more}"


def _not_tested(verdict: Verdict) -> str:
    if not verdict.n:
        return (
            f"no seed has a finished run of both {quoted(verdict.treatment)} and "
            f"{quoted(verdict.control)}"
        )
    return (
        f"{_cuts(verdict, quoted(verdict.treatment))}, and the rule requires {percent(CUT_SHARE)}"
    )


def _cuts(verdict: Verdict, treatment: str = "The treatment") -> str:
    in_time = "at all"
    if verdict.delay_ends is not None:
        in_time = f"before the delay of {count(verdict.delay_ends, 'epoch')} ended"
    return (
        f"{treatment} cut its learning rate {in_time} in {verdict.cut_seeds} of {_pairs(verdict)}"
    )


def _arms(verdict: Verdict, verb: str) -> str:
    return f"{quoted(verdict.treatment)} {verb} compared with {quoted(verdict.control)}"


def _pairs(verdict: Verdict) -> str:
    return count(verdict.n, "paired seed")
