"""The verdict on a study's claim, as data: numbers, rule and reason, from which prose is made."""

import json
import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from finetune.claims.seeds_needed import seeds_to_settle
from finetune.claims.underfits import CUT_SHARE, FitOutcome, judge_fit, reason, rule_text
from finetune.errors import SpecError
from finetune.spec.claims import ClaimSpec, VerdictName
from finetune.spec.study import StudySpec
from finetune.spec.variants import VariantSpec
from finetune.stats.paired import FEW_SEEDS
from finetune.stats.pairs import ACCURACIES, LOSSES, ExcludedRun, PairedRuns, pair_runs

Agreement = Literal["agree", "open", "disagree"]


@dataclass(frozen=True)
class SameAgain:
    """The A/A check: the control against itself under another batch order.

    It passes when the losses come out as "no effect". Otherwise the margins are finer than the
    noise (or the seeds too few to tell), and `note` says so.
    """

    passed: bool
    n: int
    note: str
    primary: FitOutcome
    secondary: FitOutcome | None


@dataclass(frozen=True)
class Verdict:
    """What a study says about its claim.

    `primary` is judged on losses, `secondary` on accuracies (None where none was measured), both
    by the same rule; `agreement` is "disagree" where no outcome fits both, "agree" where they are
    decided alike, and "open" where only one is decided. `delay_ends` is the epoch, counted from 0,
    before which the treatment's first cut tests the claim (None: any cut does). `seeds_needed` are
    the seeds in all that would settle it, were the observed means the true ones; `seeds_missing`
    what is still to be run of them while the verdict is inconclusive.
    """

    verdict: VerdictName
    label: str
    reason: str
    rule: str
    treatment: str
    control: str
    alpha: float
    n: int
    exploratory: bool
    excluded: tuple[ExcludedRun, ...]
    cut_seeds: int
    cut_share: float
    delay_ends: int | None
    seeds_needed: int | None
    seeds_missing: int | None
    primary: FitOutcome
    secondary: FitOutcome | None
    agreement: Agreement | None
    same_again: SameAgain | None
    stops_early: tuple[str, ...]
    vary: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Give plain dictionaries, lists and scalars; a number that is not finite becomes None."""
        return _plain(asdict(self))

    def to_json(self) -> str:
        """Give the verdict as JSON, its keys in the order of the fields."""
        return json.dumps(self.to_dict(), indent=2, allow_nan=False)


def judge_claim(
    runs: pd.DataFrame,
    spec: StudySpec,
    *,
    replicate: pd.DataFrame | None = None,
    seeds: Iterable[int] | None = None,
) -> Verdict:
    """Judge the claim of a study from its runs.

    Precedence: not tested, when fewer than 80 % of the paired seeds cut before the delay ended
    (equal runs refute nothing); then supported or refuted, which exclude each other; else
    inconclusive. `replicate` holds the control's runs under another batch order, for the A/A
    check. `seeds` must all be there; by default every seed in `runs`.

    Raises:
        SpecError: the study makes no claim.
        RunsError: a cell is missing or there twice, or a value is missing.
    """
    claim = _claim(spec)
    paired = pair_runs(runs, (claim.treatment, claim.control), seeds=seeds)
    delay_ends = end_of_delay(spec.variant(claim.control))
    cut = cut_before(paired, delay_ends)
    primary, secondary = _judgements(paired, claim)
    ruling = rule_on(primary, cut)
    n, needed = len(paired.seeds), None
    if ruling != "not tested":
        needed = seeds_to_settle(primary.train, primary.test, alpha=claim.alpha)
    return Verdict(
        verdict=ruling,
        label=primary.label,
        reason=reason(ruling, primary, cut_share=_share(cut), alpha=claim.alpha),
        rule=rule_text(claim.alpha),
        treatment=claim.treatment,
        control=claim.control,
        alpha=claim.alpha,
        n=n,
        exploratory=n < FEW_SEEDS,
        excluded=paired.excluded,
        cut_seeds=int(cut.sum()),
        cut_share=_share(cut),
        delay_ends=delay_ends,
        seeds_needed=needed,
        seeds_missing=max(needed - n, 1) if needed and ruling == "inconclusive" else None,
        primary=primary,
        secondary=secondary,
        agreement=agreement(primary, secondary) if secondary else None,
        same_again=None if replicate is None else same_again(runs, replicate, claim),
        stops_early=tuple(
            name for name in paired.variants if spec.variant(name).early_stopping is not None
        ),
        vary=tuple(spec.vary),
    )


def same_again(runs: pd.DataFrame, replicate: pd.DataFrame, claim: ClaimSpec) -> SameAgain:
    """Judge the control against itself, over the seeds that the replicate has.

    Raises:
        RunsError: the control lacks a seed of the replicate, or has one twice.
    """
    again = f"{claim.control} (another batch order)"
    first = (runs["variant"] == claim.control) & runs["seed"].isin(list(replicate["seed"]))
    both = pd.concat([runs.loc[first], replicate.assign(variant=again)], ignore_index=True)
    paired = pair_runs(both, (again, claim.control))
    primary, secondary = _judgements(paired, claim)
    passed = primary.label == "no effect"
    note = f"the margins are finer than the noise: the control against itself is {primary.label!r}"
    return SameAgain(
        passed=passed,
        n=len(paired.seeds),
        note="" if passed else note,
        primary=primary,
        secondary=secondary,
    )


def agreement(primary: FitOutcome, secondary: FitOutcome) -> Agreement:
    """Tell how two judgements of the same runs stand to each other."""
    if not set(primary.cells) & set(secondary.cells):
        return "disagree"
    return "agree" if primary.verdict == secondary.verdict else "open"


def rule_on(judgement: FitOutcome, cut: np.ndarray) -> VerdictName:
    """Give the ruling, from the judgement and whether each paired seed cut in time: (pair,)."""
    return "not tested" if _share(cut) < CUT_SHARE else judgement.verdict


def cut_before(paired: PairedRuns, delay_ends: int | None) -> np.ndarray:
    """Tell in which pairs the treatment first cut its LR before the control's delay ended."""
    first = paired.runs[paired.variants[0]]["first_reduction_epoch"]
    return first.to_numpy(np.float64, na_value=np.inf) < (
        math.inf if delay_ends is None else delay_ends
    )


def end_of_delay(control: VariantSpec) -> int | None:
    """Give the first epoch at whose end the control may cut; None where it never does."""
    return None if control.reduce_lr is None else control.reduce_lr.start_from_epoch


def _judgements(paired: PairedRuns, claim: ClaimSpec) -> tuple[FitOutcome, FitOutcome | None]:
    measured = paired.measures(ACCURACIES)
    primary, *more = [
        judge_fit(paired, metrics, margins=claim.margins, alpha=claim.alpha)
        for metrics in ((LOSSES, ACCURACIES) if measured else (LOSSES,))
    ]
    return primary, more[0] if more else None


def _share(cut: np.ndarray) -> float:
    return float(cut.mean()) if cut.size else 0.0


def _claim(spec: StudySpec) -> ClaimSpec:
    if spec.claim is None:
        raise SpecError(
            "claim: missing; add [claim] with treatment and control, each the name of a variant"
        )
    return spec.claim


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
