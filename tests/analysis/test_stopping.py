"""Studies that ended at a look: means without bias, seeds that were saved, means over seeds."""

import numpy as np
import pandas as pd
import pytest

from finetune.analysis.accumulation import COLUMNS
from finetune.analysis.analysis import analyse_runs
from finetune.analysis.comparisons import CLAIM
from finetune.spec.looks import SeedRange
from finetune.spec.study import StudySpec
from finetune.stats.t_test import Sample, confidence_bounds
from tests.made_study import make_claim, make_study

SEEDS = 30


@pytest.fixture(scope="module")
def ended():
    """Analyse a study that was decided at its first look for one claim, at its second for none."""
    made = make_claim(seeds=SEEDS, noise=0.05)
    spec = StudySpec.model_validate(made.spec.model_dump() | {"seeds": SeedRange()})
    return analyse_runs(spec, made.runs, made.epochs)


def test_each_verdict_rests_on_the_seeds_of_its_look(ended):
    for verdict in ended.verdicts:
        pairs = ended.pairs
        mine = (pairs["claim"] == verdict.name) & (pairs["comparison"] == CLAIM)
        assert sorted(pairs.loc[mine, "seed"]) == list(range(verdict.looks[-1].seeds))


def test_intervals_are_those_of_the_last_look_and_p_values_hold_for_all(ended):
    share = ended.spec.looks[1].share
    assert ended.level == pytest.approx(0.05 * share)
    row = ended.contrasts.query("metric == 'test_loss'").iloc[0]
    wide = ended.runs.pivot(index="seed", columns="variant", values="test_loss")
    sample = Sample.of((wide[row["treatment"]] - wide[row["control"]]).to_numpy())
    bounds = confidence_bounds(sample, alpha=ended.level / 2)
    np.testing.assert_allclose([row["low"], row["high"]], bounds)
    made = make_claim(seeds=SEEDS, noise=0.05)
    fixed = made.analysis().contrasts
    np.testing.assert_allclose(ended.contrasts["p"], np.minimum(fixed["p"] / share, 1))
    np.testing.assert_allclose(ended.contrasts["p_holm"], np.minimum(fixed["p_holm"] / share, 1))


def test_a_mean_at_the_end_is_corrected_towards_the_margin(ended):
    for one in ended.stopping:
        verdict = next(v for v in ended.verdicts if v.name == one.claim)
        assert [mean.metric for mean in one.means] == [c.metric for c in verdict.comparisons]
        for mean, compared in zip(one.means, verdict.comparisons, strict=True):
            assert mean.mean == compared.difference.mean
            assert abs(mean.corrected - mean.mean) < compared.difference.sd


def test_seeds_are_saved_against_a_fixed_study_of_the_same_power(ended):
    one = ended.stopping[0]
    assert one.most == 300
    assert one.fixed_seeds is not None
    # All looks together find a little less than one look at all seeds would.
    assert 200 < one.fixed_seeds < 300
    assert one.saved == one.fixed_seeds - one.seeds > 0


def test_a_study_of_one_look_has_nothing_to_tell_of_stopping(claimed_analysis):
    assert claimed_analysis.stopping == ()
    assert claimed_analysis.level == claimed_analysis.alpha


def test_means_over_seeds_end_with_what_the_verdict_has(claimed_analysis):
    table = claimed_analysis.accumulation
    assert tuple(table.columns) == COLUMNS
    verdict = claimed_analysis.verdicts[0]
    for compared in verdict.comparisons:
        rows = table.query("claim == @verdict.name and metric == @compared.metric")
        last = rows.iloc[-1]
        assert (last["seeds"], last["look"]) == (verdict.n, True)
        assert last["mean"] == pytest.approx(compared.difference.mean)
        # One loss above its margin supports at alpha; one below refutes at half of it.
        assert last["low"] == pytest.approx(compared.difference.lower)
        assert last["high"] == pytest.approx(compared.difference.high)
        assert last["margin"] == compared.margin


def test_where_there_are_looks_they_alone_have_intervals(ended):
    table = ended.accumulation
    assert table["low"].notna().equals(table["look"].astype(bool))
    for verdict in ended.verdicts:
        looks = table.query("claim == @verdict.name and look")
        assert set(looks["seeds"]) == {look.seeds for look in verdict.looks}


def test_a_study_without_claims_accumulates_nothing():
    assert make_study().analysis().accumulation.empty
    assert isinstance(make_study().analysis().accumulation, pd.DataFrame)
