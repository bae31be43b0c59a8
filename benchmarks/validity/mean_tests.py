"""The tests that are compared: ours, and Student's as it stands."""

import math
from typing import Any, Protocol

import numpy as np
from scipy import stats

from finetune.stats import t_test
from finetune.stats.t_test import Alternative, Sample


class MeanTest(Protocol):
    """The p-value of a mean against a threshold, one-sided."""

    def __call__(self, sample: Sample, threshold: float, /, *, alternative: Alternative) -> Any:
        """Return the p-value, of the shape of the sample's mean."""
        ...


def student(sample: Sample, threshold: float, /, *, alternative: Alternative) -> Any:
    """Return the p-value of Student's t test; without spread it is 0 or 1, as with ours."""
    above = (sample.mean - threshold) * (1 if alternative == "larger" else -1)
    with np.errstate(divide="ignore", invalid="ignore"):
        t = above / (sample.sd / math.sqrt(sample.n))
    p = stats.t.sf(t, sample.n - 1)
    return np.where(sample.sd > 0, p, np.where(above > 0, 0.0, 1.0))[()]


OURS, STUDENT = "ours", "Student's t"
TESTS: dict[str, MeanTest] = {OURS: t_test.p_value, STUDENT: student}
