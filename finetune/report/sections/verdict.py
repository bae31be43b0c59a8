"""How the verdict was reached: the rule, the table of outcomes, the numbers, and their limits."""

from collections.abc import Sequence

from finetune.claims.aa_check import AACheck
from finetune.claims.fit_outcome import FitOutcome
from finetune.claims.fit_table import FIT_TABLE
from finetune.claims.fit_verdict import FitVerdict
from finetune.claims.metric_comparison import LEVELS, MetricComparison
from finetune.claims.phrases import outcome
from finetune.claims.verdict import Verdict
from finetune.claims.words import evidence, holm_sentence, plan_sentence
from finetune.report.markdown import (
    NONE,
    bullets,
    number,
    paragraphs,
    percent,
    plain,
    table,
)
from finetune.report.sections.base import ReportContext, ReportSection
from finetune.report.sections.objections import other_objections
from finetune.report.sections.stopping import stopping
from finetune.report.words import metric_label
from finetune.stats.power import DetectableEffect

_FOUND, _POSSIBLE = "&#10148;", "?"


def verdicts(context: ReportContext) -> str:
    """Show what each verdict rests on; a study without a claim has none."""
    found, power = context.analysis.verdicts, context.analysis.claim_power
    shown = [_verdict(one, power) for one in found]
    if len(found) > 1:
        shown = [f"### {plain(one.name)}\n\n{text}" for one, text in zip(found, shown, strict=True)]
    return paragraphs(
        *shown,
        context.embed("verdict"),
        stopping(context.analysis),
        plain(holm_sentence(found)),
        other_objections(context.analysis),
    )


def _verdict(found: Verdict, power: DetectableEffect | None) -> str:
    return paragraphs(
        f"**The rule**, set before anything ran: {plain(found.rule)}",
        f"**What decided:** {plain(found.reason)}.",
        _fit(found, power) if isinstance(found, FitVerdict) else _metric(found),
    )


def _fit(found: FitVerdict, power: DetectableEffect | None) -> str:
    fits = [fit for fit in (found.primary, found.secondary) if fit]
    planned = plan_sentence(power) if power else ""
    return paragraphs(
        *(_outcomes(fit) for fit in fits),
        _numbers(_sides(fits), what="Treatment minus control"),
        _intervals_note(found),
        bullets(*map(plain, (*evidence(found), planned))),
        _same_again(found.same_again) if found.same_again else "",
    )


def _metric(found: Verdict) -> str:
    return paragraphs(
        _numbers(found.comparisons, what="Treatment minus control"),
        bullets(*map(plain, evidence(found))),
    )


def _sides(fits: Sequence[FitOutcome]) -> list[MetricComparison]:
    return [side for fit in fits for side in (fit.train, fit.test)]


def _outcomes(fit: FitOutcome) -> str:
    """Show the nine outcomes, and mark the one that the data establish or those they leave."""
    kind = fit.train.metric.removeprefix("train_")
    rows = [
        (f"**training {first}**", *(_outcome(fit, FIT_TABLE[first, test]) for test in LEVELS))
        for first in LEVELS
    ]
    heads = [f"By {kind}", *(f"test {level}" for level in LEVELS)]
    return paragraphs(table(rows, columns=heads, align="left"), _undetermined(fit, kind))


def _outcome(fit: FitOutcome, name: str) -> str:
    if name not in fit.cells:
        return name
    mark = _FOUND if len(fit.cells) == 1 else _POSSIBLE
    return f"**{mark} {name}**"


def _undetermined(fit: FitOutcome, kind: str) -> str:
    if len(fit.cells) == 1:
        return ""
    return (
        f"By {kind} the outcome is undetermined: the data leave {len(fit.cells)} of the nine "
        f"outcomes possible, those marked {_POSSIBLE}."
    )


def _numbers(sides: Sequence[MetricComparison], *, what: str) -> str:
    """Show each metric's difference with both of its intervals and the margin it is held to."""
    alpha = sides[0].difference.alpha
    columns = [
        what,
        "Margin",
        "Mean",
        f"{percent(1 - 2 * alpha)} interval",
        f"{percent(1 - alpha)} interval",
        "dz",
        "It is",
    ]
    return table([_row(side) for side in sides], columns=columns)


def _row(side: MetricComparison) -> tuple[str, ...]:
    found = side.difference
    return (
        metric_label(side.metric),
        f"± {side.margin:g}",
        number(found.mean),
        _interval(found.lower, found.upper),
        _interval(found.low, found.high),
        f"{found.dz:z.2f}",
        side.call,
    )


def _interval(low: float, high: float) -> str:
    return f"{number(low)} to {number(high)}" if abs(low) < float("inf") else NONE


def _intervals_note(verdict: Verdict) -> str:
    return (
        f"The ends of the narrower interval are the one-sided {percent(1 - verdict.level)} bounds: "
        "both beyond a margin support, and both within the margins show equality. Those of the "
        "wider one refute. dz is the mean in standard deviations of the paired differences."
    )


def _same_again(check: AACheck) -> str:
    fits = [fit for fit in (check.primary, check.secondary) if fit]
    result = "passes" if check.passed else "does not pass"
    return paragraphs(
        f"**The A/A check** compares the control with itself under another batch order at the same "
        f"{check.n} seeds. It {result}: by loss the outcome is {outcome(check.primary)}, and only "
        '"no effect" would show that the margins are wider than the noise.',
        _numbers(_sides(fits), what="Control again minus control"),
    )


VERDICT = ReportSection("How the verdict was reached", verdicts)
