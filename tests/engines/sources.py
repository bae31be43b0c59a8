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


def image_and_table(n_rows=80, random_state=7):
    """Make an image and three numbers of other sizes by name, and classes: {...}, (row,)."""
    x, y = images(n_rows)
    numbers = np.random.default_rng(random_state).normal(5, [1, 10, 100], (n_rows, 3))
    return {"picture": x, "numbers": numbers + y[:, None]}, y


def ids_and_numbers(n_rows=80):
    """Make token ids and numbers of two kinds by name, whole ones too, and classes."""
    x, y = token_ids(n_rows)
    rng = np.random.default_rng(8)
    numbers = rng.normal(5, [1, 10], (n_rows, 2)) + y[:, None]
    return {"words": x, "numbers": numbers, "counts": rng.integers(0, 1000, (n_rows, 2))}, y


def image_and_table_of_groups(n_rows=80):
    """Make the same with a weight for each row, and a house of some rows."""
    x, y = image_and_table(n_rows)
    rng = np.random.default_rng(9)
    beside = {"house": rng.integers(0, n_rows // 4, n_rows), "weight": rng.uniform(0.5, 2, n_rows)}
    return {**x, **beside}, y
