"""Rows of stored tables by recipe and seed: what every store does alike, whatever it keeps."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd

from finetune.spec.metrics import further_columns


def missing_variants(
    stored: pd.DataFrame, recipes: Mapping[str, str], seeds: Iterable[int]
) -> dict[int, list[str]]:
    """Return, by seed, the variants without a stored run; seeds that lack none are left out.

    Args:
        stored: A row a run, with the columns `recipe` and `seed`.
        recipes: The recipe of each variant, by its name. Of variants that share a recipe only the
            first is named, since one run serves them all.
        seeds: The seeds wanted.
    """
    first: dict[str, str] = {}
    for name, recipe in recipes.items():
        first.setdefault(recipe, name)
    have = set(zip(stored["recipe"], stored["seed"], strict=True))
    gaps = {
        seed: [name for recipe, name in first.items() if (recipe, seed) not in have]
        for seed in seeds
    }
    return {seed: names for seed, names in gaps.items() if names}


def named_rows(
    stored: pd.DataFrame,
    recipes: Mapping[str, str],
    seeds: Iterable[int],
    *,
    columns: Sequence[str],
) -> pd.DataFrame:
    """Return stored rows under the names of variants, in the order of `recipes`, seed and epoch.

    Args:
        stored: Runs or epochs with the column `recipe`, in any order, some perhaps twice.
        recipes: The recipe of each variant, by its name; variants may share one.
        seeds: The seeds wanted.
        columns: Of the result, in this order; `variant` is among them. The columns of further
            metrics that any of the rows has come after them.
    """
    found = stored[stored["seed"].isin(list(seeds))]
    key = [name for name in ("variant", "seed", "epoch") if name in columns]
    names = pd.DataFrame({"recipe": list(recipes.values()), "variant": list(recipes)})
    names["variant"] = pd.Categorical(names["variant"], categories=list(recipes))
    named = names.merge(found, on="recipe").sort_values(key, ignore_index=True)
    # Two programs on one store may both have trained a run; its numbers are the same.
    named = named.drop_duplicates(key, ignore_index=True)
    measured: Any = named[list(further_columns(stored))].dropna(axis="columns", how="all")
    return named.astype({"variant": "str"}).loc[:, [*columns, *measured]]
