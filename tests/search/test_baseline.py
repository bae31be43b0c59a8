"""The sampler's baseline: random search beside the search itself, in one report."""

import pandas as pd
import pytest

from finetune.analysis.tuned import read_tuned
from finetune.search.random_search import REPEATS
from finetune.studies.load import load_spec
from finetune.studies.search import search_study
from tests.small_studies import small_study


@pytest.fixture
def baseline(executor, options, tmp_path):
    """Search at random with training made up; give the folder of the report."""
    size = ("seeds=3", "training.epochs=4", "search.trials=5", "search.seeds=2")
    spec = small_study(*size)
    executor.failed_share = 0.0
    search_study(spec, tmp_path / "out", baseline=True, options=options)
    return tmp_path / "out", spec


def test_every_repeat_has_the_budget_of_the_search_and_a_winner_on_fresh_seeds(baseline):
    folder, spec = baseline
    trials = pd.read_csv(folder / "tables" / "search_baseline.csv")
    assert (trials.groupby(["arm", "repeat"]).size() == 5).all()
    assert set(trials["repeat"]) == set(range(REPEATS))
    assert trials["value"].nunique() == len(trials)  # every repeat tries other settings
    tuned = read_tuned(folder, spec)
    assert tuned is not None
    best = trials.groupby(["arm", "repeat"])["value"].min()
    found = {(row["arm"], row["repeat"]): row["searched"] for row in tuned.baseline}
    assert found == dict(best.items())
    assert all(row["fresh"] > 0 for row in tuned.baseline)
    assert "### Against random search" in (folder / "report.md").read_text()


def test_the_shipped_study_has_a_budget_for_the_search():
    assert load_spec().search.trials == 64
