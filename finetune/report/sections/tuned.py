"""Tuning: what each arm reached at its best setting, and what that is worth on fresh seeds."""

import math
from collections.abc import Iterable
from typing import Literal

import pandas as pd

from finetune.analysis.tuned import IMPORTANCE_TRIALS, OBJECTIVES, MeanEstimate, Tuned, TunedArm
from finetune.report.markdown import (
    NONE,
    Section,
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
from finetune.report.sections.comparisons import SHOWN, compact_table, full_table
from finetune.report.sections.comparisons import TITLE as COMPARISON
from finetune.report.sections.tuned_findings import findings, random_search

TITLE = "Tuned fairly: each arm at its best setting"

# A winner this near to the end of its range, as a share of the range, lies at its edge.
_EDGE = 0.02
_LOWEST_POSSIBLE = {"patience": 1, "start_from_epoch": 0}


def tuned_section(tuned: Tuned) -> Section:
    """Show what tuning found for each arm, what it is worth on fresh seeds, and how it went.

    Losses are means over seeds; optimism is that on fresh seeds minus that of the search.
    """
    return Section(
        TITLE,
        paragraphs(
            findings(tuned),
            f"**On the claim:** {plain(tuned.conclusion)}",
            _method(tuned),
            _arms(tuned.arms),
            _optimism(tuned),
            _edges(tuned),
            _budgets(tuned),
            *_contrasts(tuned),
            *random_search(tuned),
            *_way(tuned),
            folded("The search in detail", _details(tuned)),
        ),
    )


def edge(name: str, value: float, *, low: float, high: float) -> Literal["low", "high"] | None:
    """Say at which end of its range [low, high] a parameter lies, if within 2 % of either.

    The factor is measured on a logarithmic scale; a range of a single value has no ends.
    """
    if low == high:
        return None
    scale = math.log if name == "factor" else float
    share = (scale(value) - scale(low)) / (scale(high) - scale(low))
    return "low" if share <= _EDGE else "high" if share >= 1 - _EDGE else None


def _method(tuned: Tuned) -> str:
    own = any(arm.untuned for arm in tuned.arms)
    return (
        f"Each arm of the claim was searched on its own with the same budget: {tuned.trials} "
        f"trials, each judged by its {OBJECTIVES[tuned.objective]}, mean over {tuned.seeds} seeds. "
        f"The two winners{', and the settings of the study itself,' if own else ''} were then "
        f"trained at {tuned.confirmation_seeds} fresh seeds that no trial had used. The test set "
        "never steered the search."
    )


def _arms(arms: Iterable[TunedArm]) -> str:
    rows = [
        (
            *(plain(arm.name), _setting(arm), number(arm.searched, digits=4)),
            *(_estimate(arm.fresh), f"{arm.fresh.mean - arm.searched:+z.2g}"),
            _estimate(arm.untuned_fresh),
        )
        for arm in arms
    ]
    columns = ["Arm", "Setting found", "In the search", "Fresh seeds [95 % interval]", "Optimism"]
    return table(rows, columns=[*columns, "Not tuned, fresh seeds"])


def _setting(arm: TunedArm) -> str:
    return ", ".join(f"{plain(name)} {_value(name, value)}" for name, value in arm.setting.items())


def _value(name: str, value: float) -> str:
    return number(value) if name == "factor" else f"{value:g}"


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
    found = [
        _edge_of(arm, name, value, *tuned.ranges[name])
        for arm in tuned.arms
        for name, value in arm.setting.items()
        if name in tuned.ranges
    ]
    told = bullets(*found)
    if not told:
        return "No winner lies at the edge of a range that it was searched in."
    return paragraphs("**At the edge of its range:**", told)


def _edge_of(arm: TunedArm, name: str, value: float, low: float, high: float) -> str:
    end = edge(name, value, low=low, high=high)
    if end is None:
        return ""
    outside = (
        "and nothing lower is possible"
        if value == _LOWEST_POSSIBLE.get(name)
        else "so the optimum may lie outside"
    )
    return (
        f"{quoted(arm.name)}: {plain(name)} {_value(name, value)} is at the {end} end of "
        f"{_span(name, low, high)}, {outside}."
    )


def _budgets(tuned: Tuned) -> str:
    """Say what made the budgets unequal: trials that are missing, or failed."""
    told = [
        f"{arm.trials} of {tuned.trials} trials of {quoted(arm.name)} were finished, and "
        f"{arm.failed} of these failed"
        for arm in tuned.arms
        if arm.failed or arm.trials < tuned.trials
    ]
    if not told:
        return ""
    return f"**Not every trial counts:** {'; '.join(told)}. A failed trial cannot win."


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


def _way(tuned: Tuned) -> list[str]:
    """Show where the search went, and what it found, in figures."""
    words = OBJECTIVES[tuned.objective]
    return [
        "### Where the search went",
        _figure("heat_map", "Objective over factor and patience, a panel for each arm")
        + f"**Factor and patience.** Mean {words} of the trials in a cell, with their number in "
        "brackets; darker is worse, and the darkest colour also stands for all that is worse "
        "still. Cells without a trial are blank; the frame holds the winning trial, whose cell "
        "need not have the best mean. All delays are taken together.",
        _figure("history", "Objective of every trial in the order of the search")
        + f"**History.** A dot is a trial, the black line the best {words} so far. Triangles at "
        "the top are trials above the axis; below each panel stands how many."
        + (" Thin grey lines: the best so far of each random search." if tuned.baseline else ""),
        *_importances(tuned),
        _figure("learning_rates", "Learning rate over the epochs, a line for each variant")
        + "**What the winners do.** The learning rate in use at the fresh seeds: median over "
        "seeds, with the band from the lower to the upper quartile.",
    ]


def _figure(name: str, alternative: str) -> str:
    return f"![{alternative}](figures/search_{name}.svg)\n\n"


def _importances(tuned: Tuned) -> list[str]:
    if not tuned.importances:
        fewest = min(arm.trials for arm in tuned.arms)
        few = f", and the shorter search here has {fewest}" if fewest < IMPORTANCE_TRIALS else ""
        return [
            "**Importances** of the parameters are not shown: PED-ANOVA is estimated from "
            f"{IMPORTANCE_TRIALS} trials an arm on{few}."
        ]
    found = pd.DataFrame(list(tuned.importances))
    return [
        _figure("importances", "Importance of each parameter, a bar for each arm")
        + "**Importances** (PED-ANOVA): how far each parameter by itself tells the best trials "
        "from the others; it does not say in which direction.",
        bullets(*(_ranked(arm.name, found) for arm in tuned.arms)),
    ]


def _ranked(arm: str, found: pd.DataFrame) -> str:
    own = found.loc[found["arm"] == arm].sort_values("importance", ascending=False, kind="stable")
    said = [
        f"{plain(row['parameter'])} {number(row['importance'], digits=2)}"
        for row in own.to_dict("records")
    ]
    return f"{quoted(arm)}: {', '.join(said)}." if said else ""


def _details(tuned: Tuned) -> str:
    ranges = (f"{plain(name)} {_span(name, *ends)}" for name, ends in tuned.ranges.items())
    return paragraphs(
        bullets(
            f"**Budget of each arm:** {tuned.trials} trials, {tuned.seeds} seeds each, at most "
            f"{tuned.epochs} epochs; trials asked at once: {tuned.batch}.",
            f"**Minimised:** {OBJECTIVES[tuned.objective]}, mean over the search's seeds.",
            f"**Sampler:** {plain(tuned.sampler)}.",
            f"**Ranges:** {'; '.join(ranges)}.",
            *(_winner(arm) for arm in tuned.arms),
            "" if tuned.baseline else "**Random search** at the same budget was not run.",
            f"**Search:** {code(tuned.search)}, on the problem {code(tuned.problem)}.",
        ),
        "Every trial is in `tables/trials.csv`. To browse them with optuna-dashboard:",
        code_block(tuned.dashboard, language="sh"),
    )


def _span(name: str, low: float, high: float) -> str:
    return f"{_value(name, low)} to {_value(name, high)}"


def _winner(arm: TunedArm) -> str:
    own = f"; the study's own variant is {quoted(arm.untuned)}" if arm.untuned else ""
    failed = f"of {arm.trials} trials {arm.failed} failed"
    return f"**{quoted(arm.name)}:** trial {arm.winner} won; {failed}{own}."
