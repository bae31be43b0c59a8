"""Every verdict and every outcome of the fit table, from made-up runs with a known truth."""

import json

import numpy as np
import pandas as pd
import pytest

from finetune.claims.fit_outcome import judge_fit
from finetune.claims.fit_table import FIT_TABLE
from finetune.claims.metric_comparison import LEVELS
from finetune.claims.verdict import Verdict, verdicts_json
from finetune.spec.study import StudySpec
from finetune.spec.variants import EarlyStoppingSpec
from finetune.stats.pairs import LOSSES, RunsError, pair_runs
from tests.made_comparisons import judge

TREATMENT, CONTROL = "from epoch 0", "delayed"
MARGINS = {"train_loss": 0.01, "test_loss": 0.005, "train_accuracy": 0.01, "test_accuracy": 0.005}
UNDERFIT = {"train_loss": 0.02, "test_loss": 0.01, "train_accuracy": -0.02, "test_accuracy": -0.01}
STEP = {"worse": 2.0, "equal": 0.0, "better": -2.0}


def shifted(shift: dict[str, float]) -> dict[str, dict[str, float]]:
    return {TREATMENT: shift}


@pytest.mark.parametrize("train", LEVELS)
@pytest.mark.parametrize("test", LEVELS)
def test_every_outcome_of_the_table(spec, make_runs, train, test):
    steps = {"train_loss": STEP[train], "test_loss": STEP[test]}
    steps |= {"train_accuracy": -STEP[train], "test_accuracy": -STEP[test]}
    shift = {metric: step * MARGINS[metric] for metric, step in steps.items()}
    verdict = judge(make_runs(shifted(shift)), spec)
    assert verdict.label == FIT_TABLE[train, test]
    assert verdict.verdict == ("supported" if train == test == "worse" else "refuted")
    assert (verdict.primary.train.call, verdict.primary.test.call) == (train, test)
    assert verdict.secondary is not None
    assert verdict.secondary.label == verdict.label
    assert verdict.agreement == "agree"
    assert not verdict.exploratory


def test_the_nine_outcomes_have_nine_names():
    assert len(set(FIT_TABLE.values())) == len(FIT_TABLE) == 9


def test_inconclusive_knows_how_many_seeds_would_settle_it(spec, make_runs):
    shift = {"train_loss": 0.013, "test_loss": 0.0065}
    few = judge(make_runs(shifted(shift), n=10, noise=0.004), spec)
    assert few.verdict == "inconclusive"
    assert few.seeds_needed is not None
    assert few.seeds_missing == few.seeds_needed - 10
    more = make_runs(shifted(shift), n=10 * few.seeds_needed, noise=0.004)
    assert judge(more, spec).verdict == "supported"


def test_an_undetermined_metric_leaves_outcomes_open(spec, make_runs):
    shift = {"train_loss": 0.02, "test_loss": 0.005}
    verdict = judge(make_runs(shifted(shift)), spec)
    assert verdict.verdict == "inconclusive"
    assert verdict.primary.test.call == "undetermined"
    assert verdict.primary.test.possible == ("worse", "equal")
    assert verdict.label == "underfit or slower fit, harmless"
    wide = judge(make_runs(noise=0.1), spec)
    assert wide.label == "undetermined"
    assert set(wide.primary.cells) == set(FIT_TABLE.values())


def test_one_metric_below_its_margin_refutes(spec, make_runs):
    verdict = judge(make_runs(shifted({"train_loss": 0.01, "test_loss": -0.002})), spec)
    assert verdict.verdict == "refuted"
    assert "upper bound of test_loss" in verdict.reason
    assert "train_loss" not in verdict.reason


@pytest.mark.parametrize("cut", [float("nan"), 24, 35])
def test_not_tested_when_the_treatment_did_not_change_its_rate_first(spec, make_runs, cut):
    verdict = judge(make_runs(shifted(UNDERFIT), cut=cut, control_cut=24), spec)
    assert verdict.verdict == "not tested"
    assert (verdict.tested_seeds, verdict.tested_share, verdict.lr_alone) == (0, 0.0, True)
    assert verdict.seeds_needed is None


def test_the_epoch_before_the_controls_first_change_counts(spec, make_runs):
    runs = make_runs(shifted(UNDERFIT), cut=23, control_cut=24)
    assert judge(runs, spec).verdict == "supported"


@pytest.mark.parametrize(("uncut", "verdict"), [(8, "supported"), (9, "not tested")])
def test_four_fifths_of_the_seeds_must_have_cut(spec, make_runs, uncut, verdict):
    runs = make_runs(shifted(UNDERFIT), n=40)
    few = (runs["variant"] == TREATMENT) & (runs["seed"] < uncut)
    runs.loc[few, "first_reduction_epoch"] = pd.NA
    assert judge(runs, spec).verdict == verdict


