"""Paired runs: the runs of each seed under several variants, checked one by one."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from finetune.errors import FinetuneError
from finetune.spec.metrics import higher_is_better

LOSSES = ("train_loss", "test_loss")
ACCURACIES = ("train_accuracy", "test_accuracy")

# Of columns that are no metrics: 1 where a larger value is worse, -1 where a smaller one is.

# An accuracy is a share of rows. Rounding to this many decimals gives back the ties that floating
# point breaks: 0.85 - 0.845 is not 0.845 - 0.84.
_ACCURACY_DECIMALS = 6


class RunsError(FinetuneError):
    """A table of runs lacks a run, holds one twice, or holds what no run can be."""


@dataclass(frozen=True)
class ExcludedRun:
    """A run that cannot be compared, and why; comparisons of its variant exclude the seed."""

    variant: str
    seed: int
    reason: str


@dataclass(frozen=True, eq=False)
class PairedRuns:
    """Every variant's run for the same seeds.

    `runs` holds the rows of each variant, in the order of `seeds`, which ascend; `excluded` names
    the runs because of which a seed is not among `seeds`.
    """

    variants: tuple[str, ...]
    seeds: tuple[int, ...]
    excluded: tuple[ExcludedRun, ...]
    runs: dict[str, pd.DataFrame]

    def values(self, metric: str) -> np.ndarray:
        """Return one metric, float64 of (seed, variant); accuracies are rounded to a millionth.

        Raises:
            RunsError: a value is missing or not finite.
        """
        table = self._table(metric)
        broken = np.argwhere(~np.isfinite(table))
        if broken.size:
            seed, variant = self.seeds[broken[0][0]], self.variants[broken[0][1]]
            raise RunsError(
                f"runs: {metric} of variant {variant!r}, seed {seed} is missing or not finite; "
                "allowed is a number in every run, or in none"
            )
        return table

    def difference(self, metric: str) -> np.ndarray:
        """Return the first variant minus the second in the metric's own units: (seed,)."""
        values = self.values(metric)
        # Rounded again: the difference of two rounded shares need not be a rounded number.
        return _round_accuracies(values[:, 0] - values[:, 1], metric)

    def worsening(self, metric: str) -> np.ndarray:
        """Return by how much the first variant is worse than the second: (seed,)."""
        return worse_sign(metric) * self.difference(metric) + 0.0  # no negative zeros

    @property
    def measured(self) -> list[str]:
        """The columns of `runs` that are numbers and were measured in every variant."""
        columns = self.runs[self.variants[0]].select_dtypes("number").columns
        return [name for name in columns if self.measures([name])]

    def measures(self, metrics: Iterable[str]) -> bool:
        """Return whether every variant has a value of every metric in some run.

        A regression has no accuracy, and a variant with another loss may have none.
        """
        return all(np.isfinite(self._table(name)).any(axis=0).all() for name in metrics)

    def _table(self, metric: str) -> np.ndarray:
        """Return one metric, (seed, variant), NaN where it is missing."""
        columns = [_floats(self.runs[variant][metric]) for variant in self.variants]
        return _round_accuracies(np.stack(columns, axis=1), metric)


def known_sign(metric: str) -> float | None:
    """Return 1 where a larger value is worse, -1 where a smaller one is, None if neither is."""
    higher = higher_is_better(metric)
    return None if higher is None else -1.0 if higher else 1.0


def worse_sign(metric: str) -> float:
    """Return 1 where a larger value is worse, -1 where a smaller one is.

    Raises:
        RunsError: Neither is known of the metric.
    """
    sign = known_sign(metric)
    if sign is None:
        raise RunsError(
            f"metric: whether lower or higher is better is not known of {metric!r}; say so by "
            'direction = "lower" or "higher"'
        )
    return sign


def pair_runs(
    runs: pd.DataFrame, variants: Sequence[str], *, seeds: Iterable[int] | None = None
) -> PairedRuns:
    """Line up the runs of some variants by seed; a seed with a run that failed is excluded.

    `seeds` are the ones that must be there: by default every seed that any row of `runs` has. A
    run whose losses are not finite has diverged: it is excluded and named like a failed one.

    Raises:
        RunsError: the run of a variant and seed is missing or there twice, a status is unknown, or
            a variant is named twice.
    """
    if len(set(variants)) < len(variants):
        raise RunsError(f"variants: received {list(variants)}; allowed is each name once")
    required = sorted({int(seed) for seed in (runs["seed"] if seeds is None else seeds)})
    tables = {variant: _runs_of(runs, variant, seeds=required) for variant in variants}
    excluded = tuple(run for variant in variants for run in _excluded(tables[variant], variant))
    # A pair with one run says nothing of the difference, so the seed leaves every variant.
    lost = {run.seed for run in excluded}
    kept = [seed for seed in required if seed not in lost]
    return PairedRuns(
        variants=tuple(variants),
        seeds=tuple(kept),
        excluded=excluded,
        runs={variant: rows.loc[kept] for variant, rows in tables.items()},
    )


def _runs_of(runs: pd.DataFrame, variant: str, *, seeds: list[int]) -> pd.DataFrame:
    """Return the rows of one variant, indexed by seed, one for each of `seeds`."""
    rows = runs[runs["variant"] == variant].set_index("seed")
    twice = rows.index[rows.index.duplicated()]
    if len(twice):
        times = int((rows.index == twice[0]).sum())
        raise RunsError(
            f"runs: variant {variant!r}, seed {twice[0]} is there {times} times; allowed is once; "
            "remove all but one"
        )
    missing = [seed for seed in seeds if seed not in rows.index]
    if missing:
        others = f" (and {len(missing) - 1} more of its seeds)" if len(missing) > 1 else ""
        raise RunsError(
            f"runs: variant {variant!r}, seed {missing[0]}{others} is missing; allowed is one row "
            "for every variant and seed; train it, or list it with status 'failed'"
        )
    return rows.loc[seeds]


def _excluded(rows: pd.DataFrame, variant: str) -> list[ExcludedRun]:
    unknown = rows.index[~rows["status"].isin(["ok", "failed"]).to_numpy()]
    if len(unknown):
        raise RunsError(
            f"runs: status of variant {variant!r}, seed {unknown[0]} is "
            f"{rows['status'][unknown[0]]!r}; allowed are 'ok' and 'failed'"
        )
    failed = (rows["status"] == "failed").to_numpy()
    finite = np.logical_and.reduce([np.isfinite(_floats(rows[loss])) for loss in LOSSES])
    return [
        ExcludedRun(variant, int(seed), "failed" if lost else "its loss is not finite")
        for seed, lost, sound in zip(rows.index, failed, finite, strict=True)
        if lost or not sound
    ]


def _floats(column: Any) -> np.ndarray:
    return column.to_numpy(dtype=np.float64, na_value=np.nan)


def _round_accuracies(values: np.ndarray, metric: str) -> np.ndarray:
    return np.round(values, _ACCURACY_DECIMALS) if metric.endswith("_accuracy") else values
