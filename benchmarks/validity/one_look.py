"""One look: false decisions at a fixed number of seeds, and the power that Student's test has."""

import math
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from scipy import stats

from benchmarks.validity.cases import ALPHA
from benchmarks.validity.drawn import Drawn
from benchmarks.validity.mean_tests import TESTS
from finetune.stats.paired import FEW_SEEDS
from finetune.stats.t_test import exceeds

SIZES = (8, 12, 20, 50, 100)
EFFECTS = (0.5, 1.0)


def false_rates(drawn: Drawn, sizes: Iterable[int] = SIZES) -> Iterator[dict[str, Any]]:
    """Yield a row for each size, case and test, with the shares of studies decided wrongly.

    Below `FEW_SEEDS` every verdict is exploratory, and all are counted. From there on those on too
    few distinct differences are, which `supported` and `refuted` leave out and `any_supported` and
    `any_refuted` count; `exploratory` is their share of all studies.
    """
    for n in sizes:
        for case in drawn.source.cases:
            reliable = drawn.reliable(case, n)
            few = n < FEW_SEEDS
            for name, test in TESTS.items():
                found = [p < ALPHA for p in drawn.judge(case, n, test=test)]
                counted = [one & reliable for one in found]
                yield {
                    **about(drawn, case.name),
                    "seeds": n,
                    "test": name,
                    **_means(("supported", "refuted"), counted),
                    **_means(("any_supported", "any_refuted"), found),
                    "exploratory": 1.0 if few else float(np.mean(~reliable)),
                }


def power_rows(drawn: Drawn, sizes: Iterable[int] = SIZES) -> Iterator[dict[str, Any]]:
    """Yield the power of our test, counted in normal studies, beside Student's, by theory."""
    for n in sizes:
        for dz in EFFECTS:
            sample = drawn.samples[n][0].shifted(dz)
            counted = float(np.mean(exceeds(sample, 0.0, alpha=ALPHA)))
            yield {"seeds": n, "true": dz, "ours": counted, "student": student_power(n, dz)}


def student_power(n: int, dz: float, *, alpha: float = ALPHA) -> float:
    """Return the power of Student's one-sided test on n normal differences `dz` from 0."""
    return float(stats.nct.sf(stats.t.isf(alpha, n - 1), n - 1, dz * math.sqrt(n)))


def about(drawn: Drawn, claim: str) -> dict[str, Any]:
    """Return the columns that tell what a row of rates was counted in."""
    source = drawn.source
    return {
        "family": source.family,
        "differences": source.name,
        "farthest": source.outliers.farthest,
        "share_far": source.outliers.share,
        "rare_outliers": source.outliers.rare,
        "claim": claim,
        "studies": drawn.studies,
    }


def _means(names: tuple[str, str], found: list[np.ndarray]) -> dict[str, float]:
    return {name: float(one.mean()) for name, one in zip(names, found, strict=True)}
