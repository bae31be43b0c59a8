"""The verdicts of all studies in a folder of reports, as one table."""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from finetune.engines.registry import engine_for
from finetune.store.manifest import read_manifest

SIDES = {"train": "training loss", "test": "test loss"}


def read_verdicts(folder: Path, names: Iterable[str]) -> pd.DataFrame:
    """Read the verdicts of these studies, a row for each one that has a verdict, by name.

    Columns: study, pair (the recipes of its two variants, the same whatever they are called),
    verdict, label, n (seeds), accuracy (the verdict by accuracy, or "not measured"), and for train
    and test the `difference`, `low`, `high` and `margin` with the side before them, in the units
    of the study's loss.

    Raises:
        StoreError: a study's manifest cannot be read.
    """
    return pd.DataFrame(_rows(folder, set(names)))


def read_map(folder: Path) -> pd.DataFrame | None:
    """Read the settings of the claim map in a folder of reports; None where there is no map."""
    path = folder / "claim-map" / "tables" / "claim_map.csv"
    return pd.read_csv(path) if path.exists() else None


def _rows(folder: Path, names: set[str]) -> Iterator[dict[str, Any]]:
    # A user's own reports may lie in the same folder; they do not belong to the suite.
    for path in sorted(folder.glob("*/verdict.json")):
        if path.parent.name in names:
            yield _row(path.parent, json.loads(path.read_text(encoding="utf-8")))


def _row(folder: Path, verdict: dict[str, Any]) -> dict[str, Any]:
    by_accuracy = verdict["secondary"]
    row = {
        "study": folder.name,
        "pair": _pair(folder, verdict),
        **{key: verdict[key] for key in ("verdict", "label", "n")},
        "accuracy": f"{by_accuracy['verdict']} ({by_accuracy['label']})"
        if by_accuracy
        else "not measured",
    }
    for side in SIDES:
        outcome = verdict["primary"][side]
        interval = outcome["difference"]
        row |= {f"{side}_{bound}": interval[bound] for bound in ("low", "high")}
        row |= {f"{side}_difference": interval["mean"], f"{side}_margin": outcome["margin"]}
    return row


def _pair(folder: Path, verdict: dict[str, Any]) -> str:
    """Return the recipes of the two variants: studies that share them share the runs of a seed."""
    manifest = read_manifest(folder)
    spec, engine = manifest.spec, manifest.engine
    pair = (spec.variant(verdict[role]) for role in ("treatment", "control"))
    return " ".join(spec.recipe(v, engine_for(v, spec, engine).name) for v in pair)
