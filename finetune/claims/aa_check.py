"""The A/A check: the control compared with itself, which must come out as no effect."""

from dataclasses import dataclass

import pandas as pd

from finetune.claims.fit_outcome import FitOutcome, fit_outcomes
from finetune.spec.claims import ClaimSpec
from finetune.stats.pairs import pair_runs


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


def check_control(runs: pd.DataFrame, replicate: pd.DataFrame, claim: ClaimSpec) -> AACheck:
    """Judge the control against itself, over the seeds that the replicate has.

    Args:
        runs: The study's runs.
        replicate: Runs of the claim's control with another batch order.
        claim: Names the control, the margins and alpha.

    Raises:
        RunsError: the control lacks a seed of the replicate, or has one twice.
    """
    # Pairs are of two variants, so the replicate takes the name of another.
    again = f"{claim.control} (another batch order)"
    first = (runs["variant"] == claim.control) & runs["seed"].isin(list(replicate["seed"]))
    both = pd.concat([runs.loc[first], replicate.assign(variant=again)], ignore_index=True)
    pairs = pair_runs(both, (again, claim.control))
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
