"""Groups of rows, as those of one patient: no group is in two splits."""

import math

import numpy as np
import pandas as pd
from sklearn.model_selection import GroupShuffleSplit

from finetune.data.cells import Cells, TextRules
from finetune.data.columns import name_rows
from finetune.errors import DataError
from finetune.spec.data import DataSpec


def prepare_groups(groups: pd.Series, *, name: str, rules: TextRules) -> np.ndarray:
    """Return the group of each row, counted from 0 in the order of their names: int64 (row,).

    Raises:
        DataError: One is missing.
    """
    cells = Cells.of(groups)
    missing = np.flatnonzero(cells.among(rules.words(usual=()))[cells.codes])
    if len(missing):
        raise DataError(
            f"data.groups: {name!r} is missing in {name_rows(missing)}; allowed is a group for "
            "every row; name it, or remove such rows"
        )
    # Sorted, so that the split does not depend on the order of the rows.
    codes, _ = pd.factorize(cells.words[cells.codes], sort=True)
    return np.asarray(codes, dtype=np.int64)


def split_by_group(spec: DataSpec, groups: np.ndarray, seed: int) -> tuple[np.ndarray, ...]:
    """Return the positions of the training, validation and test rows, each (row,).

    `test_size` and `val_size` are shares of the groups, not of rows.

    Raises:
        DataError: There are too few groups for that.
    """
    n_test, n_val = _count_groups(spec, len(np.unique(groups)))
    rest, test = _split(np.arange(len(groups)), groups, n_test, seed=seed)
    train, val = _split(rest, groups, n_val, seed=seed)
    return train, val, test


def _count_groups(spec: DataSpec, n_groups: int) -> tuple[int, int]:
    """Return the numbers of groups for test and validation, rounded as those of rows are."""
    n_test, n_val = math.ceil(spec.test_size * n_groups), max(1, round(spec.val_size * n_groups))
    if n_test + n_val >= n_groups:
        raise DataError(
            f"data.groups: {spec.groups!r} has {n_groups} groups, of which test_size takes "
            f"{n_test} and val_size {n_val}, so that none is left for training; allowed are one "
            "or more for each split; lower the sizes, or name a column with more groups"
        )
    return n_test, n_val


def _split(
    rows: np.ndarray, groups: np.ndarray, taken: int, *, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    splitter = GroupShuffleSplit(n_splits=1, test_size=taken, random_state=seed)
    stays, leaves = next(splitter.split(rows, groups=groups[rows]))
    return rows[stays], rows[leaves]
