"""Tuning: what each arm reached at its best setting, and what that is worth on fresh seeds."""

from collections.abc import Iterable

import pandas as pd

from finetune.analysis.tuned import IMPORTANCE_TRIALS, OBJECTIVES, MeanEstimate, Tuned, TunedArm
from finetune.analysis.tuned_findings import Edge, edges
from finetune.report.markdown import (
    NONE,
    bullets,
    code,
    code_block,
    estimate,
    folded,
    number,
    paragraphs,
    plain,
    quoted,
    table,
)
from finetune.report.sections.base import ReportContext, ReportSection
from finetune.report.sections.comparisons import SHOWN, compact_table, full_table
from finetune.report.sections.comparisons import TITLE as COMPARISON
from finetune.report.sections.tuned_findings import findings, random_search
from finetune.report.setting_words import dimension_words, setting_words, value_words


def tuned(context: ReportContext) -> str:
    """Show what tuning found for each arm, what it is worth on fresh seeds, and how it went.

    Losses are means over seeds; optimism is that on fresh seeds minus that of the search.
    """
    found = context.analysis.tuned
    if found is None:
        return ""
    return paragraphs(
        findings(found),
        f"**On the claim:** {plain(found.conclusion)}",
        _method(found),
        _arms(found.arms),
        _optimism(found),
        _edges(found),
        _budgets(found),
        *_contrasts(found),
        *random_search(found),
        *_figures(context, found),
        folded("The search in detail", _details(found)),
    )


def _method(tuned: Tuned) -> str:
    untuned = any(arm.untuned for arm in tuned.arms)
    return (
        f"Each arm of the claim was searched on its own with the same budget: {tuned.trials} "
        f"trials, each judged by its {OBJECTIVES[tuned.objective]}, mean over {tuned.seeds} seeds. "
        f"The two winners{', and the settings of the study itself,' if untuned else ''} were then "
        f"trained at {tuned.confirmation_seeds} fresh seeds that no trial had used. The test set "
        "never steered the search."
    )


def _arms(arms: Iterable[TunedArm]) -> str:
    rows = [
        (
            plain(arm.name),
            plain(setting_words(arm.setting)),
            number(arm.searched, digits=4),
            _estimate(arm.fresh),
            f"{arm.optimism:+z.2g}",
            _estimate(arm.untuned_fresh),
        )
        for arm in arms
    ]
    columns = ["Arm", "Setting found", "In the search", "Fresh seeds [95 % interval]", "Optimism"]
    return table(rows, columns=[*columns, "Not tuned, fresh seeds"])


def _estimate(found: MeanEstimate | None) -> str:
    return NONE if found is None else estimate(found.mean, found.low, found.high)


def _optimism(tuned: Tuned) -> str:
    rows = (
        "Fresh seeds draw other validation rows as well, so optimism covers the choice of rows."
        if {"split", "data"} & set(tuned.vary)
        else "All seeds share the validation rows, so optimism here is about the randomness of "
        "training; a setting that suits just these rows gives itself away only on the test set."
    )
    return (
        "Optimism is fresh minus searched: above 0 the search promised more than fresh seeds keep. "
        f'{rows} "Not tuned" is the study\'s own setting of the arm at the same fresh seeds.'
    )


def _edges(tuned: Tuned) -> str:
    found = bullets(*map(_edge, edges(tuned)))
    if not found:
        return "No winner lies at the edge of a range that it was searched in."
    return paragraphs("**At the edge of its range:**", found)


def _edge(edge: Edge) -> str:
    outside = "and nothing lower is possible" if edge.bounded else "so the optimum may lie outside"
    return (
        f"{quoted(edge.arm)}: {plain(edge.parameter)} {value_words(edge.value)} is at "
        f"the {edge.end} end of {dimension_words(edge.searched)}, {outside}."
    )


def _budgets(tuned: Tuned) -> str:
    """State what made the budgets unequal: trials that are missing, or failed."""
    unequal = [
        f"{arm.trials} of {tuned.trials} trials of {quoted(arm.name)} were finished, and "
        f"{arm.failed} of these failed"
        for arm in tuned.arms
        if arm.failed or arm.trials < tuned.trials
    ]
    if not unequal:
        return ""
    return f"**Not every trial counts:** {'; '.join(unequal)}. A failed trial cannot win."


def _contrasts(tuned: Tuned) -> list[str]:
    """Show the tuned arms against each other, with the tables of all other contrasts."""
    if not tuned.contrasts:
        return []
    contrasts = pd.DataFrame(list(tuned.contrasts))
    measured = set(contrasts["metric"])
    anchor = COMPARISON.lower().replace(" ", "-")
    return [
        "### The tuned arms against each other",
        f"At the {tuned.confirmation_seeds} fresh seeds; read the columns as those under "
        f"[{COMPARISON}](#{anchor}). Holm's correction is over the contrasts of this section.",
        *(compact_table(contrasts, metric) for metric in SHOWN if metric in measured),
        folded("All metrics and tests of the tuned arms", full_table(contrasts)),
    ]


def _figures(context: ReportContext, tuned: Tuned) -> list[str]:
    """Show where the search went, and what it found."""
    figures = [figure.embed(tuned) for figure in context.search_figures]
    return ["### Where the search went", *figures, _no_importances(tuned)]


def _no_importances(tuned: Tuned) -> str:
    """Explain why importances are not shown, if they are not."""
    if tuned.importances:
        return ""
    fewest = min(arm.trials for arm in tuned.arms)
    few = f", and the shorter search here has {fewest}" if fewest < IMPORTANCE_TRIALS else ""
    return (
        "**Importances** of the parameters are not shown: PED-ANOVA is estimated from "
        f"{IMPORTANCE_TRIALS} trials an arm on{few}."
    )


def _details(tuned: Tuned) -> str:
    space = (f"{path} {dimension_words(one)}" for path, one in tuned.space.items())
    return paragraphs(
        bullets(
            f"**Budget of each arm:** {tuned.trials} trials, {tuned.seeds} seeds each, at most "
            f"{tuned.epochs} epochs; trials proposed at once: {tuned.batch}.",
            f"**Minimised:** {OBJECTIVES[tuned.objective]}, mean over the search's seeds.",
            f"**Sampler:** {plain(tuned.sampler)}.",
            f"**Searched:** {plain('; '.join(space))}.",
            *(_winner(arm) for arm in tuned.arms),
            "" if tuned.baseline else "**Random search** at the same budget was not run.",
            f"**Search:** {code(tuned.search)}, on the problem {code(tuned.problem)}.",
        ),
        "Every trial is in `tables/trials.csv`. To browse them with optuna-dashboard:",
        code_block(tuned.dashboard, language="sh"),
    )


def _winner(arm: TunedArm) -> str:
    untuned = f"; the study's own variant is {quoted(arm.untuned)}" if arm.untuned else ""
    failed = f"of {arm.trials} trials {arm.failed} failed"
    return f"**{quoted(arm.name)}:** trial {arm.winner} won; {failed}{untuned}."


TUNED = ReportSection("Tuned fairly: each arm at its best setting", tuned)
