"""The A/A check: the control compared with itself, which must come out as no effect."""

from dataclasses import dataclass

import pandas as pd

from finetune.claims.fit_outcome import FitOutcome, fit_outcomes
from finetune.claims.metric_comparison import MetricComparison
from finetune.spec.claims import UnderfitsSpec
from finetune.stats.pairs import PairedRuns, pair_runs


@dataclass(frozen=True)
class AACheck:
    """The control against itself under another batch order, over `n` pairs.

    It passes when the losses come out as "no effect". Otherwise the margins are finer than the
    noise, or the seeds too few to exclude it, and `note` names what came out.
    """

    passed: bool
    n: int
    note: str
    primary: FitOutcome
    secondary: FitOutcome | None


@dataclass(frozen=True)
class MetricAACheck:
    """The control against itself in one metric, over `n` pairs; it passes when it is "equal"."""

    passed: bool
    n: int
    comparison: MetricComparison


def pair_control(runs: pd.DataFrame, replicate: pd.DataFrame, control: str) -> PairedRuns:
    """Pair the control's replicate with the control, over the seeds that the replicate has.

    Args:
        runs: The study's runs.
        replicate: Runs of the control with another batch order.
        control: The control.

    Raises:
        RunsError: the control lacks a seed of the replicate, or has one twice.
    """
    # Pairs are of two variants, so the replicate takes the name of another.
    again = f"{control} (another batch order)"
    first = (runs["variant"] == control) & runs["seed"].isin(list(replicate["seed"]))
    both = pd.concat(
        [runs.loc[first].astype({"variant": str}), replicate.assign(variant=again)],
        ignore_index=True,
    )
    return pair_runs(both, (again, control))


def check_fit(pairs: PairedRuns, claim: UnderfitsSpec) -> AACheck:
    """Judge the fit of the control against itself."""
    primary, secondary = fit_outcomes(pairs, claim)
    passed = primary.label == "no effect"
    note = f"the margins are finer than the noise: the control against itself is {primary.label!r}"
    return AACheck(
        passed=passed,
        n=len(pairs.seeds),
        note="" if passed else note,
        primary=primary,
        secondary=secondary,
    )
