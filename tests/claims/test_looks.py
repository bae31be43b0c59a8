"""Claims that are judged as seeds come in."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from finetune.spec.looks import SeedRange
from finetune.spec.study import StudySpec
from tests.made_comparisons import CONTROL, TREATMENT, judge, make_runs, make_spec

UNDERFIT = {"train_loss": 0.03, "test_loss": 0.02}
# Only just worse than its margin, so that it takes more than one look.
BARELY = {"test_loss": 0.008}
NOT_WORSE = {"kind": "not worse", "metric": "test_loss", "treatment": TREATMENT, "control": CONTROL}
LOOKS = SeedRange().looks


def with_looks(**claim) -> StudySpec:
    tree = make_spec().model_dump() | {"seeds": SeedRange()}
    if claim:
        tree |= {"claims": ({**NOT_WORSE, **claim},)}
    return StudySpec.model_validate(tree)


def at_share(spec: StudySpec, share: float) -> StudySpec:
    """Return the study with a fixed number of seeds, and its claim at a share of its alpha."""
    claim = spec.claims[0].model_copy(update={"alpha": spec.claims[0].alpha * share})
    return spec.model_copy(update={"seeds": 1, "claims": (claim,)})


def first(runs: pd.DataFrame, seeds: int) -> pd.DataFrame:
    return runs[runs["seed"] < seeds]


def kept(verdict) -> dict:
    """Return what the verdict at a look has in common with that of a study of one look."""
    skipped = {"alpha", "looks", "p_supported", "p_refuted"}
    return {key: value for key, value in verdict.to_dict().items() if key not in skipped}


def test_the_first_look_that_decides_is_the_verdict():
    spec, runs = with_looks(), make_runs({TREATMENT: UNDERFIT}, n=300)
    verdict = judge(runs, spec)
    assert (verdict.verdict, verdict.n) == ("supported", 20)
    assert [look.seeds for look in verdict.looks] == [20]
    assert kept(verdict) == kept(judge(first(runs, 20), at_share(spec, LOOKS[0].share)))


def test_a_later_look_is_judged_on_its_own_seeds_at_its_own_level():
    spec, runs = with_looks(), make_runs({TREATMENT: BARELY}, n=300, noise=0.01)
    runs = runs.assign(train_loss=runs["train_loss"] + 0.5 * (runs["variant"] == TREATMENT))
    verdict = judge(runs, spec)
    assert 20 < verdict.n < 300
    look = next(look for look in LOOKS if look.seeds == verdict.n)
    assert verdict.level == pytest.approx(0.05 * look.share)
    assert verdict.alpha == 0.05
    assert kept(verdict) == kept(judge(first(runs, verdict.n), at_share(spec, look.share)))


def test_p_values_hold_for_all_looks_together():
    spec, runs = with_looks(), make_runs({TREATMENT: BARELY}, n=300, noise=0.01)
    runs = runs.assign(train_loss=runs["train_loss"] + 0.5 * (runs["variant"] == TREATMENT))
    verdict = judge(runs, spec)
    alone = [
        judge(first(runs, look.seeds), at_share(spec, look.share)).p_supported / look.share
        for look in LOOKS
        if look.seeds <= verdict.n
    ]
    assert [look.p_supported for look in verdict.looks] == pytest.approx(np.minimum(alone, 1))
    assert verdict.p_supported == pytest.approx(min(alone))
    assert verdict.p_supported < 0.05
    assert all(look.p_supported >= 0.05 for look in verdict.looks[:-1])


@pytest.mark.parametrize("n", [20, 30, 45, 300])
def test_more_seeds_never_change_what_was_decided(n: int):
    spec, runs = with_looks(), make_runs({TREATMENT: UNDERFIT}, n=300)
    assert judge(first(runs, n), spec) == judge(runs, spec)


def test_what_is_not_decided_goes_to_the_last_look():
    spec = with_looks(margin=0.005)
    runs = make_runs({TREATMENT: {"test_loss": 0.005}}, n=300, noise=0.05)
    verdict = judge(runs, spec)
    assert (verdict.verdict, verdict.n, verdict.settled) == ("inconclusive", 300, False)
    assert [look.seeds for look in verdict.looks] == [look.seeds for look in LOOKS]


def test_runs_that_do_not_test_the_claim_end_it_at_once():
    verdict = judge(make_runs(n=300, cut=np.nan), with_looks())
    assert (verdict.verdict, verdict.n, verdict.settled) == ("not tested", 20, True)


def test_differences_that_are_nearly_all_equal_do_not_end_it():
    """Twenty equal differences would look certain of everything."""
    runs = make_runs(n=300, noise=0)
    # The runs differ, but only seven of them in the metric that is claimed of.
    runs["train_loss"] += np.where(runs["variant"] == TREATMENT, 0.001, 0.0)
    runs.loc[(runs["variant"] == TREATMENT) & (runs["seed"] % 40 == 39), "test_loss"] += 1.0
    verdict = judge(runs, with_looks(margin=0.3))
    assert (verdict.n, verdict.verdict, verdict.exploratory) == (300, "supported", True)
    assert verdict.looks[0].verdict == "supported"
    assert not judge(first(runs, 150), with_looks(margin=0.3)).settled


def test_the_control_against_itself_is_judged_once_on_all_its_seeds():
    spec, runs = with_looks(), make_runs({TREATMENT: UNDERFIT}, n=30)
    replicate = runs[runs["variant"] == CONTROL].copy()
    replicate["test_loss"] += np.random.default_rng(2).normal(0, 0.001, len(replicate))
    verdict = judge(runs, spec, replicate=replicate)
    assert verdict.n == 20
    assert verdict.same_again.n == 30
    once = judge(runs, at_share(spec, 1.0), replicate=replicate)
    assert verdict.same_again == once.same_again


def test_failed_runs_leave_the_looks_as_they_are():
    spec, runs = with_looks(), make_runs({TREATMENT: UNDERFIT}, n=300)
    runs.loc[(runs["variant"] == TREATMENT) & runs["seed"].isin([2, 7]), "status"] = "failed"
    verdict = judge(runs, spec)
    assert (verdict.n, verdict.looks[0].seeds, len(verdict.excluded)) == (18, 20, 2)


def test_several_claims_without_a_name_keep_their_names():
    tree = with_looks().model_dump()
    again = {**tree["claims"][0], "alpha": 0.01}
    spec = StudySpec.model_validate(tree | {"claims": (tree["claims"][0], again)})
    runs = make_runs({TREATMENT: UNDERFIT}, n=20)
    assert judge(runs, spec).name == "underfits 1"


def test_a_fixed_number_of_seeds_has_no_looks():
    spec, runs = make_spec(), make_runs({TREATMENT: UNDERFIT}, n=40)
    verdict = judge(runs, spec)
    assert (verdict.looks, verdict.level, verdict.alpha) == ((), 0.05, 0.05)
    assert replace(verdict, level=0.05) == verdict
