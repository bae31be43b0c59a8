"""Claims about one metric: better, not worse, equivalent."""

from functools import partial

import numpy as np
import pytest

from finetune.claims.registry import KINDS
from finetune.spec.claims import BetterSpec
from finetune.spec.study import StudySpec
from finetune.stats.pairs import pair_runs
from finetune.stats.t_test import Sample, p_value
from tests.made_comparisons import CONTROL, TREATMENT, judge

MARGIN = 0.005


def claiming(spec: StudySpec, kind: str, metric: str = "test_loss", **more) -> StudySpec:
    arms = {"treatment": TREATMENT, "control": CONTROL}
    claim = {"kind": kind, "metric": metric, "margin": MARGIN, **arms, **more}
    return StudySpec.model_validate(spec.model_dump() | {"claims": (claim,)})


# By the true difference in test loss, in margins: what each kind of claim comes out as.
TRUTH = {
    "much better": (-3.0, "supported", "supported", "refuted"),
    "better within the margin": (-0.3, "refuted", "supported", "supported"),
    "equal": (0.0, "refuted", "supported", "supported"),
    "worse within the margin": (0.3, "refuted", "supported", "supported"),
    "much worse": (3.0, "refuted", "refuted", "refuted"),
}


@pytest.mark.parametrize("truth", TRUTH)
def test_every_answer_of_every_kind(spec, make_runs, truth):
    margins, *answers = TRUTH[truth]
    runs = make_runs({TREATMENT: {"test_loss": margins * MARGIN}})
    found = [
        judge(runs, claiming(spec, kind)).verdict for kind in ("better", "not worse", "equivalent")
    ]
    assert found == answers


@pytest.mark.parametrize("kind", ["better", "not worse", "equivalent"])
def test_too_few_or_too_noisy_seeds_are_inconclusive(spec, make_runs, kind):
    at_margin = -MARGIN if kind == "better" else MARGIN
    runs = make_runs({TREATMENT: {"test_loss": at_margin}}, n=12, noise=0.003)
    verdict = judge(runs, claiming(spec, kind))
    assert verdict.verdict == "inconclusive"
    more = make_runs({TREATMENT: {"test_loss": 0.3 * at_margin}}, n=10, noise=0.03)
    open_ = judge(more, claiming(spec, kind))
    assert open_.verdict == "inconclusive"
    assert open_.seeds_missing == open_.seeds_needed - 10


@pytest.mark.parametrize(("metric", "better"), [("test_loss", -1), ("test_accuracy", 1)])
def test_lower_losses_and_higher_accuracies_are_better(spec, make_runs, metric, better):
    for sign, answer in ((better, "supported"), (-better, "refuted")):
        runs = make_runs({TREATMENT: {metric: sign * 3 * MARGIN}})
        assert judge(runs, claiming(spec, "better", metric)).verdict == answer


def test_any_number_of_the_runs_may_be_claimed_of(spec, make_runs):
    runs = make_runs()
    runs["epochs_run"] = np.where(runs["variant"] == TREATMENT, 30, 100) + runs["seed"] % 3
    verdict = judge(runs, claiming(spec, "better", "epochs_run", margin=10.0))
    assert (verdict.verdict, verdict.comparison.difference.mean) == ("supported", -70)
    runs["final_lr"] = runs["epochs_run"] / 1000
    assert judge(runs, claiming(spec, "equivalent", "final_lr", margin=1.0)).verdict == "supported"
    up = claiming(spec, "better", "final_lr", margin=0.01, direction="higher")
    assert judge(runs, up).verdict == "refuted"


@pytest.mark.parametrize("shift", [-0.006, -0.004, 0.0, 0.004, 0.006])
def test_each_kind_tests_its_own_ends_of_the_margin(spec, make_runs, shift):
    runs = make_runs({TREATMENT: {"test_loss": shift}}, n=15, noise=0.003)
    pairs = pair_runs(runs, (TREATMENT, CONTROL))
    p = partial(p_value, Sample.of(pairs.difference("test_loss")))
    above, below = p(MARGIN, alternative="larger"), p(-MARGIN, alternative="smaller")
    inside = p(-MARGIN, alternative="larger"), p(MARGIN, alternative="smaller")
    expected = {
        "better": [below, inside[0]],
        "not worse": [inside[1], above],
        "equivalent": [max(inside), min(1.0, 2 * above, 2 * below)],
    }
    for kind, (supported, refuted) in expected.items():
        verdict = judge(runs, claiming(spec, kind))
        assert verdict.p_supported == pytest.approx(supported)
        assert verdict.p_refuted == pytest.approx(refuted)


def test_the_control_against_itself_is_equal_or_the_margin_too_fine(spec, make_runs):
    runs = make_runs()
    replicate = runs[runs["variant"] == CONTROL].copy()
    replicate["test_loss"] += np.random.default_rng(2).normal(0, 0.001, len(replicate))
    study = claiming(spec, "better")
    passed = judge(runs, study, replicate=replicate)
    assert passed.same_again.passed
    replicate["test_loss"] += np.random.default_rng(3).normal(0, 0.05, len(replicate))
    failed = judge(runs, study, replicate=replicate)
    assert not failed.same_again.passed
    assert any("finer than the noise" in text for text in KINDS["better"].objections(failed))


def test_losses_and_accuracies_have_a_usual_margin_and_others_need_one():
    arms = {"kind": "better", "treatment": "a", "control": "b"}
    assert BetterSpec(**arms, metric="train_loss").width == 0.01
    with pytest.raises(ValueError, match="margin is missing for 'epochs_run'"):
        BetterSpec(**arms, metric="epochs_run")
