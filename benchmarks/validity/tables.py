"""The tables of the report, as Markdown; rates in percent, with one standard error."""

from statistics import median

import pandas as pd

from benchmarks.validity import many_looks, one_look, plans
from benchmarks.validity.cases import ALPHA
from benchmarks.validity.mean_tests import OURS, STUDENT
from benchmarks.validity.measured import BESIDE, DECIDING
from benchmarks.validity.sources import FAR, NORMAL
from benchmarks.validity.summary import (
    DECISIONS,
    Row,
    decisions,
    grouped,
    without_rare_outliers,
    worst,
)
from finetune.report.markdown import NONE, number, percent, plain, table
from finetune.stats.paired import FEW_SEEDS


def one_look_table(rates: pd.DataFrame) -> str:
    """Return the worst rate of each family at each number of seeds, Student's in brackets."""
    found = worst(decisions(rates), ["family", "seeds", "test"])
    rows = [
        [
            family,
            *(_beside(found[family, n, OURS], found[family, n, STUDENT]) for n in one_look.SIZES),
        ]
        for family in dict.fromkeys(rates["family"])
    ]
    return table(rows, columns=["differences", *_seeds_heads()])


def every_one_look(rates: pd.DataFrame) -> str:
    """Return every row at one look: falsely supported / falsely refuted, by our test."""
    rows = []
    ours = rates.loc[rates["test"] == OURS]
    for (name, claim), some in grouped(ours, ["differences", "claim"]).items():
        few = next(row["exploratory"] for row in some if row["seeds"] == FEW_SEEDS)
        rows.append([plain(name), plain(claim), *map(_both, some), _percent(few)])
    columns = ["differences", "claim", *_seeds_heads(), f"too few distinct at {FEW_SEEDS}"]
    return table(rows, columns=columns)


def power_table(power: pd.DataFrame) -> str:
    """Return the power at one look beside Student's, and what it lost."""
    rows = [
        [
            f"{row['seeds']:.0f}",
            f"{row['true']:g}",
            _percent(row["ours"]),
            _percent(row["student"]),
            f"{100 * (row['ours'] - row['student']):+.1f}",
        ]
        for row in power.to_dict("records")
    ]
    return table(rows, columns=["seeds", "SD from the margin", "power", "Student's t", "points"])


def looks_table(rates: pd.DataFrame) -> str:
    """Return the worst rate of each family over all looks, of either decision."""
    found = worst(decisions(_chosen(rates)), ["family", "decision"])
    rows = []
    for family in dict.fromkeys(rates["family"]):
        either = [found[family, decision] for decision in DECISIONS]
        most = max(either, key=lambda row: row["rate"])
        where = f"{most['differences']}; {most['claim']}"
        rows.append([family, *map(rate, either), plain(where)])
    return table(rows, columns=["differences", *_FALSELY, "the worst"])


def every_look(rates: pd.DataFrame) -> str:
    """Return every row over all looks."""
    rows = [
        [plain(name), plain(claim), *map(rate, some)]
        for (name, claim), some in grouped(
            decisions(_chosen(rates)), ["differences", "claim"]
        ).items()
    ]
    return table(rows, columns=["differences", "claim", *_FALSELY])


def stopping_table(stopping: pd.DataFrame, bias: pd.DataFrame) -> str:
    """Return seeds, power and bias until decided, of normal differences."""
    normal = (stopping["differences"] == NORMAL.name) & (stopping["true"] > 0)
    rows = [
        [
            f"{row['true']:g}",
            f"{row['seeds']:.0f}",
            _percent(row["power"]),
            _percent(row["fixed_power"]),
            number(row["power"] / row["fixed_power"]),
            f"{row['bias']:+.4f} ± {row['bias_error']:.4f}",
            f"{row['corrected_bias']:+.4f} ± {row['corrected_error']:.4f}",
        ]
        for row in stopping.loc[normal].merge(bias, on="true").to_dict("records")
    ]
    columns = [
        "SD from the margin", "seeds on average", "power", f"of {plans.RANGE.to} fixed", "ratio",
        "bias of the mean, SD", "of the corrected mean, SD",
    ]  # fmt: skip
    return table(rows, columns=columns)


