"""A claim that ended at a look: its means without the bias of stopping, and the seeds it saved."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from finetune.claims.registry import KINDS
from finetune.claims.verdict import Verdict
from finetune.spec.looks import Look
from finetune.spec.study import StudySpec
from finetune.stats.looks import power, without_bias
from finetune.stats.power import POWER, seeds_needed

# Differences that are tried for the one which the looks find with the usual power.
_TRIED = tuple(number / 200 for number in range(1, 1001))


@dataclass(frozen=True)
class CorrectedMean:
    """The mean difference of one metric, and what it is without the bias of stopping."""

    metric: str
    mean: float
    corrected: float


@dataclass(frozen=True)
class Stopping:
    """How a claim ended.

    Attributes:
        claim: Its name.
        seeds: At the look that decided, or at the last.
        most: That the study would have trained.
        means: Of the metrics that decided, in the metric's own units, treatment minus control.
        power: That `detected` is found with.
        detected: The distance from the margin, in standard deviations of the differences, that all
            looks together find with `power`.
        fixed_seeds: That a study with one look needs to find it as surely; None beyond all bounds.
    """

    claim: str
    seeds: int
    most: int
    means: tuple[CorrectedMean, ...]
    power: float
    detected: float
    fixed_seeds: int | None

    @property
    def saved(self) -> int:
        """How many seeds fewer than such a study it took; below 0 where it took more."""
        return 0 if self.fixed_seeds is None else self.fixed_seeds - self.seeds


def stopping(verdicts: Sequence[Verdict], spec: StudySpec) -> tuple[Stopping, ...]:
    """Describe how each claim of a study with looks ended; nothing where there are none."""
    return tuple(_stopping(one, spec.looks) for one in verdicts if one.looks)


def _stopping(verdict: Verdict, looks: tuple[Look, ...]) -> Stopping:
    detected = detected_dz(looks, verdict.alpha)
    return Stopping(
        claim=verdict.name,
        seeds=verdict.looks[-1].seeds,
        most=looks[-1].seeds,
        means=_corrected_means(verdict, looks) if verdict.n > 1 else (),
        power=POWER,
        detected=detected,
        fixed_seeds=seeds_needed(detected, alpha=verdict.alpha, alternative="larger"),
    )


@cache
def detected_dz(looks: tuple[Look, ...], alpha: float) -> float:
    """Return the distance from the margin, in standard deviations, that looks find with `POWER`."""
    at = bisect_left(_TRIED, POWER, key=lambda dz: power(looks, dz, alpha=alpha))
    return _TRIED[min(at, len(_TRIED) - 1)]


def _corrected_means(verdict: Verdict, looks: tuple[Look, ...]) -> tuple[CorrectedMean, ...]:
    means = []
    for compared, end in zip(verdict.comparisons, KINDS[verdict.kind].ends(verdict), strict=True):
        worsening, mean = compared.worsening, compared.difference.mean
        corrected = mean
        if worsening.sd:
            dz = (worsening.mean - end.value) / worsening.sd
            alphas = (verdict.alpha * end.above, verdict.alpha * end.below)
            shift = (without_bias(looks, dz, alphas=alphas) - dz) * worsening.sd
            corrected = mean + compared.sign * shift
        means.append(CorrectedMean(compared.metric, mean, corrected))
    return tuple(means)
