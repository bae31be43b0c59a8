"""Ranks of the variants within seeds: they describe, and never enter a verdict."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd
from scipy import stats

from finetune.stats.matplotlib_import import import_matplotlib
from finetune.stats.multiple_testing import holm
from finetune.stats.pairs import ExcludedRun, RunsError, pair_runs, worse_sign
from finetune.stats.sensitivity import signed_rank


@dataclass(frozen=True, eq=False)
class Ranking:
    """What a critical-difference diagram shows, for one metric.

    `average` are the average ranks, best (1) first; `p_values` the pairwise Wilcoxon tests with
    Holm's correction over all pairs, a symmetric frame in the same order; `groups` the largest
    sets of variants between which no test differs. `friedman` and `p_friedman` describe all ranks
    together, None below three variants or two seeds.

    Pairwise tests, not Nemenyi's: there the verdict on two variants depends on the others.
    Ranks are taken over seeds, so they say nothing about other data sets.
    """

    metric: str
    n: int
    excluded: tuple[ExcludedRun, ...]
    average: pd.Series
    friedman: float | None
    p_friedman: float | None
    p_values: pd.DataFrame
    groups: tuple[tuple[str, ...], ...]


def rank(
    runs: pd.DataFrame,
    variants: Sequence[str],
    *,
    metric: str,
    alpha: float,
    seeds: Iterable[int] | None = None,
) -> Ranking:
    """Rank the variants within every seed that has a run of each.

    Raises:
        RunsError: a run is missing or there twice, a value is missing, or no seed is complete.

    Source: Friedman (1937); Benavoli, Corani and Mangili (2016) for the pairwise tests.
    """
    complete = pair_runs(runs, variants, seeds=seeds)
    if not complete.seeds:
        raise RunsError(
            f"runs: no seed has a run of every variant ({', '.join(complete.variants)}) that did "
            "not fail; allowed is one at least; leave out the variant that fails"
        )
    worse = worse_sign(metric) * complete.values(metric)
    average = _average_ranks(worse, complete.variants)
    ordered = list(average.index)
    columns = dict(zip(complete.variants, worse.T, strict=True))
    p_values = _pairwise({variant: columns[variant] for variant in ordered})
    statistic, p = friedman(worse)
    return Ranking(
        metric=metric,
        n=len(complete.seeds),
        excluded=complete.excluded,
        average=average,
        friedman=statistic,
        p_friedman=p,
        p_values=p_values,
        groups=homogeneous_groups(p_values, alpha=alpha),
    )


def friedman(values: np.ndarray) -> tuple[float | None, float | None]:
    """Return Friedman's statistic and its p-value from (seed, variant); 0 and 1 if all are equal.

    None, None below three variants or two seeds, where the test is not defined.

    Source: scipy 1.17, `scipy.stats.friedmanchisquare` (ties corrected, chi-squared).
    """
    if values.shape[0] < 2 or values.shape[1] < 3:
        return None, None
    if (values == values[:, :1]).all():
        return 0.0, 1.0
    result = stats.friedmanchisquare(*values.T)
    return float(result.statistic), float(result.pvalue)


def homogeneous_groups(p_values: pd.DataFrame, *, alpha: float) -> tuple[tuple[str, ...], ...]:
    """Return the largest sets of variants of which no two differ at alpha.

    Source: Piepho (2004); scikit-posthocs 0.17, `compact_letter_display`.
    """
    # It loads matplotlib, which nothing else here needs.
    import_matplotlib()
    from scikit_posthocs import compact_letter_display  # noqa: PLC0415

    letters: dict[str, str] = compact_letter_display(p_values, alpha=alpha).to_dict()
    columns = zip(*letters.values(), strict=True)
    sets = [
        tuple(name for name, letter in zip(letters, column, strict=True) if letter != " ")
        for column in columns
    ]
    # A group inside another says nothing that the larger one does not.
    return tuple(one for one in sets if not any(set(one) < set(other) for other in sets))


def _average_ranks(worse: np.ndarray, variants: tuple[str, ...]) -> pd.Series:
    # Ties share the average of their ranks; a stable sort then keeps the order of the study.
    average = stats.rankdata(worse, axis=1).mean(axis=0)
    return pd.Series(average, index=list(variants), name="rank").sort_values(kind="stable")


def _pairwise(worse: dict[str, np.ndarray]) -> pd.DataFrame:
    pairs = list(combinations(worse, 2))
    tests = [signed_rank(worse[one] - worse[other]).p for one, other in pairs]
    table = pd.DataFrame(1.0, index=list(worse), columns=list(worse))
    for (one, other), p in zip(pairs, holm(tests), strict=True):
        table.loc[one, other] = table.loc[other, one] = p
    return table
