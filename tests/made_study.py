"""A small study that trains nothing: its losses follow from the learning rates alone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from finetune.analysis.analysis import Analysis, Checks, analyse_runs
from finetune.analysis.runs import RUN_COLUMNS
from finetune.claims.verdict import Verdict
from finetune.spec.metrics import metric_columns
from finetune.spec.study import StudySpec
from finetune.spec.study_file import parse_spec
from finetune.spec.variants import VariantSpec
from finetune.store.manifest import Manifest
from tests.made_comparisons import judge

BUDGET = 12
METRICS = list(RUN_COLUMNS[3:9])
VARIANTS: list[dict[str, Any]] = [
    {"name": "no callbacks"},
    {"name": "early stopping", "early_stopping": {"patience": 2}},
    {"name": "reduction", "reduce_lr": {"factor": 0.4, "patience": 3}},
    {
        "name": "both",
        "early_stopping": {"patience": 2},
        "reduce_lr": {"factor": 0.4, "patience": 3, "start_from_epoch": 8},
    },
]
# Names that break tables, mathematics, legends and layouts where they are not taken care of.
ODD_NAMES = ["_hidden", "$a$ or $b", "a very long name " * 4 + "end", "|<&>`"]
ODD_VARIANTS = [variant | {"name": name} for variant, name in zip(VARIANTS, ODD_NAMES, strict=True)]


# The claims' arms, and two more so that ranks have four places.
CLAIM = {"kind": "underfits", "treatment": "reduction", "control": "delayed"}
SOONER = {
    "name": "stops sooner",
    "kind": "better",
    "treatment": "early stopping",
    "control": "no callbacks",
    "metric": "epochs_run",
    "margin": 2.0,
}
CLAIM_VARIANTS = [
    *VARIANTS[:3],
    {"name": "delayed", "reduce_lr": {"factor": 0.4, "patience": 3, "start_from_epoch": 8}},
]
CLAIMS = [CLAIM, SOONER]
UNDERFIT = {"train_loss": 0.03, "test_loss": 0.02, "train_accuracy": -0.03, "test_accuracy": -0.02}
SAME = dict.fromkeys(UNDERFIT, 0.0)


@dataclass(frozen=True)
class Study:
    """A spec with the runs and epochs that an engine would have made of it."""

    spec: StudySpec
    runs: pd.DataFrame
    epochs: pd.DataFrame
    replicate: pd.DataFrame | None = None

    def verdict(self) -> Verdict | None:
        return judge(self.runs, self.spec, replicate=self.replicate) if self.spec.claims else None

    def analysis(self, *, manifest: Manifest | None = None) -> Analysis:
        checks = Checks(replicate=self.replicate)
        return analyse_runs(self.spec, self.runs, self.epochs, checks=checks, manifest=manifest)


def make_claim(
    effect: Mapping[str, float] = UNDERFIT,
    *,
    seeds: int = 10,
    spread: float = 0.001,
    noise: float = 0.001,
    failed: tuple[tuple[str, int], ...] = (),
    accuracy: bool = True,
) -> Study:
    """Make a study with claims: the first one's treatment is its control plus an effect, about.

    `spread` is the standard deviation of the effect over seeds, and `noise` that of the control
    against itself; accuracies vary a tenth as much.
    """
    made = make_study(seeds=seeds, variants=CLAIM_VARIANTS, accuracy=accuracy, claims=CLAIMS)
    rng, runs = np.random.default_rng(1), made.runs
    control = runs.loc[runs["variant"] == CLAIM["control"]]
    replicate, treated = control.copy(), runs["variant"] == CLAIM["treatment"]
    for metric, mean in effect.items():
        scale = 1 if metric.endswith("loss") else 0.1
        replicate[metric] += rng.normal(0, noise * scale, seeds)
        moved = control[metric].to_numpy() + mean + rng.normal(0, spread * scale, seeds)
        runs.loc[treated, metric] = moved
    return Study(made.spec, runs, _fail(runs, made.epochs, failed), replicate)


def make_study(
    *,
    seeds: int = 4,
    variants: list[dict[str, Any]] = VARIANTS,
    failed: tuple[tuple[str, int], ...] = (),
    accuracy: bool = True,
    vary: tuple[str, ...] = ("init", "order"),
    claims: Sequence[Mapping[str, Any]] = (),
    metrics: tuple[str, ...] = (),
) -> Study:
    """Make a study; early stopping acts after 6 to 8 epochs, reduction after its delay and 3.

    Further metrics follow the losses of their splits.
    """
    data = {"source": "make_classification", "args": {"n_samples": 60, "weights": [0.5, 0.5]}}
    tree = {
        "name": "made",
        "seeds": seeds,
        "vary": vary,
        "data": data,
        "training": {"epochs": BUDGET, **({"metrics": metrics} if metrics else {})},
        "variants": variants,
    }
    spec = parse_spec(tree | {"claims": [dict(claim) for claim in claims]})
    made = [_run(variant, seed) for variant in spec.variants for seed in range(seeds)]
    runs = pd.DataFrame([run for run, _ in made], columns=RUN_COLUMNS)
    epochs = pd.concat([epochs for _, epochs in made], ignore_index=True)
    epochs = _fail(runs, epochs, failed)
    if not accuracy:
        columns = [name for name in METRICS if name.endswith("accuracy")]
        runs[columns] = epochs[columns] = np.nan
    for column in metric_columns(metrics):
        loss = f"{column.partition('_')[0]}_loss"
        runs[column], epochs[column] = 1 - runs[loss].astype(float) / 4, 1 - epochs[loss] / 4
    return Study(spec, runs, epochs)


def _fail(
    runs: pd.DataFrame, epochs: pd.DataFrame, failed: tuple[tuple[str, int], ...]
) -> pd.DataFrame:
    """Let runs fail in their third epoch; return the epochs that are left."""
    for name, seed in failed:
        fails = (runs["variant"] == name) & (runs["seed"] == seed)
        runs.loc[fails, ["status", *METRICS]] = ["failed", *[np.nan] * len(METRICS)]
        lost = (epochs["variant"] == name) & (epochs["seed"] == seed) & (epochs["epoch"] > 1)
        epochs = epochs[~lost]
    return epochs


def _run(variant: VariantSpec, seed: int) -> tuple[list, pd.DataFrame]:
    count = 6 + seed % 3 if variant.early_stopping else BUDGET
    rates = np.full(BUDGET + 1, 0.01)
    first: Any = pd.NA
    if variant.reduce_lr and variant.reduce_lr.start_from_epoch + 3 < count:
        first = variant.reduce_lr.start_from_epoch + 3
        rates[first + 1 :] *= variant.reduce_lr.factor
    train = 0.7 * np.exp(-(30 + seed) * rates[:count].cumsum()) + 0.01 * (1 + seed)
    epochs = pd.DataFrame(
        {
            "variant": variant.name,
            "seed": seed,
            "epoch": range(count),
            "loss": train,
            "val_loss": train + 0.05,
            "val_accuracy": 0.9 - train / 4,
            "test_loss": train * 1.1 + 0.04,
            "test_accuracy": 0.91 - train / 4,
            "train_loss": train,
            "train_accuracy": 1 - train / 2,
            "learning_rate": rates[:count],
        }
    )
    last = epochs.iloc[-1]
    cuts = 0 if first is pd.NA else 1
    ended = [last[name] for name in RUN_COLUMNS[3:9]]
    place = [variant.name, seed, "ok"]
    return [*place, *ended, count, count - 1, cuts, first, rates[count]], epochs
