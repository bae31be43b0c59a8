"""The kinds of claims by name, and the judge that uses them. A new kind adds one line here."""

from collections.abc import Iterable, Mapping

import pandas as pd

from finetune.claims.better import Better
from finetune.claims.equivalent import Equivalent
from finetune.claims.kind import ClaimKind
from finetune.claims.looks import judge_until_settled
from finetune.claims.not_worse import NotWorse
from finetune.claims.underfits import Underfits
from finetune.claims.verdict import Verdict
from finetune.spec.claims import ClaimSpec
from finetune.spec.study import StudySpec

KINDS: Mapping[str, ClaimKind] = {
    kind.name: kind for kind in (Underfits(), Better(), NotWorse(), Equivalent())
}


def judge_claim(
    runs: pd.DataFrame,
    claim: ClaimSpec,
    spec: StudySpec,
    *,
    replicate: pd.DataFrame | None = None,
    seeds: Iterable[int] | None = None,
) -> Verdict:
    """Judge a claim from its study's runs, by the rule of the claim's kind.

    Where the study has looks it is judged at each, until settled.

    Args:
        runs: A row a run: `variant, seed, status`, metrics and `first_reduction_epoch`.
        claim: The claim.
        spec: The study.
        replicate: The control's runs under another batch order, for the A/A check.
        seeds: The seeds that must be there; by default every seed of `runs`.

    Raises:
        SpecError: The claim's metric was not measured.
        RunsError: a run is missing or there twice, or a value is missing.
    """
    kind = KINDS[claim.kind]
    if not spec.looks:
        return kind.judge(runs, claim, spec=spec, replicate=replicate, seeds=seeds)
    return judge_until_settled(
        lambda some, at_look, again: kind.judge(some, at_look, spec=spec, replicate=again),
        # At a look it has another alpha; an unnamed claim is known by being among the study's.
        claim.model_copy(update={"name": spec.claim_name(claim)}),
        runs,
        looks=spec.looks,
        replicate=replicate,
    )
