"""Data that a user might bring: a table with holes and kinds, as any file."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from finetune.data.splits import Splits, load_splits
from finetune.spec.data import DataSpec


def people(rows: int = 60) -> pd.DataFrame:
    """Make rows with numbers, text and booleans, some missing, in three classes."""
    rng = np.random.default_rng(7)
    table = pd.DataFrame(
        {
            "age": rng.normal(40, 9, rows),
            "town": rng.choice(["Ely", "Rye", "Ayr"], rows),
            "member": rng.random(rows) > 0.5,
            "children": rng.integers(0, 4, rows),
            "plan": np.resize(["no", "yes", "maybe", "no"], rows),
        }
    )
    table.loc[[3, 11], "age"] = np.nan
    table.loc[[4, 5], "town"] = None
    return table


WRITERS: dict[str, Callable[[pd.DataFrame, Path], object]] = {
    ".csv": lambda table, file: table.to_csv(file, index=False),
    ".tsv": lambda table, file: table.to_csv(file, index=False, sep="\t"),
    ".parquet": lambda table, file: table.to_parquet(file),
}


def write(file: Path, table: pd.DataFrame | None = None) -> str:
    """Write a table in the format of the file's suffix; return the path."""
    WRITERS[file.suffix](people() if table is None else table, file)
    return str(file)


def splits_of(source: str, **options) -> Splits:
    return load_splits(DataSpec.model_validate({"source": source, **options}), 0)
