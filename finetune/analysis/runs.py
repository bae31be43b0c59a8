"""What an analysis begins with: one row a run and one row an epoch, checked and put in order."""

import numpy as np
import pandas as pd

from finetune.errors import StoreError
from finetune.planning.block import Block
from finetune.spec.metrics import further_columns
from finetune.spec.study import StudySpec
from finetune.store.base import Store
from finetune.store.schema import RUN_COLUMNS

LOSSES = ("train_loss", "val_loss", "test_loss")
ACCURACIES = ("train_accuracy", "val_accuracy", "test_accuracy")
METRICS = LOSSES + ACCURACIES

_COUNTS = ("epochs_run", "best_epoch", "lr_reductions", "first_reduction_epoch")
RUN_NUMBERS = RUN_COLUMNS[3:]


def tidy_runs(runs: pd.DataFrame, spec: StudySpec) -> pd.DataFrame:
    """Return the run columns, a row a (variant, seed), in the spec's variant order, then by seed.

    Those of further metrics come last, where every run that did not fail has them.

    `variant` becomes a categorical whose order is the spec's, so that every table grouped by it
    keeps that order. Counts are nullable integers: a failed run may lack them.

    Raises:
        StoreError: a column or a run is missing, doubled or unknown.
    """
    _check_columns(runs, RUN_COLUMNS, what="runs")
    _check_grid(runs, spec)
    further = _in_every_run(runs)
    floats = [name for name in (*RUN_NUMBERS, *further) if name not in _COUNTS]
    tidy = runs.loc[:, [*RUN_COLUMNS, *further]].astype(
        {"variant": _variant_type(spec), "seed": "int64"}
        | dict.fromkeys(_COUNTS, "Int64")
        | dict.fromkeys(floats, "float64")
    )
    return tidy.sort_values(["variant", "seed"], ignore_index=True)


def tidy_epochs(epochs: pd.DataFrame, runs: pd.DataFrame) -> pd.DataFrame:
    """Return the epochs of the runs that are ok, in order; `runs` are tidy ones.

    Raises:
        StoreError: a run's epochs are not exactly 0 to `epochs_run` - 1.
    """
    _check_columns(epochs, ("variant", "seed", "epoch", *METRICS, "learning_rate"), what="epochs")
    tidy = epochs.astype({"variant": runs["variant"].dtype, "seed": "int64", "epoch": "int64"})
    counts = finished(runs).loc[:, ["variant", "seed", "epochs_run"]]
    tidy = tidy.merge(counts, on=["variant", "seed"]).sort_values(["variant", "seed", "epoch"])
    _check_epochs(tidy, counts)
    return tidy.drop(columns="epochs_run").reset_index(drop=True)


def all_runs(block: Block, store: Store) -> pd.DataFrame:
    """Return the runs, those whose task failed too: these are "failed" and have no numbers."""
    runs = store.runs(block.recipes, block.seeds)
    have = pd.MultiIndex.from_arrays([runs["variant"], runs["seed"]])
    wanted = pd.MultiIndex.from_product([block.recipes, block.seeds], names=["variant", "seed"])
    lost = wanted.difference(have).to_frame(index=False)
    if lost.empty:
        return runs
    return pd.concat([runs, lost.assign(status="failed")], ignore_index=True)


def count_seeds(runs: pd.DataFrame) -> int:
    """Return at how many seeds there are runs."""
    return len(set(runs["seed"]))


def finished(runs: pd.DataFrame) -> pd.DataFrame:
    """Return the runs that are not failed: the only ones that statistics may use."""
    return runs.loc[runs["status"] == "ok"]


def budgets_of(runs: pd.DataFrame, spec: StudySpec) -> np.ndarray:
    """Return the epoch budget of each run: (run,) of int."""
    budgets = {variant.name: spec.epochs_of(variant.name) for variant in spec.variants}
    return np.array([budgets[name] for name in runs["variant"]], dtype=np.int64)


def metrics_of(runs: pd.DataFrame) -> list[str]:
    """Return the metrics that the runs have: a regression task has no accuracies."""
    accuracies = finished(runs)[list(ACCURACIES)].dropna(axis="columns", how="all")
    return [*LOSSES, *accuracies, *further_columns(runs)]


def _in_every_run(runs: pd.DataFrame) -> list[str]:
    """Return the columns of further metrics that hold a number in every run that is finished.

    Runs of a store may be of a version that measured less.
    """
    ok = finished(runs)
    return [n for n in further_columns(runs) if np.isfinite(ok[n].astype("float64")).all()]


def _variant_type(spec: StudySpec) -> pd.CategoricalDtype:
    return pd.CategoricalDtype([variant.name for variant in spec.variants], ordered=True)


def _check_columns(frame: pd.DataFrame, wanted: tuple[str, ...], *, what: str) -> None:
    missing = [name for name in wanted if name not in frame.columns]
    if missing:
        raise StoreError(f"{what}: the column {missing[0]!r} is missing; allowed are {wanted}")


def _check_grid(runs: pd.DataFrame, spec: StudySpec) -> None:
    names = [variant.name for variant in spec.variants]
    remedy = f"needed is one run for each of {len(names)} variants and {spec.n_seeds} seeds"
    unknown = set(runs["status"]) - {"ok", "failed"}
    if unknown:
        raise StoreError(f"runs: status {min(unknown, key=str)!r}; allowed are 'ok' and 'failed'")
    found = pd.MultiIndex.from_frame(runs.loc[:, ["variant", "seed"]])
    wanted = pd.MultiIndex.from_product([names, sorted(set(runs["seed"]))], names=found.names)
    for faulty, problem in (
        (found.difference(wanted), "is of a variant that the spec does not have"),
        (found[found.duplicated()], "is there more than once"),
        (wanted.difference(found), "is missing"),
    ):
        if len(faulty):
            variant, seed = faulty[0]
            raise StoreError(f"runs: variant {variant!r}, seed {seed} {problem}; {remedy}")
    seeds = count_seeds(runs)
    if seeds not in ({look.seeds for look in spec.looks} or {spec.n_seeds}):
        raise StoreError(f"runs: there are {seeds} seeds; {remedy}")


def _check_epochs(epochs: pd.DataFrame, runs: pd.DataFrame) -> None:
    """Compare every run's epochs, sorted, with the number of epochs that the run reports."""
    groups = epochs.groupby(["variant", "seed"], observed=True)
    # The rows of a whole run are numbered 0, 1, ... and are as many as it reports.
    gaps = epochs.loc[epochs["epoch"] != groups.cumcount()]
    counts = groups.agg(rows=("epoch", "size")).reset_index()
    sizes = runs.merge(counts, on=["variant", "seed"], how="left")
    wrong = sizes.loc[sizes["rows"].fillna(0) != sizes["epochs_run"]]
    for run in [*wrong.to_dict("records"), *gaps.to_dict("records")]:
        raise StoreError(
            f"epochs: those of variant {run['variant']!r}, seed {run['seed']} are not exactly "
            f"0 to {run['epochs_run']} - 1, which its run reports; run the study again"
        )
