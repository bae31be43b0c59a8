"""The rows of a study: loaded, split three ways, scaled on training rows alone."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn import datasets
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

from finetune.errors import DataError
from finetune.spec import DataSpec, Source
from finetune.streams import integer_seed, stream


@dataclass(frozen=True)
class Rows:
    """Features `x`, float64 (row, feature); targets `y` (row,); `index` (row,) in the source."""

    x: np.ndarray
    y: np.ndarray
    index: np.ndarray


@dataclass(frozen=True)
class Splits:
    """Training rows fit the network, validation rows steer the callbacks, test rows only judge."""

    train: Rows
    val: Rows
    test: Rows

    @property
    def n_features(self) -> int:
        """Number of columns of every `x`."""
        return self.train.x.shape[1]

    @property
    def n_classes(self) -> int:
        """Number of distinct targets, for classification."""
        return 1 + int(max(rows.y.max() for rows in (self.train, self.val, self.test)))


def load_splits(spec: DataSpec, seed: int, *, vary: tuple[Source, ...] = ()) -> Splits:
    """Load the rows for one seed and split them.

    The test rows are taken first and the validation rows from what remains, so a study's test
    rows do not depend on its validation share. The scaler is fitted on training rows alone.

    Raises:
        DataError: the source is unknown, or refuses its arguments, or leaves a split empty.
    """
    x, y = _load(spec, seed, vary=vary)
    split_seed = spec.split_seed
    if "split" in vary:
        split_seed = integer_seed(stream("split", seed, vary=vary))
    rest, test = _split(np.arange(len(x)), spec.test_size, split_seed, what="test_size")
    # A count, since a share of the rest would round to one row more or less.
    train, val = _split(rest, max(1, round(spec.val_size * len(x))), split_seed, what="val_size")
    scaler = StandardScaler().fit(x[train])
    parts = (train, val, test)
    return Splits(*(Rows(np.asarray(scaler.transform(x[part])), y[part], part) for part in parts))


def _split(rows: np.ndarray, size: float, seed: int, *, what: str) -> Any:
    try:
        return train_test_split(rows, test_size=size, random_state=seed)
    except ValueError as error:
        raise DataError(
            f"data.{what}: {len(rows)} rows cannot give up {size:g} of them: {error}"
        ) from error


def _load(spec: DataSpec, seed: int, *, vary: tuple[Source, ...]) -> tuple[np.ndarray, np.ndarray]:
    generator = _generator(spec.source)
    arguments: dict[str, Any] = dict(spec.args)
    if spec.source.startswith("load_"):
        arguments["return_X_y"] = True
    if "data" in vary and spec.source.startswith("load_"):
        raise DataError(
            f"vary: received 'data', but {spec.source} gives the same rows every time; allowed "
            "with it are generators, which draw rows by a random_state; leave 'data' out"
        )
    if "data" in vary:
        arguments["random_state"] = integer_seed(stream("data", seed, vary=vary))
    try:
        x, y = generator(**arguments)
    except (TypeError, ValueError) as error:
        raise DataError(f"data.args: {spec.source} refuses {spec.args}: {error}") from error
    return np.asarray(x, dtype=np.float64), np.asarray(y)


def _generator(source: str) -> Any:
    known = [
        name
        for name in dir(datasets)
        if name.startswith(("make_", "load_")) and name != "load_files"
    ]
    if source not in known:
        raise DataError(
            f"data.source: received {source!r}; allowed is a generator or loader of "
            f"sklearn.datasets: {', '.join(known)}"
        )
    return getattr(datasets, source)
