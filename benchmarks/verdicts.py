"""The verdicts of all studies in a folder of reports, as one table."""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from finetune.spec.study import StudySpec

SIDES = {"train": "training loss", "test": "test loss"}


def read_verdicts(folder: Path, names: Iterable[str]) -> pd.DataFrame:
    """Give a row for each of these studies that has a verdict in the folder, by name.

    Columns: study, runs (what its two variants are, whatever they are called), verdict, label, n
    (seeds), accuracy (the verdict by accuracy, or why there is none), and for train and test the
    `difference`, `low`, `high` and `margin` with the side before them, in the units of the study's
    loss.
    """
    return pd.DataFrame(_rows(folder, set(names)))


def read_map(folder: Path) -> pd.DataFrame | None:
    """Give the cells of the claim map of that folder of reports, if there is one."""
    path = folder / "claim-map" / "tables" / "claim_map.csv"
    return pd.read_csv(path) if path.exists() else None


def _rows(folder: Path, names: set[str]) -> Iterator[dict[str, Any]]:
    # Reports of a user's own may lie in the same folder; they are no part of the suite.
    for path in sorted(folder.glob("*/verdict.json")):
        if path.parent.name not in names:
            continue
        verdict: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        by_accuracy = verdict["secondary"]
        row = {
            "study": path.parent.name,
            "runs": _compared(path.parent, verdict),
            "verdict": verdict["verdict"],
            "label": verdict["label"],
            "n": verdict["n"],
            "accuracy": f"{by_accuracy['verdict']} ({by_accuracy['label']})"
            if by_accuracy
            else "not measured",
        }
        for side in SIDES:
            found = verdict["primary"][side]
            row |= {f"{side}_{part}": found["difference"][part] for part in ("low", "high")}
            row[f"{side}_difference"] = found["difference"]["mean"]
            row[f"{side}_margin"] = found["margin"]
        yield row


def _compared(folder: Path, verdict: dict[str, Any]) -> str:
    """Give the recipes of the two variants: studies that share them share the runs of a seed."""
    about = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    spec = StudySpec.model_validate_json(json.dumps(about["spec"]))
    pair = (spec.variant(verdict[role]) for role in ("treatment", "control"))
    return " ".join(spec.recipe(variant, about["engine"]) for variant in pair)
