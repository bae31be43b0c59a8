"""How the verdict was reached: the rule, the table of outcomes, the numbers, and their limits."""

from finetune.analysis.comparisons import claim_plan
from finetune.analysis.tables import ReportTables
from finetune.claims.fit_table import FIT_TABLE, LEVELS, Axis
from finetune.claims.underfits import FitOutcome
from finetune.claims.verdict import SameAgain, Verdict
from finetune.claims.words import evidence, outcome, plan_sentence
from finetune.report.markdown import (
    NONE,
    Section,
    bullets,
    number,
    paragraphs,
    percent,
    plain,
    table,
)
from finetune.report.sections.results import LABELS
from finetune.spec.study import StudySpec

_FOUND, _POSSIBLE = "&#10148;", "?"


def verdict_section(tables: ReportTables, spec: StudySpec) -> Section:
    """Show what the verdict rests on; a study without a claim has none."""
    title, verdict = "How the verdict was reached", tables.verdict
    if verdict is None or spec.claim is None:
        return Section(title, "")
    judged = [judgement for judgement in (verdict.primary, verdict.secondary) if judgement]
    planned = plan_sentence(claim_plan(verdict, spec.seeds, spec.claim.margins))
    return Section(
        title,
        paragraphs(
            f"**The rule**, set before anything ran: {plain(verdict.rule)}",
            f"**What decided:** {plain(verdict.reason)}.",
            *(_cells(judgement) for judgement in judged),
            _numbers(judged, what="Treatment minus control", alpha=verdict.alpha),
            _intervals_note(verdict),
            bullets(*map(plain, (*evidence(verdict), planned))),
            _same_again(verdict.same_again, alpha=verdict.alpha) if verdict.same_again else "",
        ),
    )


def _cells(judgement: FitOutcome) -> str:
    """Show the nine outcomes, and mark the one that the data establish or those they leave."""
    kind = judgement.train.metric.removeprefix("train_")
    rows = [
        (f"**training {first}**", *(_cell(judgement, FIT_TABLE[first, test]) for test in LEVELS))
        for first in LEVELS
    ]
    heads = [f"By {kind}", *(f"test {level}" for level in LEVELS)]
    return paragraphs(table(rows, columns=heads, align="left"), _undetermined(judgement, kind))


def _cell(judgement: FitOutcome, name: str) -> str:
    if name not in judgement.cells:
        return name
    mark = _FOUND if len(judgement.cells) == 1 else _POSSIBLE
    return f"**{mark} {name}**"


def _undetermined(judgement: FitOutcome, kind: str) -> str:
    if len(judgement.cells) == 1:
        return ""
    return (
        f"By {kind} the outcome is undetermined: the data leave {len(judgement.cells)} of the nine "
        f"cells possible, those marked {_POSSIBLE}."
    )


def _numbers(judged: list[FitOutcome], *, what: str, alpha: float) -> str:
    """Show each metric's difference with both of its intervals and the margin it is held to."""
    sides = [side for judgement in judged for side in (judgement.train, judgement.test)]
    columns = [
        what,
        *("Margin", "Mean", f"{percent(1 - 2 * alpha)} interval", f"{percent(1 - alpha)} interval"),
        *("dz", "It is"),
    ]
    return table([_row(side) for side in sides], columns=columns)


def _row(side: Axis) -> tuple[str, ...]:
    found = side.difference
    return (
        LABELS[side.metric],
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
        f"The ends of the narrower interval are the one-sided {percent(1 - verdict.alpha)} bounds: "
        "both beyond a margin support, and both within the margins show equality. Those of the "
        "wider one refute. dz is the mean in standard deviations of the paired differences."
    )


def _same_again(check: SameAgain, *, alpha: float) -> str:
    judged = [judgement for judgement in (check.primary, check.secondary) if judgement]
    answer = "passes" if check.passed else "does not pass"
    return paragraphs(
        f"**The A/A check** compares the control with itself under another batch order at the same "
        f"{check.n} seeds. It {answer}: by loss the outcome is {outcome(check.primary)}, and only "
        '"no effect" would show that the margins are wider than the noise.',
        _numbers(judged, what="Control again minus control", alpha=alpha),
    )
