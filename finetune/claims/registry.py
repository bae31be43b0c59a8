"""The kinds of claims by name, and the judge that uses them. A new kind adds one line here."""

from collections.abc import Iterable, Mapping

import pandas as pd

from finetune.claims.kind import ClaimKind
from finetune.claims.underfits import Underfits
from finetune.claims.verdict import Verdict
from finetune.errors import SpecError
from finetune.spec.study import StudySpec

KINDS: Mapping[str, ClaimKind] = {
    Underfits.name: Underfits(),
}

# A study file cannot name a kind yet: every claim is of this one.
_DEFAULT_KIND = Underfits.name


def judge_claim(
    runs: pd.DataFrame,
    spec: StudySpec,
    *,
    replicate: pd.DataFrame | None = None,
    seeds: Iterable[int] | None = None,
) -> Verdict:
    """Judge the claim of a study from its runs, by the rule of the claim's kind.

    Args:
        runs: A row a run: `variant, seed, status`, metrics and `first_reduction_epoch`.
        spec: The study.
        replicate: The control's runs under another batch order, for the A/A check.
        seeds: The seeds that must be there; by default every seed of `runs`.

    Raises:
        SpecError: the study makes no claim.
        RunsError: a run is missing or there twice, or a value is missing.
    """
    if spec.claim is None:
        raise SpecError(
            "claim: missing; add [claim] with treatment and control, each the name of a variant"
        )
    kind = KINDS[_DEFAULT_KIND]
    return kind.judge(runs, spec.claim, spec=spec, replicate=replicate, seeds=seeds)
