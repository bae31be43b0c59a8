"""Rows that a user might bring, as `module:function`."""

import numpy as np
import pandas as pd


def weighted(rows: int = 80) -> pd.DataFrame:
    """Make two classes and a weight for each row; some rows count for nothing."""
    rng = np.random.default_rng(11)
    table = pd.DataFrame(rng.normal(size=(rows, 6)), columns=list("abcdef"))
    table["target"] = (table["a"] * table["b"] + rng.normal(0, 0.3, rows) > 0).astype(int)
    table["weight"] = rng.integers(0, 5, rows) * 0.7
    return table
