"""The verdict in plain English: every sentence is rendered from the verdict object."""

from finetune.stats.fit_table import Axis
from finetune.stats.power import Plan
from finetune.stats.rule import CUT_SHARE, Judgement
from finetune.stats.verdict import FEW_SEEDS, Verdict


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


def sentences(verdict: Verdict) -> tuple[str, ...]:
    """Say what stands behind the verdict, what contradicts it first."""
    said = (
        _disagreement(verdict),
        _noise(verdict),
        _numbers(verdict.primary, verdict),
        _secondary(verdict),
        _cuts(verdict),
        _excluded(verdict),
        _early_stopping(verdict),
        _enough(verdict),
        _scope(verdict),
    )
    return tuple(text for text in said if text)


def plan_sentence(plan: Plan) -> str:
    """Say what the planned seeds can detect, before any training."""
    if plan.seeds < 2:
        return f"{_count(plan.seeds, 'seed')} cannot detect anything: two are the least."
    known = ", ".join(f"{metric} {value:.3g}" for metric, value in plan.in_units.items())
    units = f" With the spread seen before that is: {known}." if known else ""
    return (
        f"With {plan.seeds} seeds, a worsening of both losses by their margins and {plan.both:.2g} "
        "standard deviations of the paired differences more is found (supported) with "
        f"{_percent(plan.power)} power, and one loss {plan.either:.2g} standard deviations below "
        f"its margin refutes the claim with as much.{units}"
    )


def _supported(verdict: Verdict) -> str:
    return (
        f"over {_pairs(verdict)} {_arms(verdict, 'underfits')}: {_changes(verdict.primary)}, both "
        f"by more than the margins ({_margins(verdict.primary)})"
    )


def _refuted(verdict: Verdict) -> str:
    outcome = "" if verdict.label == "undetermined" else f" ({verdict.label})"
    return (
        f"over {_pairs(verdict)} {_arms(verdict, 'does not underfit')}{outcome}: "
        f"{_changes(verdict.primary)} (margins {_margins(verdict.primary)})"
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
        return f"no seed has a finished run of both {verdict.treatment!r} and {verdict.control!r}"
    return (
        f"{verdict.treatment!r} cut its learning rate {_in_time(verdict)} in {verdict.cut_seeds} "
        f"of {_count(verdict.n, 'paired seed')}, and the rule asks for {_percent(CUT_SHARE)}"
    )


def _but(verdict: Verdict) -> str:
    if verdict.agreement != "disagree" or verdict.verdict == "not tested" or not verdict.secondary:
        return ""
    return f", but accuracy disagrees: {_outcome(verdict.secondary)}"


def _disagreement(verdict: Verdict) -> str:
    if verdict.agreement != "disagree" or not verdict.secondary:
        return ""
    return (
        f"Loss and accuracy disagree: by loss (declared primary) it is "
        f"{_outcome(verdict.primary)}; by accuracy (secondary) {_outcome(verdict.secondary)}, "
        f"where {_changes(verdict.secondary)}."
    )


def _secondary(verdict: Verdict) -> str:
    if not verdict.secondary:
        return ""
    start = {
        "agree": f"Accuracy agrees, {_outcome(verdict.secondary)}",
        "open": f"Accuracy does not contradict it, {_outcome(verdict.secondary)}",
        "disagree": "In accuracy",
    }[verdict.agreement or "open"]
    return f"{start}: {_intervals(verdict.secondary, verdict)}."


def _noise(verdict: Verdict) -> str:
    check = verdict.same_again
    if check is None:
        return ""
    if check.passed:
        return (
            f"The control against itself under another batch order shows no effect "
            f"({_count(check.n, 'seed')}), so the margins are wider than the noise."
        )
    return f"{check.note[:1].upper()}{check.note[1:]} ({_count(check.n, 'seed')})."


def _numbers(judgement: Judgement, verdict: Verdict) -> str:
    return f"Treatment minus control: {_intervals(judgement, verdict)}."


def _cuts(verdict: Verdict) -> str:
    if not verdict.n:
        return ""
    return (
        f"The treatment cut its learning rate {_in_time(verdict)} in {verdict.cut_seeds} of "
        f"{_count(verdict.n, 'paired seed')} ({_percent(verdict.cut_share)})."
    )


def _excluded(verdict: Verdict) -> str:
    if not verdict.excluded:
        return ""
    named = ", ".join(f"{run.seed} ({run.variant}: {run.reason})" for run in verdict.excluded)
    return f"Left out with their pairs: seed {named}."


def _early_stopping(verdict: Verdict) -> str:
    if not verdict.stops_early:
        return ""
    names = " and ".join(map(repr, verdict.stops_early))
    return (
        f"Early stopping is part of the contrast ({names}): the arms do not have the same epoch "
        "budget, so underfitting and stopping sooner look alike."
    )


def _enough(verdict: Verdict) -> str:
    if verdict.verdict not in ("supported", "refuted") or verdict.seeds_needed is None:
        return ""
    return f"By these differences, about {verdict.seeds_needed} seeds would have been enough."


def _scope(verdict: Verdict) -> str:
    fixed = [source for source in ("init", "order", "split", "data") if source not in verdict.vary]
    varied = ", ".join(verdict.vary) or "nothing"
    limits = (
        f"; {', '.join(fixed)} stayed the same, and the verdict holds for these" if fixed else ""
    )
    return f"From seed to seed varied: {varied}{limits}."


def _arms(verdict: Verdict, verb: str) -> str:
    return f"{verdict.treatment!r} {verb} compared with {verdict.control!r}"


def _in_time(verdict: Verdict) -> str:
    if verdict.delay_ends is None:
        return "at all"
    return f"before the delay ended (epoch {verdict.delay_ends}, counted from 0)"


def _outcome(judgement: Judgement) -> str:
    return f"{judgement.verdict} ({judgement.label})"


def _margins(judgement: Judgement) -> str:
    return f"{judgement.train.margin:g} and {judgement.test.margin:g}"


def _changes(judgement: Judgement) -> str:
    return f"{_change(judgement.train)} and {_change(judgement.test)}"


def _change(side: Axis) -> str:
    mean = side.difference.mean
    if not abs(mean) > 0:
        return f"{_plain_name(side.metric)} ends unchanged"
    return f"{_plain_name(side.metric)} ends {abs(mean):.3g} {'higher' if mean > 0 else 'lower'}"


def _intervals(judgement: Judgement, verdict: Verdict) -> str:
    level = _percent(1 - verdict.alpha)
    return "; ".join(
        f"{_plain_name(side.metric)} {side.difference.mean:+.3g} ({level} interval "
        f"{side.difference.low:+.3g} to {side.difference.high:+.3g}, dz {side.difference.dz:.2g}): "
        f"{side.call}"
        for side in (judgement.train, judgement.test)
    )


def _plain_name(metric: str) -> str:
    return metric.replace("train_", "training ").replace("_", " ")


def _pairs(verdict: Verdict) -> str:
    return _count(verdict.n, "paired seed")


def _percent(share: float) -> str:
    return f"{100 * share:.3g} %"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
