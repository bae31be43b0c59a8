"""The report of a claim map: where the claim holds, and where it turns."""

from collections import Counter
from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from finetune.report.csv import csv_text
from finetune.report.figures.claim_map import MARKS, map_files
from finetune.report.markdown import (
    Section,
    bullets,
    estimate,
    folded,
    join_sections,
    paragraphs,
    plain,
    quoted,
    table,
)
from finetune.report.sections.closing import provenance_section, reproduction_section
from finetune.spec.study import StudySpec
from finetune.store.atomic import write_whole


def write_map_report(
    out: Path, *, spec: StudySpec, table: pd.DataFrame, manifest: Mapping[str, Any]
) -> Path:
    """Write `report.md`, `tables/claim_map.csv` and the figure into the folder `out`.

    Args:
        table: As `claim_map` gives it: a row a cell, with its factor, patience and delay.

    Raises:
        StoreError: a file cannot be written.
    """
    sections = [
        Section("The map", _map(table)),
        Section("Every cell", _cells(table)),
        Section("How it was reached", _method(spec, table)),
        reproduction_section(manifest),
        provenance_section(manifest),
    ]
    text = join_sections(
        f"Claim map: {plain(spec.name)}", opening=_answer(spec, table), sections=sections
    )
    csv = csv_text(table)
    files = {f"figures/{name}": content for name, content in map_files(table).items()}
    for name, content in {"tables/claim_map.csv": csv.encode(), **files}.items():
        write_whole(out / name, content)
    write_whole(out / "report.md", text.encode())
    return out / "report.md"


def _answer(spec: StudySpec, table: pd.DataFrame) -> str:
    counts = Counter(table["verdict"])
    told = ", ".join(f"{verdict} in {counts[verdict]}" for verdict in MARKS if counts[verdict])
    return paragraphs(
        f"**That reduction from the start underfits is {told} of {len(table)} settings.**",
        *_supported(table),
        *_refuted(table),
    )


def _supported(table: pd.DataFrame) -> list[str]:
    """Name the settings in which the claim holds, those of one patience and delay together."""
    cells = table.loc[table["verdict"] == "supported", :]
    if cells.empty:
        return ["It is supported in none."]
    groups = [
        f"patience {patience} against a delay of {delay} epochs (factors "
        f"{', '.join(f'{factor:g}' for factor in factors)})"
        for (patience, delay), factors in cells.groupby(["patience", "delay"])["factor"]
    ]
    return [f"It is supported at {'; '.join(groups)}."]


def _refuted(table: pd.DataFrame) -> list[str]:
    outcomes = Counter(table.loc[table["verdict"] == "refuted", "label"]).most_common(1)
    return [
        f"Where it is refuted the outcome is most often {quoted(label)} ({count} settings)."
        for label, count in outcomes
    ]


def _map(table: pd.DataFrame) -> str:
    marks = ", ".join(f"{mark} {verdict}" for verdict, mark in MARKS.items())
    return paragraphs(
        "![Differences over factor and patience, a panel for each delay](figures/claim_map.svg)",
        "**Figure 1.** Reduction from epoch 0 minus delayed reduction with the same factor and "
        "patience, mean over seeds; red is worse for the reduction from epoch 0. The mark is the "
        f"verdict of the setting, on both losses: {marks}.",
    )


def _cells(cells: pd.DataFrame) -> str:
    rows = [
        [
            f"{row['factor']:g}",
            str(row["patience"]),
            str(row["delay"]),
            _difference(row, "train_loss"),
            _difference(row, "test_loss"),
            f"{row['cut_share']:.0%}",
            plain(row["label"]),
            row["verdict"],
        ]
        for row in cells.to_dict("records")
    ]
    columns = [
        "factor", "patience", "delay", "training loss", "test loss", "cut in time", "outcome",
        "verdict",
    ]  # fmt: skip
    excluded = sum(cells["excluded"])
    return paragraphs(
        'Differences with 95 % t intervals, each for itself; "cut in time" is the share of seeds '
        "in which the reduction from epoch 0 cut the LR before the delay ended.",
        f"Seeds with a failed run were left out: {excluded} over all settings." if excluded else "",
        folded("Table of all settings", table(rows, columns=columns)),
    )


def _difference(row: Mapping[Hashable, Any], metric: str) -> str:
    return estimate(*(row[f"{metric}_{part}"] for part in ("difference", "low", "high")))


def _method(spec: StudySpec, cells: pd.DataFrame) -> str:
    assert spec.claim is not None
    margins = spec.claim.margins
    return bullets(
        f"{spec.map.seeds} seeds; all arms of a seed share initial weights, batch order and data.",
        f"Margins: training loss {margins.train_loss:g}, test loss {margins.test_loss:g}; alpha "
        f"{spec.claim.alpha:g}. Supported: both losses are worse by more than their margin. "
        "Refuted: either is shown not to be.",
        "Being supported or refuted is a discovery; among all discoveries on the map the false "
        f"ones are expected to be at most {spec.claim.alpha:.0%} (Benjamini and Yekutieli, since "
        "settings share seeds and trajectories). The outcome is what each setting's own intervals "
        "say, without that correction.",
        "Not tested: in fewer than 80 % of seeds did the reduction from epoch 0 cut before the "
        "delay ended, so that both arms were the same for too many.",
        "Seeds on one data set speak about training randomness, not about other data sets.",
    )
