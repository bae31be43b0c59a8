"""Render a claim map: where the claim holds, and where it turns."""

from collections import Counter
from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from finetune.report.csv import csv_files
from finetune.report.figures.base import figure_files
from finetune.report.figures.claim_map import MARKS
from finetune.report.figures.registry import MAP_FIGURES
from finetune.report.html.page import write_page
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
from finetune.report.sections.provenance import PROVENANCE, provenance
from finetune.report.sections.reproduction import REPRODUCTION, reproduction
from finetune.spec.study import StudySpec
from finetune.store.atomic import write_whole
from finetune.store.manifest import Manifest

_COLUMNS = (
    "factor",
    "patience",
    "delay",
    "training loss",
    "test loss",
    "LR changed first",
    "outcome",
    "verdict",
)


def write_map_report(
    out: Path, *, spec: StudySpec, table: pd.DataFrame, manifest: Manifest
) -> Path:
    """Write the files of `render_map` and its page into the folder `out`; return the report's path.

    Raises:
        StoreError: a file cannot be written.
    """
    files = render_map(spec, table, manifest)
    write_page(out, files["report.md"].decode(), drawn=files)
    for name, content in files.items():
        write_whole(out / name, content)
    return out / "report.md"


def render_map(spec: StudySpec, settings: pd.DataFrame, manifest: Manifest) -> dict[str, bytes]:
    """Return the files of a claim map by their path in its folder; the report comes last.

    Args:
        spec: The study with its claim.
        settings: A row a setting, with its factor, patience and delay, and the columns of
            `claims.grid.claim_map`.
        manifest: Where the numbers come from.
    """
    figures = [figure for figure in MAP_FIGURES if figure.applies(settings)]
    shown = [figure.embed(settings, number=n) for n, figure in enumerate(figures, start=1)]
    sections = [
        Section("The map", paragraphs(*shown)),
        Section("Every setting", _settings(settings)),
        Section("How it was reached", _method(spec)),
        Section(REPRODUCTION.title, reproduction(manifest)),
        Section(PROVENANCE.title, provenance(manifest)),
    ]
    text = join_sections(
        f"Claim map: {plain(spec.name)}", opening=_opening(settings), sections=sections
    )
    files = csv_files({"claim_map": settings}) | figure_files(figures, settings)
    return files | {"report.md": text.encode()}


def _opening(settings: pd.DataFrame) -> str:
    counts = Counter(settings["verdict"])
    found = ", ".join(f"{verdict} in {counts[verdict]}" for verdict in MARKS if counts[verdict])
    return paragraphs(
        f"**That reduction from the start underfits is {found} of {len(settings)} settings.**",
        _supported(settings.loc[settings["verdict"] == "supported", :]),
        _refuted(settings.loc[settings["verdict"] == "refuted", :]),
    )


def _supported(settings: pd.DataFrame) -> str:
    """Name the settings in which the claim holds, those of one patience and delay together."""
    if settings.empty:
        return "It is supported in none."
    together: Any = settings.groupby(["patience", "delay"])["factor"]
    groups = [
        f"patience {patience} against a delay of {delay} epochs (factors "
        f"{', '.join(f'{factor:g}' for factor in factors)})"
        for (patience, delay), factors in together
    ]
    return f"It is supported at {'; '.join(groups)}."


def _refuted(settings: pd.DataFrame) -> str:
    """Name the outcome that is most frequent where the claim is refuted, if it is anywhere."""
    if settings.empty:
        return ""
    ((label, count),) = Counter(settings["label"]).most_common(1)
    return f"Where it is refuted the outcome is most often {quoted(label)} ({count} settings)."


def _settings(settings: pd.DataFrame) -> str:
    excluded = sum(settings["excluded"])
    rows = [_row(row) for row in settings.to_dict("records")]
    return paragraphs(
        'Differences with 95 % intervals, each for itself; "LR changed first" is the share '
        "of seeds in which the reduction from epoch 0 changed the LR before the delayed one did.",
        f"Seeds with a failed run were left out: {excluded} over all settings." if excluded else "",
        folded("Table of all settings", table(rows, columns=_COLUMNS)),
    )


def _row(setting: Mapping[Hashable, Any]) -> list[str]:
    return [
        f"{setting['factor']:g}",
        str(setting["patience"]),
        str(setting["delay"]),
        _difference(setting, "train_loss"),
        _difference(setting, "test_loss"),
        f"{setting['tested_share']:.0%}",
        plain(setting["label"]),
        setting["verdict"],
    ]


def _difference(setting: Mapping[Hashable, Any], metric: str) -> str:
    return estimate(*(setting[f"{metric}_{end}"] for end in ("difference", "low", "high")))


def _method(spec: StudySpec) -> str:
    claim = spec.underfits
    assert claim is not None
    margins = claim.margins
    return bullets(
        f"{spec.map.seeds} seeds; all arms of a seed share initial weights, batch order and data.",
        f"Margins: training loss {margins.train_loss:g}, test loss {margins.test_loss:g}; alpha "
        f"{claim.alpha:g}. Supported: both losses are worse by more than their margin. "
        "Refuted: either is shown not to be.",
        "Being supported or refuted is a discovery; among all discoveries on the map the false "
        f"ones are expected to be at most {claim.alpha:.0%} (Benjamini and Yekutieli, since "
        "settings share seeds and trajectories). The outcome is what each setting's own intervals "
        "show, without that correction.",
        "Not tested: in fewer than 80 % of seeds did the reduction from epoch 0 change the LR "
        "before the delayed one did, so that both arms were the same for too many.",
        "Seeds on one data set speak about training randomness, not about other data sets.",
    )
