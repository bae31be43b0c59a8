"""The verdict in plain English: every sentence is rendered from the verdict object."""

from finetune.claims.fit_table import Axis
from finetune.claims.underfits import CUT_SHARE, FitOutcome
from finetune.claims.verdict import Verdict
from finetune.stats.paired import FEW_SEEDS
from finetune.stats.power import DetectableEffect

# Each cell of the fit table as something that the treatment does.
_DOES = {
    "underfit": "underfits",
    "slower fit, harmless": "fits more slowly without harm",
    "less overfit": "overfits less",
    "generalises worse": "generalises worse",
    "no effect": "has no effect that matters",
    "generalises better": "generalises better",
    "more overfit": "overfits more",
    "faster fit, no gain": "fits faster without gain",
    "better fit": "fits better",
}
_SOURCES = {
    "init": "the initial weights",
    "order": "the order of the training rows",
    "split": "the split",
    "data": "the data set",
}


def sentence(verdict: Verdict) -> str:
    """Say the verdict in one sentence that anyone can read."""
    say = {
        "supported": _supported,
        "refuted": _refuted,
        "inconclusive": _inconclusive,
        "not tested": _not_tested,
    }[verdict.verdict]
    few = f" (exploratory, fewer than {FEW_SEEDS} seeds)" if verdict.exploratory else ""
    return f"{verdict.verdict.capitalize()}{few}: {say(verdict)}{_but(verdict)}."


def objections(verdict: Verdict) -> tuple[str, ...]:
    """Say what speaks against relying on the verdict; what stands here belongs beside it."""
    said = (_disagreement(verdict), _noise(verdict), _early_stopping(verdict))
    return tuple(text for text in said if text)


def evidence(verdict: Verdict) -> tuple[str, ...]:
    """Say what else stands behind the verdict."""
    said = (
        _cuts(verdict),
        _excluded(verdict),
        _secondary(verdict),
        _quiet(verdict),
        _enough(verdict),
        _scope(verdict),
    )
    return tuple(text for text in said if text)


def plan_sentence(plan: DetectableEffect) -> str:
    """Say what a number of seeds can detect; nothing of it depends on the means that come out."""
    if plan.seeds < 2:
        return f"{_count(plan.seeds, 'seed')} cannot detect anything: two are the least."
    known = ", ".join(f"{metric_name(m)} {value:.3g}" for m, value in plan.in_units.items())
    units = f" With the spread known so far, a worsening of that size is: {known}." if known else ""
    return (
        f"With {_percent(plan.power)} power, {plan.seeds} seeds support the claim where both "
        f"losses are worse by their margin and {plan.both:.2g} standard deviations of the paired "
        f"differences more, and refute it where one of them lies {plan.either:.2g} standard "
        f"deviations below its margin.{units}"
    )


def outcome(judgement: FitOutcome) -> str:
    """Name the cell of the fit table, or both that the data leave possible."""
    if len(judgement.cells) > 2:
        return "undetermined"
    return " or ".join(f'"{cell}"' for cell in judgement.cells)


def metric_name(metric: str) -> str:
    """Give a metric's name as prose has it."""
    return metric.replace("train_", "training ").replace("_", " ")


def _supported(verdict: Verdict) -> str:
    primary = verdict.primary
    return (
        f"{_arms(verdict, 'underfits')}: over {_pairs(verdict)} {_changes(primary)}, both by more "
        f"than their margins of {primary.train.margin:g} and {primary.test.margin:g}"
    )


def _refuted(verdict: Verdict) -> str:
    does = _does(verdict.primary)
    instead = f"; it {does}" if does else ""
    return (
        f"{_arms(verdict, 'does not underfit')}{instead}: over {_pairs(verdict)} "
        f"{_changes(verdict.primary)}"
    )


def _inconclusive(verdict: Verdict) -> str:
    more = "no practical number of further seeds would"
    if verdict.seeds_missing is not None:
        more = f"about {verdict.seeds_missing} more would, were the differences to stay as they are"
    if verdict.n < 2:
        more = f"two are the least, and {FEW_SEEDS} a start"
    are = "does" if verdict.n == 1 else "do"
    return f"{_pairs(verdict)} {are} not settle whether {_arms(verdict, 'underfits')}; {more}"


def _not_tested(verdict: Verdict) -> str:
    if not verdict.n:
        return (
            f"no seed has a finished run of both {_named(verdict.treatment)} and "
            f"{_named(verdict.control)}"
        )
    return (
        f"{_named(verdict.treatment)} cut its learning rate {_in_time(verdict)} in "
        f"{verdict.cut_seeds} of {_count(verdict.n, 'paired seed')}, and the rule asks for "
        f"{_percent(CUT_SHARE)}"
    )


