"""A claim that is judged as seeds come in: look by look, until it is settled."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pandas as pd

from finetune.claims.verdict import JudgedLook, Verdict
from finetune.spec.claims import ClaimSpec
from finetune.spec.looks import Look

# Judges a claim by the rule for one look, from runs and, where there is one, the A/A check's.
Judge = Callable[[pd.DataFrame, ClaimSpec, pd.DataFrame | None], Any]


def judge_until_settled(
    judge: Judge,
    claim: ClaimSpec,
    runs: pd.DataFrame,
    *,
    looks: Sequence[Look],
    replicate: pd.DataFrame | None,
) -> Verdict:
    """Judge a claim at each look that its runs reach, on that look's seeds alone, until settled.

    The p-values of the verdict hold for all looks together: each look's over its share of alpha,
    and of those the smallest.

    Source: Bonferroni, over the looks.
    """
    judged: list[JudgedLook] = []
    seeds = sorted(runs["seed"].unique())
    for look in (look for look in looks if look.seeds <= len(seeds)):
        first = seeds[: look.seeds]
        at_look = claim.model_copy(update={"alpha": claim.alpha * look.share})
        verdict = judge(runs.loc[runs["seed"].isin(first)], at_look, None)
        judged.append(_judged(verdict, look))
        if verdict.settled:
            break
    # The A/A check is no look: it is judged once, on all its seeds.
    again = {} if replicate is None else {"same_again": judge(runs, claim, replicate).same_again}
    return replace(
        verdict,
        **again,
        alpha=claim.alpha,
        p_supported=min(one.p_supported for one in judged),
        p_refuted=min(one.p_refuted for one in judged),
        looks=tuple(judged),
    )


def _judged(verdict: Verdict, look: Look) -> JudgedLook:
    return JudgedLook(
        seeds=look.seeds,
        level=verdict.level,
        verdict=verdict.verdict,
        p_supported=min(1.0, verdict.p_supported / look.share),
        p_refuted=min(1.0, verdict.p_refuted / look.share),
    )
