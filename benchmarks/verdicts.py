"""The verdicts on all claims of the studies in a folder of reports, as one table."""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from finetune.claims.tested import differ_in_lr_policies_alone
from finetune.engines.registry import engine_for
from finetune.spec.study import StudySpec
from finetune.store.manifest import Manifest, read_manifest

SIDES = {"train": "training loss", "test": "test loss"}
_NUMBERS = ("difference", "low", "high", "margin")
_COLUMNS = (
    *("study", "claim", "kind", "early", "pair", "verdict", "label", "n", "accuracy"),
    "comparisons",
    *(f"{side}_{number}" for side in SIDES for number in _NUMBERS),
)

# Earlier versions judged one claim a study, always of this kind.
_ONE_CLAIM = {"name": "underfits", "kind": "underfits"}


def read_verdicts(folder: Path, names: Iterable[str]) -> pd.DataFrame:
    """Read the verdicts of these studies, a row for each claim, by study and in the study's order.

    Columns: study, claim (its name), kind, early (whether it says that reduction from epoch 0
    underfits against reduction that starts later), pair (the recipes of its two variants, the same
    whatever they are called), verdict, label, n (seeds), accuracy (the verdict by accuracy, or
    "not measured"), and `comparisons`: each a metric with its `difference`, `low`, `high` and
    `margin`. A claim about the fit has these of train and test too, each a column with the side
    before it, in the units of the study's loss.

    Raises:
        StoreError: a study's manifest cannot be read.
    """
    return pd.DataFrame(list(_rows(folder, set(names))), columns=_COLUMNS)


def split_early(verdicts: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Split the verdicts into those on early reduction and all others."""
    early = verdicts["early"].astype(bool)
    return verdicts.loc[early], verdicts.loc[~early]


def read_map(folder: Path) -> pd.DataFrame | None:
    """Read the settings of the claim map in a folder of reports; None where there is no map."""
    path = folder / "claim-map" / "tables" / "claim_map.csv"
    return pd.read_csv(path) if path.exists() else None


def _rows(folder: Path, names: set[str]) -> Iterator[dict[str, Any]]:
    # A user's own reports may lie in the same folder; they do not belong to the suite.
    for path in sorted(folder.glob("*/verdict.json")):
        if path.parent.name in names:
            verdicts = json.loads(path.read_text(encoding="utf-8"))
            manifest = read_manifest(path.parent)
            for claim in verdicts.get("claims", [_ONE_CLAIM | verdicts]):
                yield {"study": path.parent.name} | _row(claim, manifest)


def _row(claim: dict[str, Any], manifest: Manifest) -> dict[str, Any]:
    about_fit = claim["kind"] == "underfits"
    sides = {side: _bounds(claim["primary"][side]) for side in SIDES} if about_fit else {}
    metrics = [claim["primary"][side] for side in SIDES] if about_fit else [claim["comparison"]]
    return {
        "claim": claim["name"],
        "early": about_fit and _is_early(manifest.spec, claim),
        "pair": _pair(manifest, claim),
        **{key: claim[key] for key in ("kind", "verdict", "label", "n")},
        "accuracy": _by_accuracy(claim.get("secondary")),
        "comparisons": [{"metric": one["metric"], **_bounds(one)} for one in metrics],
        **{f"{side}_{key}": value for side, of in sides.items() for key, value in of.items()},
    }


def _bounds(compared: dict[str, Any]) -> dict[str, float]:
    found = compared["difference"]
    values = (found["mean"], found["low"], found["high"], compared["margin"])
    # A number that is not finite is null in JSON.
    finite = (float("nan") if value is None else value for value in values)
    return dict(zip(_NUMBERS, finite, strict=True))


def _by_accuracy(outcome: dict[str, Any] | None) -> str:
    return f"{outcome['verdict']} ({outcome['label']})" if outcome else "not measured"


def _is_early(spec: StudySpec, claim: dict[str, Any]) -> bool:
    """Return whether two variants reduce the LR from epoch 0 and later, and differ in no more."""
    names = claim["treatment"], claim["control"]
    first, later = (spec.variant(name).reduce_lr for name in names)
    if not first or not later or not differ_in_lr_policies_alone(spec, *names):
        return False
    return first.start_from_epoch == 0 < later.start_from_epoch


def _pair(manifest: Manifest, claim: dict[str, Any]) -> str:
    """Return the recipes of the two variants: studies that share them share the runs of a seed."""
    spec, engine = manifest.spec, manifest.engine
    pair = (spec.variant(claim[role]) for role in ("treatment", "control"))
    return " ".join(spec.recipe(v, engine_for(v, spec, engine).name) for v in pair)
