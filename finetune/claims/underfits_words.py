"""The words of a verdict on whether a treatment underfits."""

from finetune.claims.fit_outcome import FitOutcome
from finetune.claims.fit_verdict import FitVerdict
from finetune.claims.phrases import changes, count, does, outcome, percent, quoted
from finetune.claims.tested import LEAST_SHARE
from finetune.spec.claims import VerdictName
from finetune.stats.paired import FEW_SEEDS

_DIFFER = "the two runs differ"


def statement(verdict: FitVerdict) -> str:
    """Return what the verdict says of the two variants."""
    state = {
        "supported": _supported,
        "refuted": _refuted,
        "inconclusive": _inconclusive,
        "not tested": _not_tested,
    }[verdict.verdict]
    return state(verdict) + _by_accuracy(verdict)


def evidence(verdict: FitVerdict) -> tuple[str, ...]:
    """Return in how many seeds the claim was tested, and what accuracy and noise say."""
    if not verdict.n:
        return ()
    tested = f"{_tested(verdict)}; the rule requires {percent(LEAST_SHARE)}."
    return tuple(filter(None, (tested, _secondary(verdict), _passed_aa_check(verdict))))


def objections(verdict: FitVerdict) -> tuple[str, ...]:
    """Return where accuracy or noise speak against it, and what may look like underfitting."""
    sentences = (_disagreement(verdict), _failed_aa_check(verdict), _stops_early(verdict))
    return tuple(filter(None, sentences))


def rule(alpha: float, *, lr_alone: bool) -> str:
    """Return how the claim is decided."""
    tested = "the treatment changed its LR before the control" if lr_alone else _DIFFER
    return (
        "With treatment minus control paired by seed, larger meaning worse: not tested if "
        f"{tested} in fewer than {percent(LEAST_SHARE)} of the seeds; else supported if the "
        f"one-sided {1 - alpha:.4g} lower bounds of train and test both exceed their margins; "
        f"refuted if the one-sided {1 - alpha / 2:.4g} upper bound of either is below its margin; "
        "else inconclusive."
    )


def reason(
    verdict: VerdictName, fit: FitOutcome, *, share: float, lr_alone: bool, alpha: float
) -> str:
    """Return which numbers led to the verdict."""
    compared = (fit.train, fit.test)
    if verdict == "not tested":
        what = "the treatment changed its LR first" if lr_alone else _DIFFER
        return f"{what} in {percent(share)} of the paired seeds"
    if fit.train.difference.n < 2:
        return "one pair has no spread to judge by"
    if verdict == "refuted":
        below = [metric for metric in compared if metric.worsening.high < metric.margin]
        return " and ".join(
            f"the {1 - alpha / 2:.4g} upper bound of {one.metric}, {one.worsening.high:.3g}, is "
            f"below its margin {one.margin:g}"
            for one in below
        )
    lower = " and ".join(
        f"{one.worsening.lower:.3g} for {one.metric} (margin {one.margin:g})" for one in compared
    )
    relation = "both exceed" if verdict == "supported" else "do not both exceed"
    upper = " and ".join(f"{one.worsening.high:.3g}" for one in compared)
    tail = "" if verdict == "supported" else f", and neither upper bound, {upper}, is below its own"
    return f"the {1 - alpha:.4g} lower bounds {relation} their margins: {lower}{tail}"


def _supported(verdict: FitVerdict) -> str:
    primary = verdict.primary
    return (
        f"{_arms(verdict, 'underfits')}: over {_pairs(verdict)} {changes(primary)}, both by more "
        f"than their margins of {primary.train.margin:g} and {primary.test.margin:g}"
    )


def _refuted(verdict: FitVerdict) -> str:
    effect = does(verdict.primary)
    instead = f"; it {effect}" if effect else ""
    return (
        f"{_arms(verdict, 'does not underfit')}{instead}: over {_pairs(verdict)} "
        f"{changes(verdict.primary)}"
    )


