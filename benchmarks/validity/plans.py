"""When to look, and with which share of alpha: what studies do, and what else was tried."""

from collections.abc import Sequence

import numpy as np

from benchmarks.validity.cases import ALPHA
from benchmarks.validity.spending import nominal_levels, spending_boundaries
from finetune.spec.looks import Look, SeedRange

RANGE = SeedRange()
SIZES = tuple(look.seeds for look in RANGE.looks)

# Numbers of seeds that were raised by hand after a look.
BY_HAND = (
    (100,),
    (10, 20, 40, 80, 160),
    (8, 12, 18, 27, 40, 60, 90, 135, 200),
    (5, 10, 20, 50, 100, 200, 500, 1000),
    (20, 40, 80, 160),
    SIZES,
)

CHOSEN = "half even, half with the square of the seeds"


def spendings(sizes: Sequence[int] = SIZES) -> dict[str, tuple[Look, ...]]:
    """Return the looks of each way to spend alpha that was tried, the chosen one first."""
    n = np.array(sizes) / sizes[-1]
    shares = {
        "with the seeds (Bonferroni)": np.diff(n, prepend=0),
        "with the square of the seeds (Bonferroni)": np.diff(n**2, prepend=0),
        "even (Bonferroni)": np.full(len(n), 1 / len(n)),
        "with the seeds, exact for normal means (Lan and DeMets)": exact_levels(sizes) / ALPHA,
    }
    tried = {
        name: tuple(Look(size, float(share)) for size, share in zip(sizes, of, strict=True))
        for name, of in shares.items()
    }
    return {CHOSEN: SeedRange(first=sizes[0], to=sizes[-1]).looks, **tried}


def exact_levels(sizes: Sequence[int]) -> np.ndarray:
    """Return each look's level where alpha is spent with the seeds, exactly for normal means."""
    information = [size / sizes[-1] for size in sizes]
    return nominal_levels(spending_boundaries(lambda share: ALPHA * share, information))


def unspent(sizes: Sequence[int]) -> tuple[Look, ...]:
    """Return looks of someone who judges at each as if it were the only one."""
    return tuple(Look(size, 1.0) for size in sizes)
