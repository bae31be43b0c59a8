"""The verdict in plain English: every sentence is rendered from the verdict object.

What only one kind of claim needs to say stands with the kind.
"""

from collections.abc import Mapping, Sequence

from finetune.claims.family import decided_by_chance
from finetune.claims.phrases import count, metric_name, percent, quoted
from finetune.claims.registry import KINDS
from finetune.claims.verdict import Verdict
from finetune.spec.seeds import SOURCE_WORDS, SOURCES
from finetune.stats.paired import FEW_SEEDS
from finetune.stats.power import DetectableEffect


def sentence(verdict: Verdict) -> str:
    """Render the verdict as one sentence that anyone can read."""
    few = f" (exploratory, {_too_few(verdict)})" if verdict.exploratory else ""
    return f"{verdict.verdict.capitalize()}{few}: {KINDS[verdict.kind].statement(verdict)}."


def objections(verdict: Verdict) -> tuple[str, ...]:
    """Return sentences that speak against relying on the verdict; they belong beside it."""
    return KINDS[verdict.kind].objections(verdict)


def evidence(verdict: Verdict) -> tuple[str, ...]:
    """Return sentences on what else stands behind the verdict."""
    sentences = (_excluded(verdict), _enough(verdict), _scope(verdict))
    return (*KINDS[verdict.kind].evidence(verdict), *filter(None, sentences))


def holm_sentence(verdicts: Sequence[Verdict]) -> str:
    """Say whether any verdict hangs on that each claim has a level of its own; "" for one claim."""
    if len(verdicts) < 2:
        return ""
    hanging = decided_by_chance(verdicts)
    if not hanging:
        return (
            f"Each of the {len(verdicts)} claims has a level of its own. Corrected by Holm over "
            "all of them, every verdict stays as it is."
        )
    names = " and ".join(quoted(name) for name in hanging)
    return (
        f"Each of the {len(verdicts)} claims has a level of its own. Corrected by Holm over all of "
        f"them, {names} would be inconclusive: among so many, one such verdict may be chance."
    )


def plan_sentence(plan: DetectableEffect) -> str:
    """Render what a number of seeds can detect; it depends on no mean that comes out."""
    if plan.seeds < 2:
        return f"{count(plan.seeds, 'seed')} cannot detect anything: two are the least."
    known = ", ".join(f"{metric_name(m)} {value:.3g}" for m, value in plan.in_units.items())
    units = f" With the spread known so far, a worsening of that size is: {known}." if known else ""
    return (
        f"With {percent(plan.power)} power, {plan.seeds} seeds support the claim where both "
        f"losses are worse by their margin and {plan.both:.2g} standard deviations of the paired "
        f"differences more, and refute it where one of them lies {plan.either:.2g} standard "
        f"deviations below its margin.{units}"
    )


def _too_few(verdict: Verdict) -> str:
    if verdict.n < FEW_SEEDS:
        return f"fewer than {FEW_SEEDS} seeds"
    fewest = min((one.difference for one in verdict.comparisons), key=lambda one: one.distinct)
    metric = metric_name(fewest.metric)
    if not fewest.distinct:
        return f"the difference in {metric} is identical in all {fewest.n} seeds"
    return f"the difference in {metric} is the same in {fewest.n - fewest.distinct} seeds"


def expected_sentence(expected: Mapping[float, float]) -> str:
    """Render how many seeds a study with looks is expected to take, by the distance in dz."""
    several = ", ".join(f"{seeds:.0f} where it is {dz:g}" for dz, seeds in expected.items())
    return (
        "Expected seeds until a claim is decided, by how many standard deviations of the paired "
        f"differences the true mean lies from its margin: {several}."
    )


def _excluded(verdict: Verdict) -> str:
    if not verdict.excluded:
        return "No seed was left out." if verdict.n else ""
    named = ", ".join(f"{run.seed} ({run.variant}: {run.reason})" for run in verdict.excluded)
    return f"Left out with their pairs: seed {named}."


def _enough(verdict: Verdict) -> str:
    if verdict.verdict == "not tested" or verdict.n < 2:
        return ""
    if verdict.seeds_needed is None:
        return "By these differences, no practical number of seeds would settle the claim."
    return (
        f"By these differences, about {verdict.seeds_needed} seeds are enough to settle it."
        f"{_further_seeds(verdict)}"
    )


def _further_seeds(verdict: Verdict) -> str:
    if verdict.verdict != "inconclusive" or verdict.looks:
        return ""
    return (
        " Seeds that are added by hand and judged again err more often; "
        "finetune run --until-decided adds as many as it takes, at the same error rate."
    )


def _scope(verdict: Verdict) -> str:
    fixed = [source for source in SOURCES if source not in verdict.vary]
    varied = _listed([source for source in SOURCES if source in verdict.vary]) or "nothing"
    if not fixed:
        return f"From seed to seed varied {varied}."
    stays = "stayed as it was" if len(fixed) == 1 else "stayed as they were"
    return (
        f"From seed to seed varied {varied}; {_listed(fixed)} {stays}, and of others the verdict "
        "says nothing."
    )


def _listed(sources: list[str]) -> str:
    words = [f"the {SOURCE_WORDS[source]}" for source in sources]
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)
