"""Finished runs, in Parquet shards that are written whole or not at all."""

import io
import os
from collections.abc import Iterable, Mapping
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq

from finetune.errors import StoreError
from finetune.spec import digest
from finetune.whole_file import write_whole

RUN_COLUMNS = (
    "variant", "seed", "status", "train_loss", "train_accuracy", "val_loss", "val_accuracy",
    "test_loss", "test_accuracy", "epochs_run", "best_epoch", "lr_reductions",
    "first_reduction_epoch", "final_lr",
)  # fmt: skip
EPOCH_COLUMNS = (
    "variant", "seed", "epoch", "loss", "val_loss", "val_accuracy", "test_loss", "test_accuracy",
    "train_loss", "train_accuracy", "learning_rate",
)  # fmt: skip
TRIAL_COLUMNS = ("search", "number", "factor", "patience", "start_from_epoch", "value")


class ResultStore:
    """Runs known by (recipe, seed), where the recipe is the digest of all else that matters.

    A shard is two files of one name: `epochs/NAME.parquet`, then `runs/NAME.parquet`. The second
    commits the first: epochs without it are those of a writer that was killed, and are not read.
    The column `variant` in a shard is the name at the time of training; readers rename by recipe.

    The trials of searches are kept beside them, in shards of a batch each: a search's own database
    can be rebuilt from these.
    """

    def __init__(self, folder: Path):
        self.folder = folder
        self._runs = folder / "runs"
        self._epochs = folder / "epochs"
        self._trials = folder / "trials"

    def create(self) -> None:
        """Make the folder.

        Raises:
            StoreError: it cannot be made or written to.
        """
        try:
            for part in (self._runs, self._epochs, self._trials):
                part.mkdir(parents=True, exist_ok=True)
            probe = self._runs / f".writable-{os.getpid()}"
            probe.touch()
            probe.unlink()
        except OSError as error:
            raise StoreError(
                f"--out: cannot write to {str(self.folder)!r}: {error.strerror}; give a folder "
                "that you may write to"
            ) from error

    def write(self, runs: pd.DataFrame, epochs: pd.DataFrame) -> None:
        """Add the runs of one task as one shard, named by the runs in it."""
        keys = runs[["recipe", "seed"]].astype({"recipe": str})
        name = digest({"runs": keys.to_numpy().tolist()})
        _write_shard(epochs.loc[:, ["recipe", *EPOCH_COLUMNS]], self._epochs / f"{name}.parquet")
        _write_shard(runs.loc[:, ["recipe", *RUN_COLUMNS]], self._runs / f"{name}.parquet")

    def write_trials(self, trials: pd.DataFrame) -> None:
        """Add the finished trials of one batch, as `TRIAL_COLUMNS`: `search` is its digest."""
        keys = trials.drop(columns="value").to_csv(index=False)
        path = self._trials / f"{digest({'trials': keys})}.parquet"
        _write_shard(trials.loc[:, list(TRIAL_COLUMNS)], path)

    def trials(self, search: str) -> pd.DataFrame:
        """Give the finished trials of one search as `TRIAL_COLUMNS`, by number.

        A number can be there twice, with two settings, where the search's database was lost.
        """
        names = sorted(file.name for file in self._trials.glob("*.parquet"))
        columns: list[str] = list(TRIAL_COLUMNS)
        table = _scan(self._trials, names, wanted=ds.field("search") == search, columns=columns)
        frame = table.to_pandas().sort_values("number", ignore_index=True)
        trial = ["number", "factor", "patience", "start_from_epoch"]
        return frame.drop_duplicates(trial, ignore_index=True)

    def missing(self, recipes: Mapping[str, str], seeds: Iterable[int]) -> dict[int, list[str]]:
        """Tell, by seed, the variants that have no stored run; seeds with none are left out.

        Args:
            recipes: The recipe of each variant, by its name. Of variants that share a recipe
                only the first is named, since one run serves them all.
            seeds: The seeds wanted.
        """
        first: dict[str, str] = {}
        for name, recipe in recipes.items():
            first.setdefault(recipe, name)
        stored = self._read(self._runs, recipes, columns=["recipe", "seed"])
        have = set(zip(stored["recipe"], stored["seed"], strict=True))
        gaps = {
            seed: [name for recipe, name in first.items() if (recipe, seed) not in have]
            for seed in seeds
        }
        return {seed: names for seed, names in gaps.items() if names}

    def runs(self, recipes: Mapping[str, str], seeds: Iterable[int]) -> pd.DataFrame:
        """Give the stored runs as `RUN_COLUMNS`, in the order of `recipes`, then by seed."""
        return self._select(self._runs, recipes, seeds, columns=RUN_COLUMNS)

    def epochs(self, recipes: Mapping[str, str], seeds: Iterable[int]) -> pd.DataFrame:
        """Give the stored epochs as `EPOCH_COLUMNS`, in the order of `recipes`, seed and epoch."""
        return self._select(self._epochs, recipes, seeds, columns=EPOCH_COLUMNS)

    def _select(self, part: Path, recipes, seeds, *, columns: tuple[str, ...]) -> pd.DataFrame:
        found = self._read(part, recipes, columns=["recipe", *columns[1:]])
        found = found[found["seed"].isin(list(seeds))]
        key = [name for name in ("variant", "seed", "epoch") if name in columns]
        names = pd.DataFrame({"recipe": list(recipes.values()), "variant": list(recipes)})
        names["variant"] = pd.Categorical(names["variant"], categories=list(recipes))
        named = names.merge(found, on="recipe").sort_values(key, ignore_index=True)
        # Two programs on one folder may both have trained a run; its numbers are the same.
        named = named.drop_duplicates(key, ignore_index=True)
        return named.astype({"variant": "str"}).loc[:, list(columns)]

    def _read(self, part: Path, recipes: Mapping[str, str], *, columns: list[str]) -> pd.DataFrame:
        names = sorted(file.name for file in self._runs.glob("*.parquet"))
        wanted = ds.field("recipe").isin(sorted(set(recipes.values())))
        table = _scan(part, names, wanted=wanted, columns=columns)
        frame = table.to_pandas()
        # An integer column with gaps would come back as floats.
        whole = {"first_reduction_epoch": "Int64"}
        return frame.astype({name: kind for name, kind in whole.items() if name in frame})


