"""Rows that a user might bring: `module:function`, which returns features and target."""

import numpy as np


def token_ids(n_rows=80):
    """Make ids of which 7 is frequent in one class and 13 in the other: (row, 6), (row,)."""
    rng = np.random.default_rng(5)
    y = rng.integers(0, 2, n_rows)
    often = np.where(y == 1, 7, 13)[:, None]
    return np.where(rng.random((n_rows, 6)) < 0.3, often, rng.integers(1, 20, (n_rows, 6))), y


def images(n_rows=80, dtype="float64", size=(4, 4, 2)):
    """Make images of two channels of other sizes, brighter in one class: (row, ...), (row,)."""
    rng = np.random.default_rng(6)
    y = rng.integers(0, 2, n_rows)
    x = rng.normal(100, 20, (n_rows, *size)) * [1.0, 10.0] + 30 * y[:, None, None, None]
    return x.astype(dtype), y