def test_any_change_counts_where_the_control_never_changes_its_rate(spec, make_runs):
    claim = spec.claim.model_copy(update={"control": "no callbacks"})
    other = spec.model_copy(update={"claims": (claim,)})
    verdict = judge(make_runs(shifted(UNDERFIT), cut=90), other)
    assert (verdict.verdict, verdict.tested_share) == ("supported", 1.0)


def test_two_patiences_from_epoch_0_test_the_claim(spec, make_runs):
    variants = [spec.variants[0], spec.variants[1], spec.variants[1].reducing(name=CONTROL)]
    variants[1] = variants[1].reducing(patience=2)
    both = spec.model_copy(update={"variants": tuple(variants)})
    verdict = judge(make_runs(shifted(UNDERFIT), cut=5, control_cut=18), both)
    assert (verdict.verdict, verdict.tested_share) == ("supported", 1.0)


def stopping(spec: StudySpec) -> StudySpec:
    """Let the treatment stop early and never change its learning rate."""
    bare = {"reduce_lr": None, "early_stopping": EarlyStoppingSpec()}
    variants = [spec.variants[0], spec.variants[1].model_copy(update=bare), spec.variants[2]]
    claim = spec.claim.model_copy(update={"control": "no callbacks"})
    return spec.model_copy(update={"variants": tuple(variants), "claims": (claim,)})


def test_what_is_not_about_the_rate_is_tested_where_the_runs_differ(spec, make_runs):
    runs = make_runs(shifted(UNDERFIT), cut=np.nan)
    verdict = judge(runs, stopping(spec))
    assert (verdict.verdict, verdict.tested_share, verdict.lr_alone) == ("supported", 1.0, False)


def test_runs_that_are_the_same_to_the_last_digit_test_nothing(spec, make_runs):
    runs = make_runs(noise=0.0, cut=np.nan)
    verdict = judge(runs, stopping(spec))
    assert (verdict.verdict, verdict.tested_seeds) == ("not tested", 0)
    # One digit of one number is enough to be another run.
    differ = (runs["variant"] == TREATMENT) & (runs["seed"] < 32)
    runs.loc[differ, "train_loss"] = np.nextafter(runs.loc[differ, "train_loss"], 1)
    assert judge(runs, stopping(spec)).verdict == "refuted"


def test_equal_runs_are_no_effect_without_warnings(spec, make_runs):
    verdict = judge(make_runs(noise=0.0), spec)
    assert (verdict.verdict, verdict.label) == ("refuted", "no effect")
    assert verdict.primary.train.difference.sd == 0
    constant = judge(make_runs(shifted(UNDERFIT), noise=0.0), spec)
    assert (constant.verdict, constant.label) == ("supported", "underfit")


def test_loss_and_accuracy_may_disagree(spec, make_runs):
    shift = {"train_loss": 0.02, "train_accuracy": -0.02, "test_accuracy": -0.02}
    verdict = judge(make_runs(shifted(shift)), spec)
    assert (verdict.verdict, verdict.label) == ("refuted", "slower fit, harmless")
    assert verdict.secondary is not None
    assert verdict.secondary.verdict == "supported"
    assert verdict.agreement == "disagree"


def test_an_undecided_secondary_does_not_disagree(spec, make_runs):
    runs = make_runs(shifted(UNDERFIT))
    rng = np.random.default_rng(0)
    runs["test_accuracy"] += rng.normal(0, 0.05, len(runs))
    assert judge(runs, spec).agreement == "open"


def test_without_accuracy_there_is_no_secondary(spec, make_runs):
    verdict = judge(make_runs(shifted(UNDERFIT), accuracy=False), spec)
    assert verdict.verdict == "supported"
    assert (verdict.secondary, verdict.agreement) == (None, None)


def test_failed_seeds_are_counted_and_named(spec, make_runs):
    runs = make_runs(shifted(UNDERFIT), n=10)
    runs.loc[(runs["variant"] == CONTROL) & (runs["seed"] == 7), "status"] = "failed"
    runs.loc[(runs["variant"] == "no callbacks") & (runs["seed"] == 8), "status"] = "failed"
    verdict = judge(runs, spec)
    assert (verdict.verdict, verdict.n) == ("supported", 9)
    assert [(run.variant, run.seed) for run in verdict.excluded] == [(CONTROL, 7)]


@pytest.mark.parametrize(
    ("n", "verdict", "exploratory"),
    [
        (1, "inconclusive", True),
        (2, "supported", True),
        (19, "supported", True),
        (20, "supported", False),
    ],
)
def test_few_seeds_are_exploratory(spec, make_runs, n, verdict, exploratory):
    found = judge(make_runs(shifted(UNDERFIT), n=n, noise=0.0001), spec)
    assert (found.verdict, found.exploratory) == (verdict, exploratory)
    json.loads(verdicts_json([found]))


def test_no_finished_pair_is_not_tested(spec, make_runs):
    verdict = judge(make_runs(n=2).assign(status="failed"), spec)
    assert (verdict.verdict, verdict.n) == ("not tested", 0)
    assert json.loads(verdicts_json([verdict]))["primary"]["train"]["difference"]["mean"] is None