def stopping_families(stopping: pd.DataFrame) -> str:
    """Return seeds and power until decided of each family: the median row and the worst."""
    rows = []
    either_side = stopping.assign(true=abs(stopping["true"]))
    for (family, dz), some in grouped(either_side, ["family", "true"]).items():
        if dz not in many_looks.EFFECTS:
            continue
        seeds, power = ([row[name] for row in some] for name in ("seeds", "power"))
        rows.append(
            [
                family,
                f"{dz:g}",
                f"{median(seeds):.0f} ({min(seeds):.0f} to {max(seeds):.0f})",
                f"{_percent(median(power))} (from {_percent(min(power))})",
                number(min(row["power"] / row["fixed_power"] for row in some)),
            ]
        )
    columns = ["differences", "SD from the margin", "seeds on average", "power", "least ratio"]
    return table(rows, columns=columns)


def by_hand_table(by_hand: pd.DataFrame) -> str:
    """Return how often a study is decided wrongly that is looked at again and again."""
    rows = []
    rates = decisions(by_hand.loc[by_hand["how"] == "by hand"])
    for (name, sizes), some in grouped(rates, ["differences", "sizes"]).items():
        # Rates are those by each look; the last has all.
        last = {(row["test"], row["decision"]): row for row in some}
        each = [rate(last[test, decision]) for test in (OURS, STUDENT) for decision in DECISIONS]
        rows.append([plain(name), sizes.replace(" ", ", "), *each])
    students = [f"{decision}, Student's t" for decision in DECISIONS]
    return table(rows, columns=["differences", "seeds at each look", *_FALSELY, *students])


def spendings_table(rates: pd.DataFrame, spendings: pd.DataFrame) -> str:
    """Return what each way to spend alpha reaches, a row each."""
    counted = decisions(without_rare_outliers(rates))
    measured, far = counted["family"].isin([DECIDING, BESIDE]), counted["share_far"] > 0
    some = [counted.loc[which] for which in (~measured, measured & ~far, measured & far)]
    found = [worst(one, ["spending"]) for one in some]
    rows = [
        [
            row["spending"],
            *(rate(one[row["spending"],]) if one else NONE for one in found),
            *(f"{row[f'seeds_{dz:g}']:.0f}" for dz in (0.3, 0.5, 1.0)),
            _percent(row["power_0.2"]),
        ]
        for row in spendings.to_dict("records")
    ]
    columns = [
        "alpha spent", "worst, made-up", "measured", f"measured, some beyond {FAR:g} SD",
        "seeds at 0.3 SD", "0.5 SD", "1 SD", "power at 0.2 SD",
    ]  # fmt: skip
    return table(rows, columns=columns)


def outliers_table(one: pd.DataFrame, looks: pd.DataFrame) -> str:
    """Return the worst rate of each source of differences: at one look, and over all."""
    fixed = worst(decisions(one.loc[one["test"] == OURS]), ["differences", "seeds"])
    many = worst(decisions(_chosen(looks)), ["differences"])
    sizes = [n for n in one_look.SIZES if n >= FEW_SEEDS]
    rows = [
        [
            plain(row["differences"]),
            "yes" if row["family"] == DECIDING else "no",
            f"{row['farthest']:.1f}",
            percent(row["share_far"]),
            *(rate(fixed[row["differences"], n]) for n in sizes),
            rate(row),
        ]
        for row in sorted(many.values(), key=lambda row: -row["rate"])
    ]
    columns = ["differences", "decides", "farthest, SD", f"beyond {FAR:g} SD"]
    return table(rows, columns=[*columns, *map(str, sizes), "all looks"])


def rate(row: Row) -> str:
    """Return a rate with its simulation error, in bold above alpha."""
    return f"**{plain_rate(row)}**" if row["rate"] > ALPHA else plain_rate(row)


def plain_rate(row: Row) -> str:
    """Return a rate with its simulation error."""
    return f"{100 * row['rate']:.1f} ± {100 * row['error']:.1f}"


_FALSELY = [f"falsely {decision}" for decision in DECISIONS]


def _chosen(rates: pd.DataFrame) -> pd.DataFrame:
    return rates.loc[rates["spending"] == plans.CHOSEN]


def _both(row: Row) -> str:
    return " / ".join(f"{100 * row[decision]:.1f}" for decision in DECISIONS)


def _beside(ours: Row, student: Row) -> str:
    return f"{rate(ours)} ({100 * student['rate']:.1f})"


def _seeds_heads() -> list[str]:
    return [f"{n}, exploratory" if n < FEW_SEEDS else str(n) for n in one_look.SIZES]


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"