def _but(verdict: Verdict) -> str:
    if verdict.agreement != "disagree" or verdict.verdict == "not tested" or not verdict.secondary:
        return ""
    does = _does(verdict.secondary)
    # The same ruling for another reason is no contradiction of the ruling; another ruling is one.
    if verdict.secondary.verdict == verdict.verdict and does:
        return f", while by accuracy it {does}"
    return f"; but by accuracy the claim is {_ruled(verdict.secondary)}"


def _disagreement(verdict: Verdict) -> str:
    if verdict.agreement != "disagree" or not verdict.secondary:
        return ""
    return (
        f"Loss and accuracy disagree: the outcome is {outcome(verdict.primary)} by loss, which was "
        f"declared primary and decides, and {outcome(verdict.secondary)} by accuracy, where "
        f"{_changes(verdict.secondary)}."
    )


def _secondary(verdict: Verdict) -> str:
    if not verdict.secondary or verdict.agreement == "disagree":
        return ""
    agrees = "agrees" if verdict.agreement == "agree" else "does not contradict it"
    return (
        f"Accuracy, the secondary measure, {agrees}: by it the claim is "
        f"{_ruled(verdict.secondary)}, and the outcome {outcome(verdict.secondary)}."
    )


def _noise(verdict: Verdict) -> str:
    check = verdict.same_again
    if check is None or check.passed:
        return ""
    return (
        f"At {_count(check.n, 'seed')} the margins are finer than the noise: the control against "
        f'itself, under another batch order, should come out as "no effect", and comes out as '
        f"{outcome(check.primary)}, where {_changes(check.primary)}."
    )


def _quiet(verdict: Verdict) -> str:
    check = verdict.same_again
    if check is None or not check.passed:
        return ""
    return (
        "The control against itself under another batch order shows no effect "
        f"({_count(check.n, 'seed')}), so the margins are wider than the noise."
    )


def _cuts(verdict: Verdict) -> str:
    if not verdict.n:
        return ""
    return (
        f"The treatment cut its learning rate {_in_time(verdict)} in {verdict.cut_seeds} of "
        f"{_count(verdict.n, 'paired seed')}; the rule asks for {_percent(CUT_SHARE)}."
    )


def _excluded(verdict: Verdict) -> str:
    if not verdict.excluded:
        return "No seed was left out." if verdict.n else ""
    named = ", ".join(f"{run.seed} ({run.variant}: {run.reason})" for run in verdict.excluded)
    return f"Left out with their pairs: seed {named}."


def _early_stopping(verdict: Verdict) -> str:
    if not verdict.stops_early:
        return ""
    names = " and ".join(map(_named, verdict.stops_early))
    return (
        f"Early stopping is part of the contrast ({names}): the arms do not have the same epoch "
        "budget, so underfitting and stopping sooner look alike."
    )


def _enough(verdict: Verdict) -> str:
    if verdict.verdict == "not tested" or verdict.n < 2:
        return ""
    if verdict.seeds_needed is None:
        return "By these differences, no practical number of seeds would settle the claim."
    return f"By these differences, about {verdict.seeds_needed} seeds are enough to settle it."


def _scope(verdict: Verdict) -> str:
    fixed = [source for source in _SOURCES if source not in verdict.vary]
    varied = _listed([source for source in _SOURCES if source in verdict.vary]) or "nothing"
    if not fixed:
        return f"From seed to seed varied {varied}."
    stays = "stayed as it was" if len(fixed) == 1 else "stayed as they were"
    return (
        f"From seed to seed varied {varied}; {_listed(fixed)} {stays}, and of others the verdict "
        "says nothing."
    )


def _listed(sources: list[str]) -> str:
    words = [_SOURCES[source] for source in sources]
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def _arms(verdict: Verdict, verb: str) -> str:
    return f"{_named(verdict.treatment)} {verb} compared with {_named(verdict.control)}"


def _in_time(verdict: Verdict) -> str:
    if verdict.delay_ends is None:
        return "at all"
    return f"before the delay of {_count(verdict.delay_ends, 'epoch')} ended"


def _does(judgement: FitOutcome) -> str:
    """Say what the treatment does; nothing where more than two cells are possible."""
    return " or ".join(_DOES[cell] for cell in judgement.cells) if len(judgement.cells) < 3 else ""


def _ruled(judgement: FitOutcome) -> str:
    return "not settled" if judgement.verdict == "inconclusive" else judgement.verdict


def _changes(judgement: FitOutcome) -> str:
    return f"{_change(judgement.train)} and {_change(judgement.test)}"


def _change(side: Axis) -> str:
    mean = side.difference.mean
    # Less than this is what rounding leaves of sums that cancel.
    if not abs(mean) > 1e-12:
        return f"{metric_name(side.metric)} ends unchanged"
    return f"{metric_name(side.metric)} ends {abs(mean):.2g} {'higher' if mean > 0 else 'lower'}"


def _pairs(verdict: Verdict) -> str:
    return _count(verdict.n, "paired seed")


def _named(variant: str) -> str:
    return f'"{variant}"'


def _percent(share: float) -> str:
    return f"{100 * share:.3g} %"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
