"""What every store of runs offers, whatever it keeps them in."""

from collections.abc import Callable, Iterable, Mapping
from typing import Protocol, Self

import pandas as pd


class Store(Protocol):
    """Runs known by (recipe, seed), and the trials of searches.

    Worker processes get a copy of it with their tasks and write to it themselves, where
    `as_seen_by_workers` says that they can. Readers take `recipes`, the recipe of each variant by
    its name, and return runs under these names.
    """

    def open(self, on_note: Callable[[str], None] = ...) -> None:
        """Make the store, or see that the one there is sound; mend it where it is not."""
        ...

    def check(self) -> None:
        """Raise StoreError where something in it is damaged."""
        ...

    def identity(self) -> str:
        """Return a text that no other store has; "" where there is no store yet."""
        ...

    def as_seen_by_workers(self) -> Self | None:
        """Return the same store as a process in another folder finds it, small enough to be sent.

        None: other processes cannot write to it, and return results instead.
        """
        ...

    def write(self, runs: pd.DataFrame, epochs: pd.DataFrame) -> None:
        """Add the runs of one task, all of them or none."""
        ...

    def count(self) -> int:
        """Count the stored runs of all recipes."""
        ...

    def missing(self, recipes: Mapping[str, str], seeds: Iterable[int]) -> dict[int, list[str]]:
        """Return, by seed, the variants without a stored run; of equal recipes the first."""
        ...

    def runs(self, recipes: Mapping[str, str], seeds: Iterable[int]) -> pd.DataFrame:
        """Return the stored runs, in the order of `recipes`, by seed.

        As `schema.RUN_COLUMNS` and the columns of the further metrics that any of them has.
        """
        ...

    def epochs(self, recipes: Mapping[str, str], seeds: Iterable[int]) -> pd.DataFrame:
        """Return the stored epochs, in the order of the runs.

        As `schema.EPOCH_COLUMNS` and the columns of the further metrics that any of them has.
        """
        ...

    def versions(self, recipes: Mapping[str, str]) -> dict[str, dict[str, int]]:
        """Return the packages of which several versions trained runs: runs by version."""
        ...

    def write_trials(self, trials: pd.DataFrame) -> None:
        """Add finished trials of a search, as `schema.TRIAL_COLUMNS`."""
        ...

    def trials(self, search: str) -> pd.DataFrame:
        """Return the finished trials of one search, by number."""
        ...