def test_the_control_against_itself_passes_the_aa_check(spec, make_runs):
    runs = make_runs(shifted(UNDERFIT), seed=1)
    replicate = runs[runs["variant"] == CONTROL].copy()
    replicate["test_loss"] += np.random.default_rng(2).normal(0, 0.001, len(replicate))
    verdict = judge(runs, spec, replicate=replicate)
    assert verdict.same_again is not None
    assert verdict.same_again.passed
    assert verdict.same_again.primary.label == "no effect"
    assert not verdict.same_again.note


def test_margins_finer_than_the_noise_fail_the_aa_check(spec, make_runs):
    runs = make_runs(shifted(UNDERFIT))
    replicate = runs[(runs["variant"] == CONTROL) & (runs["seed"] < 20)].copy()
    replicate["test_loss"] += np.random.default_rng(2).normal(0, 0.05, len(replicate))
    check = judge(runs, spec, replicate=replicate).same_again
    assert check is not None
    assert (check.passed, check.n) == (False, 20)
    assert "finer than the noise" in check.note


def test_a_replicate_of_unknown_seeds_is_refused(spec, make_runs):
    runs = make_runs()
    replicate = runs[runs["variant"] == CONTROL].assign(seed=lambda rows: rows["seed"] + 1)
    with pytest.raises(RunsError, match="variant 'delayed', seed 40 is missing"):
        judge(runs, spec, replicate=replicate)


def same(one: Verdict, other: Verdict) -> bool:
    return (one.verdict, one.label, one.n) == (other.verdict, other.label, other.n)


def test_swapping_the_arms_mirrors_the_table(spec, make_runs):
    swapped = spec.model_copy(
        update={
            "claims": (spec.claim.model_copy(update={"treatment": CONTROL, "control": TREATMENT}),)
        }
    )
    runs = make_runs(shifted(UNDERFIT))
    there, back = judge(runs, spec), judge(runs, swapped)
    assert (there.primary.label, back.primary.label) == ("underfit", "better fit")
    assert back.primary.train.difference.low == pytest.approx(-there.primary.train.difference.high)


def scaled(spec: StudySpec, factor: float) -> StudySpec:
    margins = spec.claim.margins.model_copy(
        update={"train_loss": 0.01 * factor, "test_loss": 0.005 * factor}
    )
    return spec.model_copy(update={"claims": (spec.claim.model_copy(update={"margins": margins}),)})


@pytest.mark.parametrize("noise", [0.001, 0.02])
def test_scaling_losses_and_margins_changes_no_verdict(spec, make_runs, noise):
    runs = make_runs(shifted(UNDERFIT), noise=noise)
    larger = runs.assign(train_loss=8 * runs["train_loss"], test_loss=8 * runs["test_loss"])
    one, eight = judge(runs, spec), judge(larger, scaled(spec, 8))
    assert same(one, eight)
    assert eight.seeds_needed == one.seeds_needed
    assert eight.primary.p_supported == pytest.approx(one.primary.p_supported)


def test_breaking_the_pairs_changes_the_verdict(spec, make_runs):
    runs = make_runs(shifted(UNDERFIT), n=12)
    broken = runs.copy()
    control = broken["variant"] == CONTROL
    broken.loc[control, "seed"] = np.random.default_rng(1).permutation(12)
    assert judge(runs, spec).verdict == "supported"
    assert judge(broken, spec).verdict == "inconclusive"


def test_the_p_values_decide_as_the_bounds_do(spec, make_runs):
    for seed in range(40):
        shift = {"train_loss": 0.0115, "test_loss": 0.0062}
        runs = make_runs(shifted(shift), n=8, noise=0.0015, seed=seed)
        pairs = pair_runs(runs, (TREATMENT, CONTROL))
        found = judge_fit(pairs, LOSSES, margins=spec.claim.margins, alpha=0.05)
        assert (found.verdict == "supported") == (found.p_supported < 0.05)
        assert (found.verdict == "refuted") == (found.p_refuted < 0.05)


def test_json_holds_plain_finite_values(spec, make_runs):
    verdict = judge(make_runs(shifted(UNDERFIT), noise=0.0), spec)
    read = json.loads(verdicts_json([verdict, verdict]))
    assert read.pop("claims") == [verdict.to_dict()] * 2
    assert read == verdict.to_dict()
    assert read["verdict"] == "supported"
    assert read["primary"]["train"]["difference"]["dz"] is None  # infinite: no spread
    assert read["primary"]["test"]["margin"] == 0.005


def test_early_stopping_in_the_contrast_is_noted(spec, make_runs):
    tree = spec.model_dump()
    tree["variants"][2]["early_stopping"] = {}
    verdict = judge(make_runs(shifted(UNDERFIT)), StudySpec.model_validate(tree))
    assert verdict.stops_early == (CONTROL,)
