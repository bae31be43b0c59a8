"""Finished runs, in Parquet shards that are written whole or not at all."""

import os
import re
import secrets
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

import pandas as pd
import pyarrow as pa
import pyarrow.dataset as ds

from finetune.errors import StoreError
from finetune.spec.metrics import further_columns
from finetune.spec.regular_file import read_regular
from finetune.store.atomic import remove_partial_files, sync_folder, write_synced, write_whole
from finetune.store.links import refuse_links_of_store
from finetune.store.schema import EPOCH_COLUMNS, RUN_COLUMNS, TRIAL_COLUMNS
from finetune.store.selection import missing_variants, named_rows
from finetune.store.shards import (
    count_rows,
    damage,
    encoded,
    further_in,
    name_of,
    scan,
    shard_names,
    versions_by_shard,
)

_Read = TypeVar("_Read")

_IDENTITY = re.compile(rb"[0-9a-f]{32}")


class ResultStore:
    """Runs known by (recipe, seed), where the recipe is the digest of all else that matters.

    A shard is two files of one name: `epochs/NAME.parquet`, then `runs/NAME.parquet`. The second
    commits the first: epochs without it are those of a writer that was killed, and are not read.
    NAME is the digest of what the two hold, so that damage shows.
    The column `variant` in a shard is the name at the time of training; readers rename by recipe.

    The trials of searches are kept beside them, in shards of a batch each: a search's own database
    can be rebuilt from these.
    """

    def __init__(self, folder: Path):
        self.folder = folder
        self._runs = folder / "runs"
        self._epochs = folder / "epochs"
        self._trials = folder / "trials"

    def __str__(self) -> str:
        return str(self.folder)

    def open(self, on_note: Callable[[str], None] = lambda text: None) -> None:
        """Make the folder, or see that the one there is sound.

        A shard that is damaged, or lacks its other half, is set aside, and `on_note` is called with
        its name: what it held is trained anew. What a killed writer left unfinished is removed.

        Raises:
            StoreError: the folder cannot be made or written to, or a link is in it.
        """
        refuse_links_of_store(self.folder)
        try:
            for folder in (self._runs, self._epochs, self._trials):
                folder.mkdir(parents=True, exist_ok=True)
            for folder in (self.folder, self._runs, self._epochs, self._trials):
                remove_partial_files(folder)
            self._identify()
            for name, folders, reason in self._damaged():
                on_note(self._set_aside(name, folders, reason=reason))
        except OSError as error:
            raise StoreError(
                f"--out: cannot write to {str(self.folder)!r}: {error.strerror}; give a folder "
                "that you may write to"
            ) from error

    def identity(self) -> str:
        """Return the text that this folder alone has; "" where there is none or no such text.

        Two machines may have folders of one name. Those that read the same here share one.
        """
        try:
            found = read_regular(self.folder / "identity", follow=False)
        except OSError:
            return ""
        return found.decode() if _IDENTITY.fullmatch(found) else ""

    def as_seen_by_workers(self) -> "ResultStore":
        """Return the same store by its absolute path: a worker may run in another folder."""
        return ResultStore(self.folder.resolve())

    def _identify(self) -> None:
        """Make sure that the folder can be written to and has an identity."""
        probe = self._runs / f".writable-{secrets.token_hex(8)}.partial"
        probe.touch()
        probe.unlink()
        if not self.identity():
            self._write_identity()

    def _write_identity(self) -> None:
        file = self.folder / "identity"
        draft = self.folder / f".identity-{secrets.token_hex(8)}.partial"
        try:
            write_synced(draft, secrets.token_hex(16).encode())
            # Linked, so that of two programs that begin at once both read what one has written.
            file.hardlink_to(draft)
        except FileExistsError:
            # What is there may be no identity: of a disk that lost power, or a stranger's.
            if not self.identity():
                draft.replace(file)
        finally:
            draft.unlink(missing_ok=True)
        sync_folder(self.folder)

    def check(self) -> None:
        """Raise StoreError where a shard is damaged, or is not one that this program writes.

        Raises:
            StoreError: It names the shard, or a link where the store has a folder.
        """
        refuse_links_of_store(self.folder)
        for name, _, reason in self._damaged():
            raise StoreError(
                f"store: the shard {name} is damaged: {reason}; run the study again: "
                "`finetune run` sets the shard aside and trains anew what it held"
            )

    def _damaged(self) -> Iterator[tuple[str, tuple[Path, ...], str]]:
        for folders in ((self._runs, self._epochs), (self._trials,)):
            for name in shard_names(folders[0]):
                reason = damage(name, folders)
                # A compaction may have replaced it meanwhile.
                if reason and os.path.lexists(folders[0] / name):
                    yield name, folders, reason

    def _set_aside(self, name: str, folders: Iterable[Path], *, reason: str) -> str:
        """Move a shard away, all its files; return what the user should know."""
        away = self.folder / "set-aside"
        for folder in folders:
            (away / folder.name).mkdir(parents=True, exist_ok=True)
            # One of the files may be what is missing.
            with suppress(FileNotFoundError):
                (folder / name).replace(_unused(away / folder.name / name))
        return (
            f"The shard {name} is damaged: {reason}; it is set aside in {away}, and what it held "
            "is trained anew"
        )

    def write(self, runs: pd.DataFrame, epochs: pd.DataFrame) -> None:
        """Add the runs of one task as one shard.

        Raises:
            StoreError: the folder or a file cannot be written.
        """
        self.write_files(
            encoded(runs.loc[:, ["recipe", *RUN_COLUMNS, *further_columns(runs)]]),
            encoded(epochs.loc[:, ["recipe", *EPOCH_COLUMNS, *further_columns(epochs)]]),
        )

    def write_files(self, runs: bytes, epochs: bytes) -> str:
        """Add a shard as its two files; return its name.

        Raises:
            StoreError: the folder or a file cannot be written.
        """
        name = name_of(runs, epochs)
        write_whole(self._epochs / name, epochs)
        write_whole(self._runs / name, runs)
        return name

    def write_trials(self, trials: pd.DataFrame) -> None:
        """Add the finished trials of one batch, as `TRIAL_COLUMNS`: `search` is its digest."""
        file = encoded(trials.loc[:, list(TRIAL_COLUMNS)])
        write_whole(self._trials / name_of(file), file)

    def trials(self, search: str) -> pd.DataFrame:
        """Return the finished trials of one search as `TRIAL_COLUMNS`, by number.

        A number can be there twice, with two settings, where the search's database was lost.
        """
        names = shard_names(self._trials)
        columns: list[str] = list(TRIAL_COLUMNS)
        table = scan(self._trials, names, wanted=ds.field("search") == search, columns=columns)
        frame = table.to_pandas().sort_values("number", ignore_index=True)
        return frame.drop_duplicates(["number", "setting"], ignore_index=True)

    def count(self) -> int:
        """Count the stored runs of all recipes; those that are in several shards several times."""
        return count_rows(self._runs)

    def missing(self, recipes: Mapping[str, str], seeds: Iterable[int]) -> dict[int, list[str]]:
        """Return, by seed, the variants without a stored run; see `missing_variants`."""
        stored = self._read(self._runs, recipes, columns=["recipe", "seed"])
        return missing_variants(stored, recipes, seeds)

    def runs(self, recipes: Mapping[str, str], seeds: Iterable[int]) -> pd.DataFrame:
        """Return the stored runs, in the order of `recipes`, then by seed.

        As `RUN_COLUMNS` and those of the further metrics that any of them has.
        """
        return self._select(self._runs, recipes, seeds, columns=RUN_COLUMNS)

    def epochs(self, recipes: Mapping[str, str], seeds: Iterable[int]) -> pd.DataFrame:
        """Return the stored epochs, in the order of the runs, then by epoch.

        As `EPOCH_COLUMNS` and those of the further metrics that any of their runs has.
        """
        return self._select(self._epochs, recipes, seeds, columns=EPOCH_COLUMNS)

    def versions(self, recipes: Mapping[str, str]) -> dict[str, dict[str, int]]:
        """Return the packages of which several versions trained runs: runs by version."""
        runs: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
        wanted = _is_of(recipes)
        found = self._steady(lambda names: list(versions_by_shard(self._runs, names, wanted)))
        for versions, rows in found:
            for package, version in versions.items():
                runs[package][version] += rows
        return {package: dict(found) for package, found in runs.items() if len(found) > 1}

    def _select(self, folder: Path, recipes, seeds, *, columns: tuple[str, ...]) -> pd.DataFrame:
        wanted = _is_of(recipes)
        further = self._steady(lambda names: further_in(folder, names, wanted))
        stored = self._read(folder, recipes, columns=["recipe", *columns[1:], *further])
        return named_rows(stored, recipes, seeds, columns=columns)

    def _read(
        self, folder: Path, recipes: Mapping[str, str], *, columns: list[str]
    ) -> pd.DataFrame:
        frame = self._scan(folder, wanted=_is_of(recipes), columns=columns).to_pandas()
        # An integer column with gaps would come back as floats.
        whole = {"first_reduction_epoch": "Int64"}
        return frame.astype({name: kind for name, kind in whole.items() if name in frame})

    def _scan(self, folder: Path, *, wanted: ds.Expression, columns: list[str]) -> pa.Table:
        return self._steady(lambda names: scan(folder, names, wanted=wanted, columns=columns))

    def _steady(self, read: Callable[[list[str]], _Read]) -> _Read:
        """Read the shards, and once more where a compaction has replaced some meanwhile.

        The new ones say the same.
        """
        names = shard_names(self._runs)
        try:
            return read(names)
        except StoreError:
            if shard_names(self._runs) == names:
                raise
            return self._steady(read)


def _is_of(recipes: Mapping[str, str]) -> ds.Expression:
    return ds.field("recipe").isin(sorted(set(recipes.values())))


def _unused(file: Path) -> Path:
    """Return a name like a file's that is not taken: what was set aside before stays."""
    number, free = 1, file
    while os.path.lexists(free):
        number += 1
        free = file.with_name(f"{file.name}.{number}")
    return free
