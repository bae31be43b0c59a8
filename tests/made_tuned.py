"""A search that was never run: what it found, and the tables behind it, made up."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from finetune.analysis.tuned import Tuned
from finetune.analysis.tuned_tables import TunedTables
from finetune.spec.claims import Margins
from finetune.spec.dimensions import RangeSpec
from finetune.stats.comparison import compare

START, DELAYED = "tuned reduction", "tuned delay"
UNTUNED = {START: "reduction", DELAYED: "delay"}
FACTOR, PATIENCE, DELAY = (f"reduce_lr.{key}" for key in ("factor", "patience", "start_from_epoch"))
PLANE = {
    FACTOR: RangeSpec(range=(0.05, 0.95), log=True),
    PATIENCE: RangeSpec(range=(1, 15)),
}
SPACE = {**PLANE, DELAY: RangeSpec(range=(1, 40))}
MARGINS = Margins(train_loss=0.01, test_loss=0.005, train_accuracy=0.01, test_accuracy=0.005)
NO_ROWS = pd.DataFrame()

# number, factor, patience, value; the last but one is terrible, the last failed.
TRIALS = [
    (0, 0.06, 1, 0.36),
    (1, 0.06, 3, 0.34),
    (2, 0.30, 5, 0.28),
    (3, 0.31, 6, 0.30),
    (4, 0.90, 15, 0.35),
    (5, 0.20, 9, 0.32),
    (6, 0.95, 14, 7.5),
    (7, 0.5, 2, np.nan),
]


def make_tuned(**changed: Any) -> Tuned:
    """Make what a search found."""
    delayed = {FACTOR: 0.2, PATIENCE: 3, DELAY: 8}
    found: dict[str, Any] = {
        "study": "cccc",
        "problem": "aaaa",
        "search": "bbbb",
        "objective": "final_val_loss",
        "sampler": "TPE, multivariate",
        "trials": 64,
        "seeds": 20,
        "epochs": 100,
        "batch": 8,
        "confirmation_seeds": 30,
        "arms": [make_arm(START), make_arm(DELAYED, setting=delayed, space=SPACE)],
        "contrasts": make_contrasts(),
        "importances": make_importances(),
        "conclusion": "Tuned, it does not underfit.",
        "dashboard": "optuna-dashboard sqlite:///s.db",
    }
    return Tuned.model_validate(found | changed)


def make_arm(name: str, **changed: Any) -> dict[str, Any]:
    """Make an arm of the search and the best setting that was found."""
    arm: dict[str, Any] = {
        "name": name,
        "untuned": UNTUNED.get(name),
        "trials": 64,
        "failed": 0,
        "winner": 41,
        "setting": {FACTOR: 0.3123, PATIENCE: 4},
        "space": PLANE,
        "searched": 0.2512,
        "fresh": _mean(0.2641),
        "untuned_fresh": _mean(0.2755),
    }
    return arm | changed


def make_contrasts(
    arms: tuple[str, str] = (START, DELAYED), *, gain: float | None = None
) -> list[dict[str, Any]]:
    """Compare two arms of 30 seeds: the first is better on the test set, and alike in training.

    With a `gain` the first arm is also compared with its untuned setting, from which it differs by
    so much in test loss, give or take 0.004.
    """
    lift = [0.0002 * (seed % 5) for seed in range(30)]
    runs = pd.DataFrame(
        {
            **dict.fromkeys(
                ("train_accuracy", "val_accuracy", "test_accuracy"), 0.9 + place * 0.01
            ),
            "variant": arm,
            "seed": seed,
            "status": "ok",
            "train_loss": 0.02 + place * lift[seed],
            "test_loss": 0.1 + place * (0.01 + lift[seed]),
            "val_loss": 0.25,
        }
        for place, arm in enumerate(arms)
        for seed in range(30)
    )
    rows: list[Any] = compare(
        runs, [arms], margins=MARGINS.model_dump(), alpha=0.05, seed=1
    ).to_dict("records")
    if gain is None:
        return rows
    untuned = {"treatment": START, "control": UNTUNED[START], "difference": gain}
    untuned |= {"low": gain - 0.004, "high": gain + 0.004}
    return [*rows, *(row | untuned for row in rows if row["metric"] == "test_loss")]


def make_importances(arms: tuple[str, str] = (START, DELAYED)) -> list[dict[str, Any]]:
    """Make the same importances for both arms, the less important parameter first."""
    shares = {PATIENCE: 0.3812, FACTOR: 0.6188}
    return [
        {"arm": arm, "parameter": name, "importance": share}
        for arm in arms
        for name, share in shares.items()
    ]


def make_baseline(searched: Sequence[float], fresh: Sequence[float]) -> list[dict[str, Any]]:
    """Make repeats of random search, the same for both arms."""
    return [
        {"arm": arm, "sampler": "random", "repeat": repeat, "searched": first, "fresh": second}
        for repeat, (first, second) in enumerate(zip(searched, fresh, strict=True))
        for arm in (START, DELAYED)
    ]


def make_tables() -> TunedTables:
    """Make the tables behind a search."""
    trials = pd.concat([_trials(START), _trials(DELAYED, lift=0.01)], ignore_index=True)
    return TunedTables(trials, pd.DataFrame(make_importances()), _curves(), _random_trials())


def _mean(mean: float) -> dict[str, float]:
    return {"n": 30, "mean": mean, "low": mean - 0.006, "high": mean + 0.006}


def _trials(arm: str, *, lift: float = 0.0) -> pd.DataFrame:
    table = pd.DataFrame(TRIALS, columns=["number", FACTOR, PATIENCE, "value"])
    table.insert(0, "arm", arm)
    table.insert(4, DELAY, np.nan if arm == START else 8.0)
    table["value"] += lift
    table["status"] = np.where(table["value"].isna(), "failed", "ok")
    return table.assign(best=table["value"].cummin().ffill())


def _curves() -> pd.DataFrame:
    statistics = ("mean", "low", "high", "median", "q25", "q75")
    return pd.DataFrame(
        {
            **dict.fromkeys(statistics, 0.01 / (1 + place + epoch)),
            "variant": name,
            "metric": metric,
            "epoch": epoch,
            "n_training": 3,
            "n": 3,
        }
        for place, name in enumerate([START, DELAYED, *UNTUNED.values()])
        for metric in ("val_loss", "learning_rate")
        for epoch in range(4)
    )


def _random_trials() -> pd.DataFrame:
    bests = {0: [0.4, 0.33], 1: [0.38, 0.27]}
    return pd.DataFrame(
        {"arm": arm, "repeat": repeat, "number": number, "value": best, "best": best}
        for arm in (START, DELAYED)
        for repeat, found in bests.items()
        for number, best in enumerate(found)
    )
