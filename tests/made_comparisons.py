"""Made-up runs with a known truth."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from finetune.claims.registry import judge_claim
from finetune.spec.study import StudySpec

TREATMENT = "from epoch 0"
CONTROL = "delayed"
BARE = "no callbacks"

MakeRuns = Callable[..., pd.DataFrame]


def judge(runs: pd.DataFrame, spec: StudySpec, **options: Any) -> Any:
    """Judge the first claim of a study."""
    return judge_claim(runs, spec.claims[0], spec, **options)


def make_spec() -> StudySpec:
    """Make a study of three variants, the delay ends at epoch 20, margins 0.01 and 0.005."""
    return StudySpec.model_validate(
        {
            "name": "made-up",
            "data": {"source": "make_classification"},
            "variants": (
                {"name": BARE},
                {"name": TREATMENT, "reduce_lr": {}},
                {"name": CONTROL, "reduce_lr": {"start_from_epoch": 20}},
            ),
            "claims": ({"kind": "underfits", "treatment": TREATMENT, "control": CONTROL},),
        }
    )


def make_runs(
    shifts: Mapping[str, Mapping[str, float]] | None = None,
    *,
    n: int = 40,
    noise: float = 0.001,
    cut: float = 5,
    control_cut: float = np.nan,
    seed: int = 0,
    accuracy: bool = True,
) -> pd.DataFrame:
    """Make runs of three variants in which each metric differs from the control's by a shift.

    `shifts[variant][metric]` is the mean difference from the control, `noise` the standard
    deviation of every run around it, and `cut` the epoch of the treatment's first LR cut (NaN:
    none), `control_cut` that of the control's.
    """
    rng = np.random.default_rng(seed)
    base = {"train_loss": 0.2, "test_loss": 0.3, "train_accuracy": 0.9, "test_accuracy": 0.85}
    common = {metric: rng.normal(value, 0.02, n) for metric, value in base.items()}
    tables = []
    for variant in (BARE, TREATMENT, CONTROL):
        moved = (shifts or {}).get(variant, {})
        table = pd.DataFrame({"variant": variant, "seed": np.arange(n), "status": "ok"})
        for metric, values in common.items():
            table[metric] = values + moved.get(metric, 0.0) + rng.normal(0, noise, n)
        first = {TREATMENT: cut, CONTROL: control_cut}.get(variant, np.nan)
        table["first_reduction_epoch"] = pd.array([first] * n, dtype="Float64").astype("Int64")
        tables.append(table)
    runs = pd.concat(tables, ignore_index=True)
    if not accuracy:
        runs[["train_accuracy", "test_accuracy"]] = np.nan
    return runs
