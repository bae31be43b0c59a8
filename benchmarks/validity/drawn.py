"""Drawn studies, summarised at every number of seeds at which someone may look at them."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from benchmarks.validity.cases import Case
from benchmarks.validity.mean_tests import MeanTest
from benchmarks.validity.sources import Source
from finetune.stats.paired import FEW_DISTINCT, FEW_SEEDS, count_distinct
from finetune.stats.t_test import Sample


@dataclass(frozen=True)
class Drawn:
    """Studies drawn from a source.

    Attributes:
        source: Of their differences.
        studies: How many.
        samples: By number of seeds, one (study,) a metric.
        enough: By number of seeds, (study,) of bool a metric: whether enough differences are
            distinct, from where on there are enough seeds.
    """

    source: Source
    studies: int
    samples: dict[int, tuple[Sample, ...]]
    enough: dict[int, tuple[np.ndarray, ...]]

    @classmethod
    def of(
        cls, source: Source, sizes: Iterable[int], *, studies: int, rng: np.random.Generator
    ) -> "Drawn":
        """Draw studies and summarise their first differences, as many as each of the sizes."""
        sizes = sorted(set(sizes))
        metrics = source.draw(rng, (sizes[-1], studies))
        samples = {n: tuple(Sample.of(one[:n]) for one in metrics) for n in sizes}
        each = [_enough(one, sizes) for one in metrics]
        return cls(source, studies, samples, {n: tuple(one[n] for one in each) for n in sizes})

    def judge(self, case: Case, n: int, *, test: MeanTest) -> tuple[np.ndarray, np.ndarray]:
        """Return the p-values (study,) for a claim and against it, at so many seeds."""
        return case.judge(self.samples[n][: case.metrics], test)

    def reliable(self, case: Case, n: int) -> np.ndarray:
        """Return for which studies (study,) enough differences are distinct in what decides."""
        return np.logical_and.reduce(self.enough[n][: case.metrics])


def _enough(differences: np.ndarray, sizes: list[int]) -> dict[int, np.ndarray]:
    found: dict[int, np.ndarray] = {}
    enough = np.zeros(differences.shape[1], bool)
    for n in sizes:
        # More seeds have no fewer that are distinct, and counting takes long.
        if n >= FEW_SEEDS and not enough.all():
            enough = count_distinct(differences[:n]) >= FEW_DISTINCT
        found[n] = enough if n >= FEW_SEEDS else np.ones_like(enough)
    return found
