"""How often the seeds of a study were looked at, and how often so many looks decide wrongly."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from finetune.claims.verdict import Verdict
from finetune.spec.looks import Look
from finetune.spec.recipes import digest
from finetune.spec.study import StudySpec
from finetune.stats.looks import error_rate
from finetune.store.manifest import RecordedLook


@dataclass(frozen=True)
class FurtherLooks:
    """A claim that was judged before on some of the same seeds, outside of the study's own looks.

    Attributes:
        claim: Its name.
        earlier: The looks at other numbers of seeds, in the order in which they were taken.
        seeds: Of the look now.
        count: How many looks there were together.
        alpha: Of the claim.
        error_rate: How often so many looks decide wrongly where the mean lies at its margin, of
            normal differences.
    """

    claim: str
    earlier: tuple[RecordedLook, ...]
    seeds: int
    count: int
    alpha: float
    error_rate: float


def look_now(
    spec: StudySpec,
    verdicts: Sequence[Verdict],
    recipes: Mapping[str, str],
    *,
    seeds: int,
    when: str,
) -> tuple[RecordedLook, ...]:
    """Return what the manifest keeps of an analysis: a look for each claim.

    Args:
        spec: The study.
        verdicts: On its claims, in their order.
        recipes: Of its variants, by name.
        seeds: At how many they were judged.
        when: In UTC, ISO 8601.
    """
    return tuple(
        RecordedLook(
            when=when,
            seeds=seeds,
            claim=verdict.name,
            compared=_compared(verdict, recipes),
            verdict=verdict.verdict,
            planned=tuple((look.seeds, look.share) for look in _taken(spec, seeds)),
        )
        for verdict in verdicts
    )


def further_looks(
    earlier: Iterable[RecordedLook], now: Iterable[RecordedLook], spec: StudySpec
) -> tuple[FurtherLooks, ...]:
    """Return the claims of which the same seeds were judged before, and what that does."""
    alphas = {spec.claim_name(claim): claim.alpha for claim in spec.claims}
    before = list(earlier)
    found = []
    for look in now:
        same = [one for one in before if one.compared == look.compared]
        others = [one for one in same if not set(one.planned) <= set(look.planned)]
        if not others:
            continue
        looks = _together([look, *others])
        found.append(
            FurtherLooks(
                claim=look.claim,
                earlier=tuple(others),
                seeds=look.seeds,
                count=len(looks),
                alpha=alphas[look.claim],
                error_rate=error_rate(looks, alpha=alphas[look.claim]),
            )
        )
    return tuple(found)


def _taken(spec: StudySpec, seeds: int) -> list[Look]:
    return [look for look in spec.looks if look.seeds <= seeds] or [Look(seeds, 1.0)]


def _together(looks: Iterable[RecordedLook]) -> list[Look]:
    """Return all looks that were taken, each with the largest share of alpha that it ever had."""
    shares: dict[int, float] = {}
    for look in looks:
        for seeds, share in look.planned:
            shares[seeds] = max(share, shares.get(seeds, 0.0))
    return [Look(seeds, shares[seeds]) for seeds in sorted(shares)]


def _compared(verdict: Verdict, recipes: Mapping[str, str]) -> str:
    """Return the digest of what is compared: a claim with another margin is about the same."""
    metrics = [one.metric for one in verdict.comparisons]
    arms = [recipes[verdict.treatment], recipes[verdict.control]]
    return digest({"kind": verdict.kind, "metrics": metrics, "arms": arms})
