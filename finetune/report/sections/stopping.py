"""How a study that trained until its claims were decided came to its end, and what it saved."""

from finetune.analysis.analysis import Analysis
from finetune.analysis.stopping import Stopping
from finetune.claims.verdict import Verdict
from finetune.report.markdown import number, p_value, paragraphs, percent, plain, table
from finetune.report.words import metric_label


def stopping(analysis: Analysis) -> str:
    """Show the looks of each claim, and what stopping did to means and seeds; "" without looks."""
    ended = analysis.stopping
    if not ended:
        return ""
    looked = [one for one in analysis.verdicts if one.looks]
    return paragraphs(
        _plan(analysis),
        table(
            [row for one in looked for row in _looks(one)],
            columns=["Claim", "Seeds", "Level", "p for it", "p against it", "Then"],
        ),
        "A study stops where the mean happens to lie far from the margin, so that on average the "
        "mean at its end lies too far. Corrected for that, were the differences normal:",
        table(
            [row for one in ended for row in _means(one)],
            columns=["Claim", "Metric", "Mean", "Corrected mean"],
        ),
        " ".join(dict.fromkeys(map(_saved, ended))),
    )


def _plan(analysis: Analysis) -> str:
    looks = analysis.spec.looks
    sizes = ", ".join(str(look.seeds) for look in looks)
    return (
        f"**Until decided.** The claims were to be judged at {sizes} seeds, each time at a share "
        "of alpha that was fixed before anything ran; the shares add up to 1, so that all looks "
        "together decide wrongly at most as often as alpha. p is each look's over its share, and "
        "decides below alpha. Intervals and p-values everywhere in this report are those of the "
        "last look."
    )


def _looks(verdict: Verdict) -> list[tuple[str, ...]]:
    return [
        (
            plain(verdict.name) if place == 0 else "",
            str(look.seeds),
            f"{look.level:.2g}",
            p_value(look.p_supported),
            p_value(look.p_refuted),
            look.verdict,
        )
        for place, look in enumerate(verdict.looks)
    ]


def _means(ended: Stopping) -> list[tuple[str, ...]]:
    return [
        (plain(ended.claim), metric_label(one.metric), number(one.mean), number(one.corrected))
        for one in ended.means
    ]


def _saved(ended: Stopping) -> str:
    if ended.fixed_seeds is None:
        return ""
    which = f"{plain(ended.claim)}: {ended.seeds} of at most {ended.most} seeds"
    told = f"{ended.saved} fewer" if ended.saved >= 0 else f"{-ended.saved} more"
    return (
        f"{which}, {told} than a study with one look that finds as surely ({percent(ended.power)}) "
        f"what these looks find, {ended.detected:.2g} standard deviations from the margin."
    )
