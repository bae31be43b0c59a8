"""The verdicts of all studies in a folder of reports, as one table."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd

SIDES = {"train": "training loss", "test": "test loss"}


def read_verdicts(folder: Path) -> pd.DataFrame:
    """Give a row a study that has a verdict, by name.

    Columns: study, verdict, label, n (seeds), accuracy (the verdict by accuracy, or why there is
    none), and for train and test the `difference`, `low`, `high` and `margin` with the side before
    them, in the units of the study's loss.
    """
    return pd.DataFrame(_rows(folder))


def read_map(folder: Path) -> pd.DataFrame | None:
    """Give the cells of the claim map of that folder of reports, if there is one."""
    path = folder / "claim-map" / "tables" / "claim_map.csv"
    return pd.read_csv(path) if path.exists() else None


def _rows(folder: Path) -> Iterator[dict[str, Any]]:
    for path in sorted(folder.glob("*/verdict.json")):
        verdict: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        by_accuracy = verdict["secondary"]
        row = {
            "study": path.parent.name,
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
