"""The differences that studies measured, to be drawn from: each study's pairs, centred."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.validity.cases import Case, fit_case, metric_case
from benchmarks.validity.sources import Outliers, Source
from finetune.claims.metric_claim import MetricClaim
from finetune.claims.registry import KINDS
from finetune.stats.pairs import ACCURACIES, LOSSES, worse_sign

DECIDING, BESIDE = "measured, deciding a claim", "measured beside them"


def measured_sources(folder: Path) -> tuple[Source, ...]:
    """Return a source for each metric of each claim of the studies in a folder of reports.

    Metrics that decide a claim are judged as it says, the other losses and accuracies of the same
    pairs by a claim of the same kind about them. A claim that was not tested is never judged, and
    has none. What another study measured just so is left out.
    """
    found: dict[tuple[str, ...], Source] = {}
    for path in sorted(folder.glob("*/verdict.json")):
        for claim in json.loads(path.read_text(encoding="utf-8"))["claims"]:
            if claim["verdict"] == "not tested":
                continue
            title = f"{path.parent.name}: {claim['name']}"
            for key, source in _sources(title, claim, _pairs(path.parent, claim)):
                found.setdefault(key, source)
    return tuple(found.values())


def _pairs(folder: Path, claim: dict[str, Any]) -> pd.DataFrame:
    """Return the claim's pairs, with those metrics that every pair has."""
    table = pd.read_csv(folder / "tables" / "pairs.csv")
    ours = (table["claim"] == claim["name"]) & (table["comparison"] == "treatment minus control")
    return table.loc[ours].dropna(axis="columns")


def _sources(
    title: str, claim: dict[str, Any], pairs: pd.DataFrame
) -> Iterator[tuple[tuple[str, ...], Source]]:
    """Yield sources, each with what it is known by: the claim's kind and the very differences."""
    for metrics, family, case in _cases(claim, pairs):
        signs = [worse_sign(metric) for metric in metrics]
        worsenings = pairs[list(metrics)].to_numpy(dtype=np.float64) * signs
        # Values that are all the same are drawn the same, and told as such.
        if (worsenings == worsenings[0]).all(axis=0).any():
            continue
        centred = worsenings - worsenings.mean(axis=0)
        name = f"{title}, {' and '.join(metric.replace('_', ' ') for metric in metrics)}"
        yield (case.name, centred.tobytes().hex()), _resampled(name, family, centred, case)


def _cases(claim: dict[str, Any], pairs: pd.DataFrame) -> Iterator[tuple[Sequence[str], str, Case]]:
    kind = KINDS[claim["kind"]]
    others = [name for name in (*LOSSES, *ACCURACIES) if name in pairs]
    if not isinstance(kind, MetricClaim):
        deciding = tuple(claim["primary"][side]["metric"] for side in ("train", "test"))
        yield deciding, DECIDING, fit_case(2)
        for metric in others:
            yield (metric,), DECIDING if metric in deciding else BESIDE, fit_case(1)
        return
    compared = claim["comparison"]
    found = compared["worsening"]
    # The margin in standard deviations, and that end of it at which the mean was found.
    at = {"margin": compared["margin"] / found["sd"], "end": float(np.sign(found["mean"]) or 1)}
    yield (compared["metric"],), DECIDING, metric_case(kind, **at)
    for metric in others:
        if metric != compared["metric"]:
            yield (metric,), BESIDE, metric_case(kind)


def _resampled(name: str, family: str, centred: np.ndarray, case: Case) -> Source:
    values = centred / centred.std(axis=0)

    def draw(rng: np.random.Generator, shape: tuple[int, int]) -> tuple[np.ndarray, ...]:
        # Metrics of one pair stay together.
        drawn = rng.integers(len(values), size=shape)
        return tuple(column[drawn] for column in values.T)

    # Of two metrics the one with the rarer outliers is told.
    each = [Outliers.of(column) for column in values.T]
    found = max(each, key=lambda one: (one.rare, one.farthest))
    return Source(name, family, draw, (case,), found)
