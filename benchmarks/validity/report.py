"""The report on error rates, `report.md`, and the numbers behind it."""

from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

import pandas as pd

from benchmarks.validity import plans, tables
from benchmarks.validity.cases import ALPHA
from benchmarks.validity.figure import figure_files
from benchmarks.validity.mean_tests import OURS, STUDENT
from benchmarks.validity.measurements import Extent, Measurements
from benchmarks.validity.sources import FAR
from benchmarks.validity.summary import (
    Row,
    decisions,
    grouped,
    simulation_error,
    with_rare_outliers,
    without_rare_outliers,
    worst,
    worst_of,
)
from finetune.report.markdown import (
    Section,
    bullets,
    code_block,
    folded,
    join_sections,
    paragraphs,
    percent,
    plain,
)
from finetune.stats.paired import FEW_DISTINCT, FEW_SEEDS
from finetune.store.atomic import write_whole
from finetune.store.machine import machine
from finetune.store.versions import versions

# What one look may err above alpha where differences are skewed.
_ALLOWANCE = 0.01
# Of the fixed design's power, what looking may leave of it.
_KEPT = 0.95
_LOOKS = f"{{ from = {plans.RANGE.first}, to = {plans.RANGE.to} }}"


def write_report(out: Path, measured: Measurements, extent: Extent) -> Path:
    """Write `report.md`, its tables and `figures/` into `out`; the report comes last."""
    files = {f"figures/{name}": image for name, image in figure_files(measured.by_hand).items()}
    for one in fields(measured):
        table = getattr(measured, one.name)
        text = table.to_csv(index=False, float_format="%.6g")
        files[f"tables/{one.name}.csv"] = text.encode()
    files["report.md"] = render(measured, extent).encode()
    for name, content in files.items():
        write_whole(out / name, content)
    return out / "report.md"


def render(measured: Measurements, extent: Extent) -> str:
    """Return the report as Markdown."""
    sections = [
        Section("One look", _one_look(measured)),
        Section(f"Until decided: seeds = {_LOOKS}", _until_decided(measured)),
        Section("Raising a fixed number of seeds by hand", _by_hand(measured)),
        Section("Other ways to spend alpha", _spendings(measured)),
        Section("What rare outliers do", _outliers(measured)),
        Section("What is counted", _counted(extent)),
        Section("Reproduce", code_block("python -m benchmarks.validity", language="sh")),
        Section("Machine and versions", _provenance()),
    ]
    return join_sections("Validity", opening=_opening(measured, extent), sections=sections)


def _opening(measured: Measurements, extent: Extent) -> str:
    one, looks = (without_rare_outliers(of) for of in (measured.one_look, measured.looks))
    with_error = ALPHA + 2 * simulation_error(extent.studies)
    told = f"alpha = {ALPHA:g} plus twice the simulation error"
    student = worst_of(_relied_on(one, STUDENT))
    return paragraphs(
        _verdict(f"Over all looks of seeds = {_LOOKS}", _over_looks(looks), with_error, told),
        _verdict(
            f"At one look at {FEW_SEEDS} seeds or more",
            _relied_on(one),
            ALPHA + _ALLOWANCE,
            f"alpha + {_ALLOWANCE:g}",
        ),
        f"At one look Student's t test is wrong in up to {percent(student['rate'])} of the same "
        "studies. Differences with rare outliers are told [apart](#what-rare-outliers-do).",
        "A distribution is one of paired differences. In every row the truth lies exactly at a "
        'claim\'s margin, so that every verdict but "inconclusive" is false. Rates are in percent '
        "of the studies drawn, with one standard error of the simulation, bold above alpha; the "
        "worst of many rows lies above its own true rate by chance. Every number stands in "
        "`tables/*.csv`.",
    )


def _verdict(where: str, rows: Sequence[Row], most: float, told: str) -> str:
    """Say whether false rates are kept, and name all distributions where they are not."""
    over = [row for row in rows if row["rate"] > most]
    names = dict.fromkeys(row["differences"] for row in over)
    within = [row for row in rows if row["differences"] not in names]
    kinds = {row["differences"] for row in rows}
    kept = f"with {len(kinds) - len(names)} of {len(kinds)}" if over else f"with all {len(kinds)}"
    missed = [_told(worst_of([row for row in over if row["differences"] == one])) for one in names]
    return paragraphs(
        f"**{where} no false rate is above {told} {kept} distributions without rare "
        f"outliers**; the worst of these is {_told(worst_of(within))}.",
        f"Above it: {'; '.join(missed)}." if over else "",
    )


def _told(row: Row) -> str:
    at = f" at {row['seeds']} seeds" if "seeds" in row else ""
    far = ""
    if row["share_far"]:
        far = f"; {percent(row['share_far'])} of these lie further than {FAR:g} SD from the mean"
    return (
        f"{tables.plain_rate(row)} % ({plain(row['differences'])}: falsely "
        f"{row['decision']}{at}{far})"
    )


def _one_look(measured: Measurements) -> str:
    rates = without_rare_outliers(measured.one_look)
    return paragraphs(
        "The worst row of each kind of differences, of all claims and both decisions, in percent; "
        "in brackets the worst of Student's t. Below "
        f"{FEW_SEEDS} seeds every verdict is exploratory. From there on a verdict is where fewer "
        f"than {FEW_DISTINCT} differences are other than the most common one; such are not "
        "counted, and `one_look.csv` has the rates with them (`any_supported`, `any_refuted`).",
        tables.one_look_table(rates),
        "What it costs, on normal differences:",
        tables.power_table(measured.power),
        folded(
            "All rows: falsely supported / falsely refuted, percent",
            tables.every_one_look(rates),
        ),
    )


