"""A store that keeps runs in memory: what another store than the one in files takes."""

from collections.abc import Callable, Iterable, Mapping

import pandas as pd

from finetune.spec.metrics import further_columns
from finetune.store.schema import EPOCH_COLUMNS, RUN_COLUMNS, TRIAL_COLUMNS
from finetune.store.selection import missing_variants, named_rows


class MemoryStore:
    """Keeps runs and trials until it is forgotten."""

    def __init__(self):
        self._runs = _empty(("recipe", *RUN_COLUMNS))
        self._epochs = _empty(("recipe", *EPOCH_COLUMNS))
        self._trials = _empty(TRIAL_COLUMNS)

    def open(self, on_note: Callable[[str], None] = lambda text: None) -> None:
        """There is nothing to make or mend."""

    def check(self) -> None:
        """Nothing in it can be damaged."""

    def identity(self) -> str:
        return f"memory {id(self)}"

    def as_seen_by_workers(self) -> None:
        """Another process has another memory."""
        return

    def write(self, runs: pd.DataFrame, epochs: pd.DataFrame) -> None:
        self._runs = _joined(self._runs, runs)
        self._epochs = _joined(self._epochs, epochs)

    def count(self) -> int:
        return len(self._runs)

    def missing(self, recipes: Mapping[str, str], seeds: Iterable[int]) -> dict[int, list[str]]:
        return missing_variants(self._runs, recipes, seeds)

    def runs(self, recipes: Mapping[str, str], seeds: Iterable[int]) -> pd.DataFrame:
        return named_rows(self._runs.drop(columns="variant"), recipes, seeds, columns=RUN_COLUMNS)

    def epochs(self, recipes: Mapping[str, str], seeds: Iterable[int]) -> pd.DataFrame:
        return named_rows(
            self._epochs.drop(columns="variant"), recipes, seeds, columns=EPOCH_COLUMNS
        )

    def versions(self, recipes: Mapping[str, str]) -> dict[str, dict[str, int]]:
        """One process has one version of everything."""
        return {}

    def write_trials(self, trials: pd.DataFrame) -> None:
        self._trials = _joined(self._trials, trials)

    def trials(self, search: str) -> pd.DataFrame:
        found = self._trials[self._trials["search"] == search]
        found = found.sort_values("number", ignore_index=True)
        return found.drop_duplicates(["number", "setting"], ignore_index=True)


def _empty(columns: Iterable[str]) -> pd.DataFrame:
    return pd.DataFrame({name: pd.Series(dtype=_kind(name)) for name in columns})


def _joined(stored: pd.DataFrame, new: pd.DataFrame) -> pd.DataFrame:
    columns = [*stored, *(name for name in further_columns(new) if name not in stored)]
    typed = {name: new[name].astype(_kind(name)) for name in columns if name in new}
    return pd.concat([stored, pd.DataFrame(typed)], ignore_index=True)


def _kind(column: str) -> str:
    if column in ("recipe", "variant", "status", "search", "setting"):
        return "str"
    if column == "first_reduction_epoch":
        return "Int64"
    if column == "epoch":
        return "int32"
    whole = ("seed", "number", "epochs_run", "best_epoch", "lr_reductions")
    return "int64" if column in whole else "float64"
