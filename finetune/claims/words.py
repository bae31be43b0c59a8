"""The verdict in plain English: every sentence is rendered from the verdict object.

What only one kind of claim needs to say stands with the kind.
"""

from finetune.claims.fit_outcome import FitOutcome
from finetune.claims.phrases import changes, count, does, metric_name, outcome, percent
from finetune.claims.registry import KINDS
from finetune.claims.verdict import Verdict
from finetune.spec.seeds import SOURCE_WORDS, SOURCES
from finetune.stats.paired import FEW_SEEDS
from finetune.stats.power import DetectableEffect


def sentence(verdict: Verdict) -> str:
    """Render the verdict as one sentence that anyone can read."""
    few = f" (exploratory, fewer than {FEW_SEEDS} seeds)" if verdict.exploratory else ""
    statement = KINDS[verdict.kind].statement(verdict)
    return f"{verdict.verdict.capitalize()}{few}: {statement}{_by_accuracy(verdict)}."


def objections(verdict: Verdict) -> tuple[str, ...]:
    """Return sentences that speak against relying on the verdict; they belong beside it."""
    sentences = (_disagreement(verdict), _failed_aa_check(verdict))
    return (*filter(None, sentences), *KINDS[verdict.kind].objections(verdict))


def evidence(verdict: Verdict) -> tuple[str, ...]:
    """Return sentences on what else stands behind the verdict."""
    sentences = (
        _excluded(verdict),
        _secondary(verdict),
        _passed_aa_check(verdict),
        _enough(verdict),
        _scope(verdict),
    )
    return (*KINDS[verdict.kind].evidence(verdict), *filter(None, sentences))


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


def _by_accuracy(verdict: Verdict) -> str:
    if verdict.agreement != "disagree" or verdict.verdict == "not tested" or not verdict.secondary:
        return ""
    effect = does(verdict.secondary)
    # The same verdict for another reason does not contradict it; another verdict does.
    if verdict.secondary.verdict == verdict.verdict and effect:
        return f", while by accuracy it {effect}"
    return f"; but by accuracy the claim is {_settled(verdict.secondary)}"


def _disagreement(verdict: Verdict) -> str:
    if verdict.agreement != "disagree" or not verdict.secondary:
        return ""
    return (
        f"Loss and accuracy disagree: the outcome is {outcome(verdict.primary)} by loss, which was "
        f"declared primary and decides, and {outcome(verdict.secondary)} by accuracy, where "
        f"{changes(verdict.secondary)}."
    )


def _secondary(verdict: Verdict) -> str:
    if not verdict.secondary or verdict.agreement == "disagree":
        return ""
    agrees = "agrees" if verdict.agreement == "agree" else "does not contradict it"
    return (
        f"Accuracy, the secondary measure, {agrees}: by it the claim is "
        f"{_settled(verdict.secondary)}, and the outcome {outcome(verdict.secondary)}."
    )


def _failed_aa_check(verdict: Verdict) -> str:
    check = verdict.same_again
    if check is None or check.passed:
        return ""
    return (
        f"At {count(check.n, 'seed')} the margins are finer than the noise: the control against "
        f'itself, under another batch order, should come out as "no effect", and comes out as '
        f"{outcome(check.primary)}, where {changes(check.primary)}."
    )


def _passed_aa_check(verdict: Verdict) -> str:
    check = verdict.same_again
    if check is None or not check.passed:
        return ""
    return (
        "The control against itself under another batch order shows no effect "
        f"({count(check.n, 'seed')}), so the margins are wider than the noise."
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
    return f"By these differences, about {verdict.seeds_needed} seeds are enough to settle it."


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


def _settled(fit: FitOutcome) -> str:
    return "not settled" if fit.verdict == "inconclusive" else fit.verdict
