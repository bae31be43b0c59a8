import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import scikit_posthocs

from finetune.stats.pairs import RunsError
from finetune.stats.ranks import friedman, homogeneous_groups, rank

VARIANTS = ("no callbacks", "from epoch 0", "delayed")


def test_the_best_variant_ranks_first(make_runs):
    shifts = {"from epoch 0": {"test_loss": 0.05, "test_accuracy": 0.05}}
    loss = rank(make_runs(shifts), VARIANTS, metric="test_loss", alpha=0.05)
    assert loss.average.index[-1] == "from epoch 0"
    assert loss.average["from epoch 0"] == 3
    assert loss.p_friedman is not None
    assert loss.p_friedman < 1e-6
    assert set(map(frozenset, loss.groups)) == {
        frozenset({"no callbacks", "delayed"}),
        frozenset({"from epoch 0"}),
    }
    accuracy = rank(make_runs(shifts), VARIANTS, metric="test_accuracy", alpha=0.05)
    assert accuracy.average["from epoch 0"] == 1


def test_pairwise_tests_are_those_of_scikit_posthocs(make_runs):
    runs = make_runs({"from epoch 0": {"test_loss": 0.0008}})
    found = rank(runs, VARIANTS, metric="test_loss", alpha=0.05).p_values
    theirs = scikit_posthocs.posthoc_wilcoxon(
        runs.sort_values("seed"),
        val_col="test_loss",
        group_col="variant",
        method="exact",
        p_adjust="holm",
    )
    pd.testing.assert_frame_equal(found, theirs.loc[found.index, found.columns], rtol=1e-12)


def test_equal_variants_share_a_rank_and_a_group(make_runs):
    found = rank(make_runs(noise=0.0), VARIANTS, metric="test_loss", alpha=0.05)
    assert (found.average == 2).all()
    assert (found.friedman, found.p_friedman) == (0.0, 1.0)
    assert (found.p_values == 1).all().all()
    assert found.groups == (VARIANTS,)


def test_two_variants_have_no_friedman(make_runs):
    found = rank(make_runs(), VARIANTS[:2], metric="test_loss", alpha=0.05)
    assert (found.friedman, found.p_friedman) == (None, None)
    assert found.p_values.shape == (2, 2)
    assert friedman(np.ones((1, 3))) == (None, None)


def test_one_variant_ranks_alone(make_runs):
    found = rank(make_runs(), VARIANTS[:1], metric="test_loss", alpha=0.05)
    assert (found.average.tolist(), found.groups) == ([1.0], (VARIANTS[:1],))


def test_no_complete_seed_is_refused(make_runs):
    runs = make_runs(n=3).assign(status="failed")
    with pytest.raises(RunsError, match="no seed has a run of every variant"):
        rank(runs, VARIANTS, metric="test_loss", alpha=0.05)


def test_a_seed_without_every_variant_is_named(make_runs):
    runs = make_runs(n=10)
    runs.loc[(runs["variant"] == "delayed") & (runs["seed"] == 4), "status"] = "failed"
    found = rank(runs, VARIANTS, metric="test_loss", alpha=0.05)
    assert found.n == 9
    assert [run.seed for run in found.excluded] == [4]


def test_groups_may_overlap():
    p_values = pd.DataFrame(1.0, index=list("abc"), columns=list("abc"))
    p_values.loc["a", "c"] = p_values.loc["c", "a"] = 0.01
    assert homogeneous_groups(p_values, alpha=0.05) == (("a", "b"), ("b", "c"))


def test_nothing_heavy_is_loaded():
    code = (
        "import finetune.claims.grid, finetune.stats.probe, finetune.stats.ranks\n"
        "import finetune.claims.words, sys; print(*sys.modules)"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    loaded = set(result.stdout.split())
    assert not loaded & {"tensorflow", "keras", "matplotlib", "scikit_posthocs"}
