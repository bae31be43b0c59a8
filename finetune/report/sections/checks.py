"""The checks beside the study's own runs: how large each is, and what was left out."""

from collections.abc import Mapping

from finetune.planning.check_sizes import CheckSize
from finetune.report.markdown import code, number, paragraphs, table
from finetune.report.sections.base import ReportContext, ReportSection

# What each check does, and what it needs of a study.
_CHECKS: Mapping[str, tuple[str, str]] = {
    "parity": (
        "Parity: some variants again by `keras.Model.fit`",
        "it trains all variants anyway",
    ),
    "same_again": (
        "A/A check: the first claim's control again in another batch order",
        "there is no claim, or the order of rows does not vary",
    ),
    "probe": (
        "Probe: the first claim's treatment going on at its own LR and at the base LR",
        "there is no claim, or its treatment does not reduce the LR to the last epoch",
    ),
    "variance": (
        "Variance: one source of randomness at a time",
        "only one source varies, which is the study itself",
    ),
}


def checks(context: ReportContext) -> str:
    """Show how large each check is; empty where `keras.Model.fit` trained all of the study."""
    sizes = context.analysis.check_sizes
    if not sizes:
        return ""
    spec = context.analysis.spec
    own, beside = len(spec.variants) * context.analysis.n_seeds, sum(size.n_runs for size in sizes)
    rows = [
        (_CHECKS[size.name][0], str(size.seeds), str(size.n_runs), _outcome(size)) for size in sizes
    ]
    return paragraphs(
        f"Beside its own {own} runs the study has {beside} for checks. Those for which "
        f"{code('[checks]')} has a number of seeds stay as they are; the others are shortened or "
        "left out, the last ones first, as long as all together would take more than half as many "
        "runs as the study itself.",
        table(rows, columns=["Check", "Seeds", "Runs", "That is"], align="left"),
    )


def _outcome(size: CheckSize) -> str:
    if size.wanted is False:
        return f"not wanted: {code(f'checks.{size.name} = false')}"
    if not size.whole_runs:
        return f"left out: {_CHECKS[size.name][1]}"
    if size.wanted is not True:
        return "as the study asks"
    if not size.n_runs:
        return f"**left out** for the limit, of {number(size.whole_runs)} runs"
    if size.n_runs < size.whole_runs:
        return f"**shortened** to the limit, from {number(size.whole_runs)} runs"
    return "whole"


CHECKS = ReportSection("Checks", checks)
