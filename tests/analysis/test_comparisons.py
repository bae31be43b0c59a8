import numpy as np
import pytest

from finetune.analysis.comparisons import (
    CLAIM,
    SAME_AGAIN,
    alpha_of,
    claim_power,
    contrast_table,
    disagreements,
    pair_table,
    rankings,
)
from finetune.analysis.runs import tidy_runs
from finetune.stats.t_test import Sample, confidence_bounds, p_value
from tests.made_study import CLAIM_VARIANTS, VARIANTS, make_claim, make_study


def _pairs(made):
    return pair_table(tidy_runs(made.runs, made.spec), made.spec, replicate=made.replicate)


def _of(pairs, comparison):
    """Return the rows of the first claim."""
    return pairs.query("claim == 'underfits' and comparison == @comparison")


def test_pairs_are_the_differences_that_the_verdict_averages(claimed, claimed_analysis):
    pairs, verdict = claimed_analysis.pairs, claimed_analysis.verdict
    differences = _of(pairs, CLAIM)
    assert list(differences["seed"]) == list(range(10))
    for side in (verdict.primary.train, verdict.primary.test, verdict.secondary.test):
        assert differences[side.metric].mean() == pytest.approx(side.difference.mean)
    again = _of(pairs, SAME_AGAIN)
    side = verdict.same_again.primary.test
    assert again["test_loss"].mean() == pytest.approx(side.difference.mean)
    control = claimed.runs.query("variant == 'delayed'")["test_loss"].to_numpy()
    expected = claimed.replicate["test_loss"].to_numpy() - control
    np.testing.assert_array_equal(again["test_loss"], expected)


def test_a_failed_run_takes_its_pair_with_it():
    made = make_claim(seeds=3, failed=(("reduction", 1),))
    pairs = _pairs(made)
    assert list(_of(pairs, CLAIM)["seed"]) == [0, 2]
    assert list(_of(pairs, SAME_AGAIN)["seed"]) == [0, 1, 2]


def test_a_study_without_a_claim_or_a_replicate_has_no_such_pairs(study, claimed):
    assert _pairs(study).empty
    runs = tidy_runs(claimed.runs, claimed.spec)
    assert set(pair_table(runs, claimed.spec, replicate=None)["comparison"]) == {CLAIM}


def test_contrasts_are_those_of_the_claim_and_against_the_baseline(claimed_analysis):
    losses = claimed_analysis.contrasts.query("metric == 'test_loss'")
    assert list(zip(losses["treatment"], losses["control"], strict=True)) == [
        ("reduction", "delayed"),
        ("early stopping", "no callbacks"),
        ("reduction", "no callbacks"),
        ("delayed", "no callbacks"),
    ]
    wide = claimed_analysis.runs.pivot(index="seed", columns="variant", values="test_loss")
    differences = Sample.of((wide["reduction"] - wide["delayed"]).to_numpy())
    np.testing.assert_allclose(losses["p"].iloc[0], p_value(differences))
    interval = confidence_bounds(differences, alpha=0.025)
    np.testing.assert_allclose(losses[["low", "high"]].iloc[0].to_list(), interval)


def test_the_level_is_the_claims(study, claimed):
    claim = claimed.spec.claim.model_copy(update={"alpha": 0.01})
    assert alpha_of(claimed.spec.model_copy(update={"claims": (claim,)})) == 0.01
    assert alpha_of(study.spec) == 0.05


def test_ranks_leave_out_incomplete_seeds_and_metrics_not_measured():
    made = make_claim(seeds=3, failed=(("early stopping", 1),), accuracy=False)
    found = rankings(tidy_runs(made.runs, made.spec), made.spec)
    assert [ranking.metric for ranking in found] == ["train_loss", "test_loss"]
    assert {ranking.n for ranking in found} == {2}


def test_the_rank_table_is_best_first(claimed_analysis):
    ranks = claimed_analysis.ranks.query("metric == 'test_loss'")
    assert list(ranks["average_rank"]) == sorted(ranks["average_rank"])
    assert ranks["average_rank"].sum() == 1 + 2 + 3 + 4
    assert set(ranks["n"]) == {10}
    # Delayed reduction acts after the others are done, so two variants tie and share a group.
    groups = ranks.set_index("variant")["groups"]
    assert groups["delayed"] == groups["no callbacks"]
    assert groups["delayed"] not in groups["reduction"].split()


@pytest.mark.parametrize("variants", [VARIANTS[:1], CLAIM_VARIANTS], ids=["one", "all failed"])
def test_nothing_to_compare_is_no_error(variants):
    failed = tuple((variant["name"], 0) for variant in variants)
    made = make_study(seeds=1, variants=variants, failed=failed)
    runs = tidy_runs(made.runs, made.spec)
    assert rankings(runs, made.spec) == ()
    assert contrast_table(runs, made.spec).empty == (len(variants) == 1)


def test_what_the_seeds_can_detect_is_in_units_of_the_losses(claimed, claimed_analysis):
    verdict, margins = claimed_analysis.verdict, claimed.spec.claim.margins
    power = claim_power(verdict, claimed.spec)
    assert power.seeds == 10
    spread = verdict.primary.train.difference.sd
    expected = margins.train_loss + power.both * spread
    assert power.in_units["train_loss"] == pytest.approx(expected)


def test_tests_disagree_where_they_fall_on_both_sides_of_alpha(claimed_analysis):
    contrasts = claimed_analysis.contrasts.copy()
    contrasts.loc[1, ["p", "p_wilcoxon", "p_sign_flip"]] = [0.04, 0.0604, 0.03]
    contrasts.loc[2, ["p", "p_wilcoxon", "p_sign_flip"]] = [0.4, 0.3, 0.2]
    assert list(disagreements(contrasts, alpha=0.05).index) == [1]
