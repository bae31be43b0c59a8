"""What speaks against relying on the verdicts: the gravest on the first screen, others below."""

from finetune.analysis.analysis import Analysis
from finetune.analysis.looks import FurtherLooks
from finetune.analysis.runs import finished
from finetune.claims.family import decided_by_chance
from finetune.claims.words import holm_sentence, objections
from finetune.report.constant_words import no_better_sentence
from finetune.report.markdown import bullets, paragraphs, percent, plain, quoted

# More of them than this nobody reads before the figures.
_ON_FIRST_SCREEN = 3


def gravest_objections(analysis: Analysis) -> str:
    """Return the objections for the first screen, as one list."""
    first = _objections(analysis)[:_ON_FIRST_SCREEN]
    return paragraphs("**But:**", bullets(*first)) if first else ""


def other_objections(analysis: Analysis) -> str:
    """Return those that the first screen has no room for."""
    others = _objections(analysis)[_ON_FIRST_SCREEN:]
    return paragraphs("**What else speaks against it:**", bullets(*others)) if others else ""


def _objections(analysis: Analysis) -> list[str]:
    """Return all objections as Markdown, the gravest first."""
    hanging = decided_by_chance(analysis.verdicts)
    named = len(analysis.verdicts) > 1
    found = [
        _failures(analysis),
        *map(_further_look, analysis.further_looks),
        plain(no_better_sentence(analysis.no_better)) if analysis.no_better else "",
        plain(holm_sentence(analysis.verdicts)) if hanging else "",
        *(
            f"{quoted(verdict.name)}: {plain(text)}" if named else plain(text)
            for verdict in analysis.verdicts
            for text in objections(verdict)
        ),
    ]
    return [text for text in found if text]


def _failures(analysis: Analysis) -> str:
    failed = len(analysis.runs) - len(finished(analysis.runs))
    if not failed:
        return ""
    count = len(analysis.runs)
    return f"**{failed} of {count} runs failed.** They are in no mean and are listed below."


def _further_look(found: FurtherLooks) -> str:
    before = ", ".join(f"{one.seeds} ({one.verdict})" for one in found.earlier)
    return (
        f"This is look {found.count} at the seeds of the claim {quoted(found.claim)}: it was "
        f"judged before at {before}. So many looks together decide wrongly in about "
        f"{percent(found.error_rate)} of studies whose mean lies at its margin"
        f"{_beyond(found)}."
    )


def _beyond(found: FurtherLooks) -> str:
    if found.error_rate <= found.alpha:
        return f", which is within the {percent(found.alpha)} of the claim"
    return f", not in {percent(found.alpha)}; `finetune run --until-decided` keeps to that"