def _scan(part: Path, names: list[str], *, wanted: ds.Expression, columns: list[str]) -> pa.Table:
    """Read the rows wanted from the shards of these names."""
    files = [str(part / name) for name in names]
    try:
        shards = ds.dataset(files, format="parquet", schema=_schema(part.name))
        return shards.to_table(columns=columns, filter=wanted)
    except (OSError, pa.ArrowException) as error:
        name, reason = _unreadable(part, names) or ("a shard", str(error))
        moved = "trials" if part.name == "trials" else "runs"
        raise StoreError(
            f"store: cannot read {part.name}/{name}: {reason.splitlines()[0]}; move "
            f"{moved}/{name} away and run again: what it held will be trained anew"
        ) from error


_COLUMNS = {
    "runs": ("recipe", *RUN_COLUMNS),
    "epochs": ("recipe", *EPOCH_COLUMNS),
    "trials": TRIAL_COLUMNS,
}
_INTEGERS = ("seed", "number", "epochs_run", "best_epoch", "lr_reductions", "first_reduction_epoch")
_TEXTS = ("recipe", "variant", "status", "search")


def _schema(part: str) -> pa.Schema:
    """Give the types of a shard's columns; epochs hold the study's own dtype, read as float64."""

    def kind(name: str) -> pa.DataType:
        if name in _TEXTS:
            return pa.string()
        if name == "epoch":
            return pa.int32()
        return pa.int64() if name in _INTEGERS else pa.float64()

    return pa.schema([(name, kind(name)) for name in _COLUMNS[part]])


def _unreadable(part: Path, names: Iterable[str]) -> tuple[str, str] | None:
    """Find the first shard that cannot be read, and why; Arrow does not always name it."""
    for name in names:
        try:
            pq.ParquetFile(part / name).read()
        except FileNotFoundError:
            return name, "it is missing"
        except (OSError, pa.ArrowException) as error:
            return name, str(error)
    return None


def _write_shard(frame: pd.DataFrame, path: Path) -> None:
    written = io.BytesIO()
    table = pa.Table.from_pandas(frame, preserve_index=False)
    pq.write_table(table, written, compression="zstd")
    write_whole(path, written.getvalue())
