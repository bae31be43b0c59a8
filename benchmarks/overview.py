"""The overview of all reports in a folder: what the suite as a whole finds, claim by claim."""

from collections import Counter
from collections.abc import Hashable, Iterable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pandas as pd

from benchmarks.verdicts import read_map, read_verdicts, split_early
from finetune.claims.phrases import metric_name
from finetune.report.markdown import Section, join_sections, number, paragraphs, plain, table

_TITLE = "What the suite finds"
_EARLY = ("study", "verdict", "outcome", "seeds", "training loss", "test loss", "on accuracy")
_OTHERS = ("study", "claim", "kind", "verdict", "outcome", "seeds", "difference", "margin")


def overview(folder: Path, *, studies: Iterable[str]) -> str:
    """Return the Markdown that stands over a folder of reports: the verdicts of these studies."""
    verdicts = read_verdicts(folder, studies)
    early, others = split_early(verdicts)
    return join_sections(
        _TITLE,
        opening=_opening(early, others, read_map(folder)),
        sections=[
            Section("Reduction from epoch 0 against delayed reduction", _early(early)),
            Section("Every other claim", _others(others)),
            Section("Besides", _besides(folder)),
        ],
    )


def _opening(verdicts: pd.DataFrame, others: pd.DataFrame, settings: pd.DataFrame | None) -> str:
    claim = (
        'The claim under test: *"reducing the learning rate from the start causes underfitting."* '
        "Its studies compare reduction from epoch 0 with reduction that starts later, pair by pair "
        "over many seeds."
    )
    if verdicts.empty:
        return paragraphs(claim, "No study of it has run yet.", _count_others(others))
    # A study that compares the same runs once more, as a sweep does, is no further evidence.
    distinct = verdicts.sort_values(["n", "study"]).drop_duplicates("pair", keep="last")
    return paragraphs(
        claim,
        f"**{_counts(distinct)}**",
        _repeated(verdicts, distinct),
        _trade(distinct),
        _map(settings),
        _count_others(others),
        _forest(),
        _limits(),
    )


def _counts(verdicts: pd.DataFrame) -> str:
    return f"Over {len(verdicts)} studies the claim is {_each(verdicts)}."


def _count_others(verdicts: pd.DataFrame) -> str:
    if verdicts.empty:
        return ""
    count = f"{len(verdicts)} other claim{'' if len(verdicts) == 1 else 's'}"
    return f"Of {count}, told in a table below, the answer is: {_each(verdicts)}."


def _each(verdicts: pd.DataFrame) -> str:
    """Return in how many rows each answer stands, the most frequent first."""
    counts = Counter(verdicts["verdict"])
    return ", ".join(f"{verdict} in {count}" for verdict, count in counts.most_common())


def _repeated(verdicts: pd.DataFrame, distinct: pd.DataFrame) -> str:
    counted = set(distinct["study"])
    names = [plain(name) for name in verdicts["study"] if name not in counted]
    if not names:
        return ""
    return f"Not counted, since they compare runs of another study once more: {', '.join(names)}."


def _trade(verdicts: pd.DataFrame) -> str:
    """Count how the two losses go together over the studies, by their intervals."""
    fits_less = _count(verdicts["train_low"] > 0)
    better, worse = _count(verdicts["test_high"] < 0), _count(verdicts["test_low"] > 0)
    both = _count((verdicts["train_low"] > 0) & (verdicts["test_high"] < 0))
    return (
        f"Reduction from epoch 0 fits the training set less in {fits_less} of {len(verdicts)} "
        f"(95 % intervals beyond 0). On the test set it ends better in {better} and worse in "
        f"{worse}; in {both} it does both, fits less and tests better, which is less overfitting "
        "and not underfitting."
    )


def _count(mask: Any) -> int:
    return list(mask).count(True)


def _map(settings: pd.DataFrame | None) -> str:
    if settings is None:
        return ""
    counts = Counter(settings["verdict"])
    patient = settings.loc[settings["verdict"] == "supported", "patience"]
    where = f", all at a patience of at most {max(patient)}" if len(patient) else ""
    return (
        f"Over the grid of factor, patience and delay on the founding data "
        f"([claim map](claim-map/report.md)) it is supported in {counts['supported']} of "
        f"{len(settings)} settings{where}, and refuted in {counts['refuted']}."
    )


def _forest() -> str:
    return paragraphs(
        "![A row a study: its differences in training and test loss](figures/forest.svg)",
        "Reduction from epoch 0 minus delayed reduction, mean over seeds with 95 % t intervals, in "
        "units of each study's own margin, so that studies with different losses share an axis "
        "(linear within the grey band of one margin, logarithmic beyond). The claim needs both "
        "panels to the right of the band.",
    )


def _limits() -> str:
    return (
        "The studies are not pooled into one number: most share the founding data or its "
        "generator, so they are not independent, and they were chosen, not drawn."
    )


def _early(verdicts: pd.DataFrame) -> str:
    if verdicts.empty:
        return ""
    rows = [_early_row(row) for row in verdicts.to_dict("records")]
    return paragraphs(
        "Differences in the study's own loss; higher is worse.",
        table(rows, columns=_EARLY, align="left"),
    )


def _early_row(row: Mapping[Hashable, Any]) -> list[str]:
    return [
        _link(row["study"]),
        f"**{row['verdict']}**",
        plain(row["label"]),
        str(row["n"]),
        *(_interval(compared) for compared in row["comparisons"]),
        plain(row["accuracy"]),
    ]


def _others(verdicts: pd.DataFrame) -> str:
    if verdicts.empty:
        return ""
    rows = [_other_row(row) for row in verdicts.to_dict("records")]
    return paragraphs(
        "Differences are treatment minus control in the metric's own unit.",
        table(rows, columns=_OTHERS, align="left"),
    )


def _other_row(row: Mapping[Hashable, Any]) -> list[str]:
    compared = row["comparisons"]
    differences = [f"{metric_name(one['metric'])} {_interval(one)}" for one in compared]
    return [
        _link(row["study"]),
        plain(row["claim"]),
        plain(row["kind"]),
        f"**{row['verdict']}**",
        plain(row["label"]),
        str(row["n"]),
        "<br>".join(map(plain, differences)),
        "<br>".join(number(one["margin"]) for one in compared),
    ]


def _link(study: str) -> str:
    return f"[{plain(study)}]({quote(study)}/report.md)"


def _interval(compared: Mapping[str, Any]) -> str:
    mean, low, high = (number(compared[name]) for name in ("difference", "low", "high"))
    return f"{mean} [{low}, {high}]"


def _besides(folder: Path) -> str:
    return "\n".join(
        f"- {_link(path.parent.name)}"
        for path in sorted(folder.glob("*/report.md"))
        if not (path.parent / "verdict.json").exists()
    )
