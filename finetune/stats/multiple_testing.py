"""Corrections for many tests at once. All hold however the tests depend on each other."""

import gc
from collections.abc import Sequence
from typing import Any

import numpy as np
from statsmodels.stats.multitest import multipletests


def holm(p_values: Sequence[float] | np.ndarray) -> np.ndarray:
    """Correct the p-values (test,) so that the chance of any false finding is at most alpha.

    The smallest is multiplied by the number of tests, as Bonferroni does; the next ones by fewer.

    Source: Holm (1979); statsmodels 0.15, `multipletests`.
    """
    return _corrected(p_values, "holm")


def benjamini_yekutieli(p_values: Sequence[float] | np.ndarray) -> np.ndarray:
    """Correct the p-values (test,) so that at most a share of alpha of the findings is false.

    That share is an expectation. Benjamini and Hochberg's correction finds more, but needs the
    dependence of the tests to be positive.

    Source: Benjamini and Yekutieli (2001); statsmodels 0.15, `multipletests`.
    """
    return _corrected(p_values, "fdr_by")


def union_p_value(p_values: Sequence[Any]) -> Any:
    """Return the p-value of the claim that at least one of several alternatives holds.

    Each of `p_values` is a scalar, or (study,) for one value a study.

    Source: Bonferroni.
    """
    return np.minimum(1.0, len(p_values) * np.min(p_values, axis=0))[()]


def _corrected(p_values: Sequence[float] | np.ndarray, method: str) -> np.ndarray:
    # statsmodels 0.14 takes no empty family.
    if len(p_values) == 0:
        return np.empty(0)
    # statsmodels collects garbage at every correction, which walks all that TensorFlow has loaded:
    # a tenth of a second each. What is frozen is not walked.
    gc.freeze()
    try:
        return np.asarray(multipletests(p_values, method=method)[1])
    finally:
        gc.unfreeze()
