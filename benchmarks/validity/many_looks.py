"""Many looks: false decisions over all of them, and what stopping does to power and to means."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from benchmarks.validity.cases import ALPHA, Case, fit_case
from benchmarks.validity.drawn import Drawn
from benchmarks.validity.mean_tests import OURS, TESTS
from benchmarks.validity.one_look import about
from benchmarks.validity.plans import RANGE, spendings, unspent
from finetune.spec.looks import Look
from finetune.stats.looks import DrawnStudies, StoppedStudies, stop, without_bias

# True means, in standard deviations from the margin: of normal differences, and of all others.
NORMAL_EFFECTS, EFFECTS = (0.1, 0.2, 0.3, 0.5, 1.0, 3.0), (0.3, 1.0)
_ALPHAS = (ALPHA, ALPHA)


def false_rates(drawn: Drawn) -> Iterator[dict[str, Any]]:
    """Yield a row for each spending and case, with the shares decided wrongly at any look."""
    tried = spendings()
    for case in drawn.source.cases:
        judged = judge_at(drawn, case, [look.seeds for look in RANGE.looks])
        for name, looks in tried.items():
            supported, refuted = decided_by(*judged, shares=[look.share for look in looks])
            yield {
                **about(drawn, case.name),
                "spending": name,
                "supported": supported[-1],
                "refuted": refuted[-1],
            }


def by_hand_rows(drawn: Drawn, sizes: Sequence[int]) -> Iterator[dict[str, Any]]:
    """Yield a row for each look and test of someone who judges at each as if it were the only one.

    The claim is to underfit, with one metric at its margin, and the rates are those by that look.
    """
    for name in TESTS:
        rates = decided_by(
            *judge_at(drawn, fit_case(1), sizes, test=name), shares=[1.0] * len(sizes)
        )
        yield from _by_look(drawn, sizes, rates, how="by hand", test=name)


def with_shares_rows(drawn: Drawn) -> Iterator[dict[str, Any]]:
    """Yield a row for each look of a study until decided, as `by_hand_rows` does."""
    sizes = [look.seeds for look in RANGE.looks]
    judged = judge_at(drawn, fit_case(1), sizes)
    rates = decided_by(*judged, shares=[look.share for look in RANGE.looks])
    yield from _by_look(drawn, sizes, rates, how="shares of alpha", test=OURS)


def judge_at(
    drawn: Drawn, case: Case, sizes: Sequence[int], *, test: str = OURS
) -> tuple[np.ndarray, np.ndarray]:
    """Return the p-values (look, study) for a claim and against it; 1 where too little differs."""
    both = [drawn.judge(case, n, test=TESTS[test]) for n in sizes]
    enough = np.stack([drawn.reliable(case, n) for n in sizes])
    supported, refuted = (np.stack(one) for one in zip(*both, strict=True))
    return np.where(enough, supported, 1.0), np.where(enough, refuted, 1.0)


def decided_by(
    p_supported: np.ndarray, p_refuted: np.ndarray, *, shares: Sequence[float]
) -> tuple[np.ndarray, np.ndarray]:
    """Return the shares of studies (look,) that are supported, and refuted, by each look.

    A study ends at the first look that decides it. P-values are (look, study).
    """
    levels = ALPHA * np.array(shares)[:, None]
    found = [p < levels for p in (p_supported, p_refuted)]
    decided = np.logical_or.accumulate(found[0] | found[1])
    open_before = ~np.concatenate([np.zeros_like(decided[:1]), decided[:-1]])
    supported, refuted = (np.logical_or.accumulate(one & open_before).mean(axis=1) for one in found)
    return supported, refuted


def stopping_rows(drawn: Drawn, effects: Sequence[float]) -> Iterator[dict[str, Any]]:
    """Yield seeds and power until decided, a row a true mean, on either side of the margin."""
    for dz in effects:
        for side in (1, -1):
            ended = _stopped(drawn, RANGE.looks, shift=side * dz)
            fixed = _stopped(drawn, unspent([RANGE.to]), shift=side * dz)
            yield {
                **about(drawn, "either side"),
                "true": side * dz,
                "seeds": float(ended.seeds.mean()),
                "power": _found(ended, side),
                "fixed_power": _found(fixed, side),
            }


def bias_rows(drawn: Drawn, effects: Sequence[float]) -> Iterator[dict[str, Any]]:
    """Yield the mean at the end and the corrected one less the true one, a row a true mean."""
    for dz in effects:
        ended = _stopped(drawn, RANGE.looks, shift=dz)
        spread = _spread_at(drawn, ended.seeds)
        corrected = spread * [
            without_bias(RANGE.looks, float(mean), alphas=_ALPHAS) for mean in ended.mean / spread
        ]
        errors = (ended.mean - dz, corrected - dz)
        yield {
            "true": dz,
            "studies": drawn.studies,
            "bias": float(errors[0].mean()),
            "corrected_bias": float(errors[1].mean()),
            "bias_error": float(errors[0].std() / np.sqrt(drawn.studies)),
            "corrected_error": float(errors[1].std() / np.sqrt(drawn.studies)),
        }


def spending_rows(drawn: Drawn) -> Iterator[dict[str, Any]]:
    """Yield what each spending costs on these differences: seeds and power, a row a spending."""
    for name, looks in spendings().items():
        ended = {dz: _stopped(drawn, looks, shift=dz) for dz in (0.2, 0.3, 0.5, 1.0)}
        yield {
            "spending": name,
            **{f"seeds_{dz:g}": float(ended[dz].seeds.mean()) for dz in (0.3, 0.5, 1.0)},
            "power_0.2": _found(ended[0.2], 1),
        }


def _stopped(drawn: Drawn, looks: Sequence[Look], *, shift: float) -> StoppedStudies:
    sizes = [look.seeds for look in looks]
    studies = DrawnStudies(
        looks=tuple(looks),
        samples=tuple(drawn.samples[n][0] for n in sizes),
        varied=tuple(drawn.enough[n][0] for n in sizes),
    )
    return stop(studies, alphas=_ALPHAS, shift=shift)


def _found(ended: StoppedStudies, side: int) -> float:
    return float((ended.above if side > 0 else ended.below).mean())


def _spread_at(drawn: Drawn, seeds: np.ndarray) -> np.ndarray:
    """Return the standard deviation (study,) that each study had seen when it ended."""
    sizes = [look.seeds for look in RANGE.looks]
    spreads = np.stack([drawn.samples[n][0].sd for n in sizes])
    return spreads[np.searchsorted(sizes, seeds), np.arange(len(seeds))]


def _by_look(
    drawn: Drawn,
    sizes: Sequence[int],
    rates: tuple[np.ndarray, np.ndarray],
    *,
    how: str,
    test: str,
) -> Iterator[dict[str, Any]]:
    for look, (n, supported, refuted) in enumerate(zip(sizes, *rates, strict=True), start=1):
        yield {
            **about(drawn, fit_case(1).name),
            "how": how,
            "test": test,
            "sizes": " ".join(map(str, sizes)),
            "look": look,
            "seeds": n,
            "supported": supported,
            "refuted": refuted,
        }
