"""The verdict on one claim, as data: numbers, rule and reason, from which prose is made."""

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from finetune.claims.metric_comparison import MetricComparison
from finetune.claims.tested import share_of
from finetune.spec.claims import ClaimSpec, VerdictName
from finetune.spec.study import StudySpec
from finetune.stats.pairs import ExcludedRun, PairedRuns


@dataclass(frozen=True, kw_only=True)
class JudgedLook:
    """What a claim came out as at one of several looks.

    Attributes:
        seeds: At how many.
        level: Of the tests there: a share of alpha.
        verdict: The answer.
        p_supported, p_refuted: Of the two ways to decide, over the share of alpha: below alpha
            where the look decides.
    """

    seeds: int
    level: float
    verdict: VerdictName
    p_supported: float
    p_refuted: float


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """The answer to a claim; each kind of claim adds what it is judged by.

    Attributes:
        name: Of the claim.
        kind: Of the claim, as the registry names it.
        verdict: The answer.
        label: What the data establish of the treatment, in a word or two.
        reason: Which numbers decided.
        rule: How the claim was to be decided, before anything ran.
        treatment, control: The two variants.
        alpha: The greatest chance of a wrong decision, over all looks.
        level: Of the tests and intervals, at the look that the verdict is of; alpha for one look.
        n: Number of paired seeds.
        exploratory: Whether these, or those that differ from the most common difference, are too
            few to rely on the verdict.
        excluded: Runs because of which a seed is left out.
        tested_seeds, tested_share: In how many of the pairs the two runs test the claim.
        seeds_needed: Seeds in all that would settle it, were the observed means the true ones.
        seeds_missing: How many of them are still to be run while the verdict is inconclusive.
        p_supported, p_refuted: Of the two ways to decide the claim.
        stops_early: Those of the two variants with early stopping.
        vary: What differed from seed to seed.
        looks: Those at which the claim was judged; none where the number of seeds was fixed.
    """

    name: str
    kind: str
    verdict: VerdictName
    label: str
    reason: str
    rule: str
    treatment: str
    control: str
    alpha: float
    level: float
    n: int
    exploratory: bool
    excluded: tuple[ExcludedRun, ...]
    tested_seeds: int
    tested_share: float
    seeds_needed: int | None
    seeds_missing: int | None
    p_supported: float
    p_refuted: float
    stops_early: tuple[str, ...]
    vary: tuple[str, ...]
    looks: tuple[JudgedLook, ...] = ()

    @property
    def settled(self) -> bool:
        """Whether more seeds would be of no use: it is decided, or its runs do not test it.

        What too few distinct differences decide is not settled.
        """
        if self.verdict in ("supported", "refuted"):
            return all(one.difference.varied for one in self.comparisons)
        return self.verdict == "not tested"

    @property
    def comparisons(self) -> tuple[MetricComparison, ...]:
        """What the verdict rests on, metric by metric."""
        return ()

    def to_dict(self) -> dict[str, Any]:
        """Return plain dictionaries, lists and scalars; a number that is not finite is None."""
        return _plain(asdict(self))


def shared_fields(
    claim: ClaimSpec,
    spec: StudySpec,
    pairs: PairedRuns,
    *,
    verdict: VerdictName,
    compared: Sequence[MetricComparison],
    tested: np.ndarray,
    needed: int | None,
) -> dict[str, Any]:
    """Return the fields of a verdict that are found alike for every kind of claim.

    Args:
        claim: The claim.
        spec: The study that makes it.
        pairs: The runs of its two variants.
        verdict: The answer.
        compared: What it rests on.
        tested: (pair,) of bool, which pairs test the claim.
        needed: Seeds in all that would settle it.
    """
    n = len(pairs.seeds)
    return {
        "name": spec.claim_name(claim),
        "verdict": verdict,
        "treatment": claim.treatment,
        "control": claim.control,
        "alpha": claim.alpha,
        "level": claim.alpha,
        "n": n,
        "exploratory": any(one.difference.exploratory for one in compared),
        "excluded": pairs.excluded,
        "tested_seeds": int(tested.sum()),
        "tested_share": share_of(tested),
        "seeds_needed": needed,
        "seeds_missing": max(needed - n, 1) if needed and verdict == "inconclusive" else None,
        "stops_early": spec.stopping_early(pairs.variants),
        "vary": tuple(spec.vary),
    }


def verdicts_json(verdicts: Sequence[Verdict]) -> str:
    """Return the verdicts as JSON: the first one's keys, and all of them in the list `claims`."""
    every = [verdict.to_dict() for verdict in verdicts]
    return json.dumps({**every[0], "claims": every}, indent=2, allow_nan=False)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    # JSON has no infinity and no NaN.
    return None if isinstance(value, float) and not math.isfinite(value) else value