def _until_decided(measured: Measurements) -> str:
    rates = without_rare_outliers(measured.looks)
    sizes = ", ".join(map(str, plans.SIZES))
    return paragraphs(
        f"Looks at {sizes} seeds; half of alpha is spread evenly over them and half goes with the "
        "square of the seeds. A study ends at the first look that decides it. The worst row of "
        "each kind of differences, in percent:",
        tables.looks_table(rates),
        "Seeds and power on normal differences, and the bias of the mean at the end, which lies "
        "too far from the margin on average, before and after `without_bias`:",
        tables.stopping_table(measured.stopping, measured.bias),
        _kept_power(measured.stopping),
        "The same of all differences, those with rare outliers too, on either side of the margin:",
        tables.stopping_families(measured.stopping),
        folded("All rows over all looks, percent", tables.every_look(rates)),
    )


def _kept_power(stopping: pd.DataFrame) -> str:
    """Say where looking leaves less of the fixed design's power than it may."""
    rows = stopping.assign(true=abs(stopping["true"]))
    rows = rows.assign(rate=1 - rows["power"] / rows["fixed_power"])
    least = worst(rows, ["differences", "true"])
    lost = [
        f"{percent(1 - row['rate'])} at {row['true']:g} SD ({plain(row['differences'])})"
        for row in least.values()
        if row["rate"] > 1 - _KEPT
    ]
    return (
        f"At least {percent(_KEPT)} of the power of {plans.RANGE.to} fixed seeds is kept in "
        f"{len(least) - len(lost)} of {len(least)} rows. Less is kept of it in the others: "
        f"{'; '.join(lost) or 'none'}."
    )


def _by_hand(measured: Measurements) -> str:
    return paragraphs(
        "![False decisions over the number of looks](figures/looks.svg)",
        "Who judges, adds seeds and judges again, each time as if it were the only look, is wrong "
        "far more often than alpha, by either test. Counted is the claim to underfit with one "
        "metric at its margin (supported at alpha, refuted at half of it); percent of studies "
        "decided falsely at any look.",
        tables.by_hand_table(measured.by_hand),
    )


def _spendings(measured: Measurements) -> str:
    return paragraphs(
        "The same looks with other shares of alpha: the worst rate of all distributions without "
        "rare outliers, in percent; seeds and power on normal differences.",
        tables.spendings_table(measured.looks, measured.spendings),
        "Exact boundaries use up what Bonferroni leaves, and so have no reserve where differences "
        "are not normal.",
    )


def _outliers(measured: Measurements) -> str:
    one, looks = with_rare_outliers(measured.one_look), with_rare_outliers(measured.looks)
    if one.empty:
        return "No study has measured any."
    fixed, many = _relied_on(one), _over_looks(looks)
    over = {row["differences"] for row in fixed if row["rate"] > ALPHA + _ALLOWANCE}
    return paragraphs(
        f"Of the measured differences these have a rare outlier: some lie further than {FAR:g} "
        "standard deviations from the mean, and fewer than 1 in 20 do. The worst of both "
        "decisions, percent:",
        tables.outliers_table(one, looks),
        f"{len(over)} of {one['differences'].nunique()} are wrong at one look more often than "
        f"alpha + {_ALLOWANCE:g}, the worst in {percent(worst_of(fixed)['rate'])}; over all looks "
        f"the worst is {percent(worst_of(many)['rate'])}.",
        "A sample without the outlier cannot know of it, nor of the mean that it makes: where one "
        "difference in forty is an outlier, three in five samples of 20 hold none, and more than "
        "one in three of 40. No test of the sample alone can tell, and shares of alpha do not "
        "help, since the first look has too few seeds to see it. Only more seeds from the first "
        "look on help.",
    )


def _counted(extent: Extent) -> str:
    return bullets(
        f"{extent.studies:,} studies a row, alpha {ALPHA:g}. All tests of a row see the same "
        "studies.",
        "**Claims**: better, not worse and equivalent with the metric at the margin, the margins "
        "wide; equivalent with margins of a hundredth of a standard deviation, where both ends can "
        "refute; underfits with one metric at its margin and the other far beyond, and with both "
        "at their margins. Nowhere else is a false decision more frequent.",
        "**Made-up differences**: normal, exponential, lognormal (sigma 1); tied (five values; "
        "counts); mostly equal (three of four are the same). Skewed ones with either sign.",
        "**Measured differences**: the pairs of each claim of the suite, centred so that the mean "
        "lies at the margin, drawn with replacement and judged by the claim's kind; for a claim to "
        "underfit each loss and both together, pair by pair. Beside those that decide a claim, the "
        "other losses and accuracies of the same pairs. Claims that were not tested, metrics that "
        "never differ, and pairs that another study has too are left out.",
    )


def _relied_on(rates: pd.DataFrame, test: str = OURS) -> list[Row]:
    """Return the rates at one look of so many seeds that verdicts are not exploratory."""
    counted = (rates["test"] == test) & (rates["seeds"] >= FEW_SEEDS)
    return _rows(decisions(rates.loc[counted]))


def _over_looks(rates: pd.DataFrame) -> list[Row]:
    return _rows(decisions(rates.loc[rates["spending"] == plans.CHOSEN]))


def _rows(table: pd.DataFrame) -> list[Row]:
    return [row for some in grouped(table, ["differences"]).values() for row in some]


def _provenance() -> str:
    values: dict[str, Any] = {**machine(), **versions()}
    return ", ".join(f"{plain(key)} {plain(value)}" for key, value in values.items())