def _inconclusive(verdict: FitVerdict) -> str:
    more = "no practical number of further seeds would"
    if verdict.seeds_missing is not None:
        more = f"about {verdict.seeds_missing} more would, were the differences to stay as they are"
    if verdict.n < 2:
        more = f"two are the least, and {FEW_SEEDS} a start"
    verb = "does" if verdict.n == 1 else "do"
    return f"{_pairs(verdict)} {verb} not settle whether {_arms(verdict, 'underfits')}; {more}"


def _not_tested(verdict: FitVerdict) -> str:
    if not verdict.n:
        return (
            f"no seed has a finished run of both {quoted(verdict.treatment)} and "
            f"{quoted(verdict.control)}"
        )
    return f"{_tested(verdict)}, and the rule requires {percent(LEAST_SHARE)}"


def _tested(verdict: FitVerdict) -> str:
    treatment, control = quoted(verdict.treatment), quoted(verdict.control)
    found = f"in {verdict.tested_seeds} of {_pairs(verdict)}"
    if verdict.lr_alone:
        return f"{treatment} changed its learning rate before {control} {found}"
    return f"The runs of {treatment} and {control} differ {found}"


def _by_accuracy(verdict: FitVerdict) -> str:
    if verdict.agreement != "disagree" or verdict.verdict == "not tested" or not verdict.secondary:
        return ""
    effect = does(verdict.secondary)
    # The same verdict for another reason does not contradict it; another verdict does.
    if verdict.secondary.verdict == verdict.verdict and effect:
        return f", while by accuracy it {effect}"
    return f"; but by accuracy the claim is {_settled(verdict.secondary)}"


def _disagreement(verdict: FitVerdict) -> str:
    if verdict.agreement != "disagree" or not verdict.secondary:
        return ""
    return (
        f"Loss and accuracy disagree: by loss, which was declared primary and decides, the "
        f"treatment {_effect(verdict.primary)}; by accuracy it {_effect(verdict.secondary)}, where "
        f"{changes(verdict.secondary)}."
    )


def _secondary(verdict: FitVerdict) -> str:
    if not verdict.secondary or verdict.agreement == "disagree":
        return ""
    agrees = "agrees" if verdict.agreement == "agree" else "does not contradict it"
    return (
        f"Accuracy, the secondary measure, {agrees}: by it the claim is "
        f"{_settled(verdict.secondary)}, and the outcome {outcome(verdict.secondary)}."
    )


def _failed_aa_check(verdict: FitVerdict) -> str:
    check = verdict.same_again
    if check is None or check.passed:
        return ""
    return (
        f"At {count(check.n, 'seed')} the margins are finer than the noise: the control against "
        f"itself, under another batch order, must show no effect, and it is not shown: "
        f"{changes(check.primary)}."
    )


def _passed_aa_check(verdict: FitVerdict) -> str:
    check = verdict.same_again
    if check is None or not check.passed:
        return ""
    return (
        "The control against itself under another batch order shows no effect "
        f"({count(check.n, 'seed')}), so the margins are wider than the noise."
    )


def _stops_early(verdict: FitVerdict) -> str:
    if not verdict.stops_early:
        return ""
    names = " and ".join(map(quoted, verdict.stops_early))
    return (
        f"Early stopping is part of the contrast ({names}): the arms do not have the same "
        "epoch budget, so underfitting and stopping sooner look alike."
    )


def _effect(fit: FitOutcome) -> str:
    return does(fit) or "is not known to do anything"


def _settled(fit: FitOutcome) -> str:
    return "not settled" if fit.verdict == "inconclusive" else fit.verdict


def _arms(verdict: FitVerdict, verb: str) -> str:
    return f"{quoted(verdict.treatment)} {verb} compared with {quoted(verdict.control)}"


def _pairs(verdict: FitVerdict) -> str:
    return count(verdict.n, "paired seed")
