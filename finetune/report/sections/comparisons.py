"""All variants compared: each contrast with its size first, then its tests, then ranks."""

from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

from finetune.analysis.analysis import Analysis
from finetune.claims.words import metric_name
from finetune.report.markdown import (
    NONE,
    bullets,
    estimate,
    folded,
    number,
    p_value,
    paragraphs,
    percent,
    plain,
    table,
)
from finetune.report.sections.base import ReportContext, ReportSection
from finetune.report.words import metric_label
from finetune.stats.paired import FEW_DISTINCT, FEW_SEEDS
from finetune.stats.ranks import Ranking

TITLE = "All variants compared"
SHOWN = ("test_loss", "train_loss")
_TESTS = {"p": "t test", "p_wilcoxon": "Wilcoxon", "p_sign_flip": "sign-flip"}
_FULL_COLUMNS = (
    "Metric",
    "First - second",
    "Pairs",
    "Left out",
    "Difference",
    "SD",
    "dz",
    "p, t",
    "p, Holm",
    "p, Wilcoxon",
    "p, sign-flip",
    "Better, worse, tied",
    "Better in",
    "Margin",
    "p, equal",
)


def comparisons(context: ReportContext) -> str:
    """Compare the variants pair by pair; with a single variant there is nothing to compare."""
    analysis = context.analysis
    if analysis.contrasts.empty:
        return ""
    return paragraphs(
        _exploratory(analysis),
        _introduction(analysis),
        *(compact_table(analysis.contrasts, metric) for metric in SHOWN),
        _sensitivity(analysis),
        folded("All metrics and tests", full_table(analysis.contrasts)),
        *_ranks(context),
    )


def _exploratory(analysis: Analysis) -> str:
    few = list(analysis.contrasts["exploratory"])
    if not any(few):
        return ""
    which = "All of this" if all(few) else "What is marked so"
    return (
        f"**Exploratory.** {which} rests on fewer than {FEW_SEEDS} seeds, or fewer than "
        f"{FEW_DISTINCT} of its differences are other than the most common one: a direction to "
        "look in, not evidence."
    )


def _introduction(analysis: Analysis) -> str:
    level = percent(1 - analysis.level)
    return (
        f"Differences are first minus second at the same seed, with {level} intervals. dz is "
        "their mean in standard deviations of the differences. Intervals and p are of the paired "
        "t test, corrected for skewness (Hall 1992); p is with "
        "Holm's correction over the contrasts of a metric. *Better in* is the share of seeds in "
        "which the first variant is better, ties apart, with its exact interval. *Equal* means "
        "shown to lie within the margin, by two one-sided tests."
    )


def compact_table(contrasts: pd.DataFrame, metric: str) -> str:
    """Return a row a contrast in one metric: size, tests and equality; `contrasts` is `compare`'s.

    Raises:
        IndexError: no contrast is in that metric.
    """
    rows = contrasts.loc[contrasts["metric"] == metric]
    margin = rows["margin"].iloc[0]
    columns = [
        f"{metric_label(metric)}: first - second",
        "Difference",
        "dz",
        "p (Holm)",
        "Better in",
    ]
    return table(
        [_compact_row(row) for row in rows.to_dict("records")],
        columns=[*columns, f"Equal (± {margin:g})"],
    )


def _compact_row(row: Mapping[str, Any]) -> tuple[str, ...]:
    return (
        _contrast(row) + (" (exploratory)" if row["exploratory"] else ""),
        _difference(row),
        f"{row['dz']:z.2f}",
        p_value(row["p_holm"]),
        _wins(row),
        "yes" if row["equal"] else "not shown",
    )


def _contrast(row: Mapping[str, Any]) -> str:
    return f"{plain(row['treatment'])} - {plain(row['control'])}"


def _difference(row: Mapping[str, Any]) -> str:
    if row["n"] and row["ties"] == row["n"]:
        return f"0 (all {row['n']} pairs equal)"
    return estimate(row["difference"], row["low"], row["high"])


def _wins(row: Mapping[str, Any]) -> str:
    """Return the win rate over the seeds that are not ties, and how many are."""
    if not row["wins"] + row["losses"]:
        return NONE
    low, high = (f"{100 * row[end]:.0f}" for end in ("win_low", "win_high"))
    ties = f", {row['ties']} tied" if row["ties"] else ""
    return f"{100 * row['win_rate']:.0f} % [{low}, {high}]{ties}"


def _sensitivity(analysis: Analysis) -> str:
    """List where tests that compare ranks and signs decide otherwise than the t test."""
    apart = analysis.disagreements
    count, level = len(analysis.contrasts), f"{analysis.alpha:g}"
    if apart.empty:
        return (
            f"**Sensitivity:** Wilcoxon's signed-rank test and a sign-flip permutation test fall "
            f"on the same side of {level} as the t test in all {count} comparisons "
            "(p-values as they are, without Holm's correction)."
        )
    found = [
        f"{metric_label(row['metric'])}, {_contrast(row)}: "
        + ", ".join(f"{name} {p_value(row[column])}" for column, name in _TESTS.items())
        for row in apart.to_dict("records")
    ]
    return paragraphs(
        f"**Sensitivity:** in {len(apart)} of {count} comparisons Wilcoxon's signed-rank test or a "
        f"sign-flip permutation test falls on the other side of {level} than the t test "
        "(p-values as they are, without Holm's correction), so do not lean on these:",
        bullets(*found),
    )


def full_table(contrasts: pd.DataFrame) -> str:
    """Return all that `compare` found, a row a metric and contrast."""
    rows = [_full_row(row) for row in contrasts.to_dict("records")]
    return table(rows, columns=_FULL_COLUMNS)


def _full_row(row: Mapping[str, Any]) -> tuple[str, ...]:
    return (
        metric_label(row["metric"]),
        _contrast(row),
        str(row["n"]),
        str(row["excluded"]),
        _difference(row),
        number(row["sd"]),
        f"{row['dz']:z.2f}",
        p_value(row["p"]),
        p_value(row["p_holm"]),
        p_value(row["p_wilcoxon"]),
        p_value(row["p_sign_flip"]),
        f"{row['wins']}, {row['losses']}, {row['ties']}",
        _wins(row),
        f"{row['margin']:g}",
        p_value(row["p_equal"]),
    )


def _ranks(context: ReportContext) -> list[str]:
    """Show average ranks, as a description; the caution stands in the figure's caption."""
    analysis = context.analysis
    if len(analysis.variants) < 3 or not analysis.rankings:
        return []
    rows = [
        (plain(name), *(f"{ranking.average[name]:.2f}" for ranking in analysis.rankings))
        for name in analysis.variants
    ]
    columns = [f"Rank in {metric_name(ranking.metric)}" for ranking in analysis.rankings]
    return [
        table(rows, columns=["Variant", *columns]),
        f"Average ranks within seeds, 1 is best. Friedman's test, as a description: "
        f"{_friedman(analysis.rankings)}. It asks whether any variant differs at all.",
        context.embed("comparisons"),
    ]


def _friedman(rankings: Iterable[Ranking]) -> str:
    return "; ".join(
        f"{metric_name(ranking.metric)} {NONE}"
        if ranking.friedman is None or ranking.p_friedman is None
        else f"{metric_name(ranking.metric)} chi-squared {ranking.friedman:.3g}, p "
        f"{p_value(ranking.p_friedman)}"
        for ranking in rankings
    )


COMPARISONS = ReportSection(TITLE, comparisons)
