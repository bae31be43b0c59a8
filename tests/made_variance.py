"""A made-up table of the spread by source of randomness."""

import numpy as np
import pandas as pd

from finetune.stats.variance import METRICS, TOGETHER, variance_table


def made_variance(
    names: tuple[str, ...] = ("a", "b"), *, n: int = 20, **scales: float
) -> pd.DataFrame:
    """Make the table of sources whose spread in the first variant has these scales."""
    steps = np.arange(float(n))
    flat = [np.zeros(n)] * (len(names) - 1)
    sources = {name: _runs(names, scale * steps, *flat) for name, scale in scales.items()}
    together = sources.pop(TOGETHER, _runs(names, 2 * steps, *flat))
    return variance_table(sources, together, variants=names)


def _runs(names: tuple[str, ...], *losses: np.ndarray) -> pd.DataFrame:
    of_variants = [
        pd.DataFrame({"variant": name, "seed": range(len(values)), "status": "ok"}).assign(
            **{**dict.fromkeys(METRICS, 0.5), "test_loss": values}
        )
        for name, values in zip(names, losses, strict=True)
    ]
    return pd.concat(of_variants, ignore_index=True)
