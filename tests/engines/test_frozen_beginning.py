"""A frozen beginning that is computed once: the same runs as where every step computes it."""

import numpy as np
import pytest

from finetune.engines.population import PopulationEngine, graph
from finetune.spec.study import StudySpec
from finetune.store.schema import RUN_COLUMNS
from tests.small_studies import small_study, task

NETWORKS = "tests.engines.networks"
IMAGES = ("data.source=tests.engines.sources:images", "data.args={}")
MEASURED = [c for c in RUN_COLUMNS if c.endswith(("_loss", "_accuracy"))]
ONCE = "model: the frozen beginning (base) is computed once for each row of data"


def study(*overrides: str) -> StudySpec:
    return small_study("training.dtype=float64", "training.epochs=4", *overrides)


def trained(spec: StudySpec):
    return PopulationEngine().train(task(spec, variants=spec.variants[:2]))


def said(tables) -> bool:
    return any(note.startswith(ONCE) for note in tables.notes)


@pytest.mark.parametrize("vary", ["['init', 'order']", "['init', 'order', 'split']"])
def test_runs_are_equal_to_rounding_to_those_that_compute_it_every_time(monkeypatch, vary):
    spec = study(*IMAGES, f"model.factory={NETWORKS}:frozen_features", f"vary={vary}")
    once = trained(spec)
    monkeypatch.setattr(graph, "after_frozen_beginning", lambda keras_problem: keras_problem)
    every_time = trained(spec)
    assert said(once)
    assert not said(every_time)
    np.testing.assert_allclose(once.runs[MEASURED], every_time.runs[MEASURED], rtol=1e-12)
    assert once.network == every_time.network


@pytest.mark.parametrize(
    "overrides",
    [
        (f"model.factory={NETWORKS}:loaded",),
        # Frozen, and drawn anew for each seed.
        ("model.freeze=['dense']",),
        # Kept, and training.
        (f"model.factory={NETWORKS}:loaded", "model.pretrained=all"),
    ],
)
def test_what_trains_or_differs_between_seeds_is_computed_every_time(overrides):
    assert not said(trained(study(*overrides)))
