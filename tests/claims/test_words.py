from dataclasses import replace

import numpy as np
import pytest

from finetune.claims.verdict import judge_claim
from finetune.claims.words import evidence, objections, outcome, sentence
from finetune.spec.study import StudySpec

TREATMENT, CONTROL = "from epoch 0", "delayed"
UNDERFIT = {"train_loss": 0.02, "test_loss": 0.01, "train_accuracy": -0.02, "test_accuracy": -0.01}


def told(spec, runs, **how) -> tuple[str, str]:
    verdict = judge_claim(runs, spec, **how)
    return sentence(verdict), " ".join((*objections(verdict), *evidence(verdict)))


def test_supported(spec, make_runs):
    first, rest = told(spec, make_runs({TREATMENT: UNDERFIT}, noise=1e-5))
    assert first == (
        'Supported: "from epoch 0" underfits compared with "delayed": over 40 paired seeds '
        "training loss ends 0.02 higher and test loss ends 0.01 higher, both by more than their "
        "margins of 0.01 and 0.005."
    )
    assert 'agrees: by it the claim is supported, and the outcome "underfit"' in rest
    assert "before the delay of 20 epochs ended in 40 of 40 paired seeds" in rest
    assert "seeds are enough to settle it" in rest
    assert "the split and the data set stayed as they were" in rest


def test_refuted(spec, make_runs):
    first, rest = told(spec, make_runs(noise=0.0))
    assert first == (
        'Refuted: "from epoch 0" does not underfit compared with "delayed"; it has no effect that '
        "matters: over 40 paired seeds training loss ends unchanged and test loss ends unchanged."
    )
    assert "No seed was left out." in rest


@pytest.mark.parametrize(
    ("train", "test", "does"),
    [
        (0.02, 0.0, "fits more slowly without harm"),
        (0.02, -0.01, "overfits less"),
        (0.0, 0.01, "generalises worse"),
        (0.0, -0.01, "generalises better"),
        (-0.02, 0.01, "overfits more"),
        (-0.02, 0.0, "fits faster without gain"),
        (-0.02, -0.01, "fits better"),
        (0.02, -0.005, "fits more slowly without harm or overfits less"),
    ],
)
def test_what_the_treatment_does_instead_is_said(spec, make_runs, train, test, does):
    first, _ = told(spec, make_runs({TREATMENT: {"train_loss": train, "test_loss": test}}))
    assert f'compared with "delayed"; it {does}: over 40' in first


def test_inconclusive(spec, make_runs):
    shift = {"train_loss": 0.02, "test_loss": 0.008}
    first, _ = told(spec, make_runs({TREATMENT: shift}, n=10, noise=0.004))
    assert first.startswith("Inconclusive: 10 paired seeds do not settle whether")
    assert "more would, were the differences to stay as they are" in first
    one, _ = told(spec, make_runs(n=1))
    assert "(exploratory, fewer than 8 seeds): 1 paired seed does not settle" in one
    assert "two are the least" in one


def test_not_tested(spec, make_runs):
    first, rest = told(spec, make_runs(cut=float("nan")))
    assert first == (
        'Not tested: "from epoch 0" cut its learning rate before the delay of 20 epochs ended in '
        "0 of 40 paired seeds, and the rule asks for 80 %."
    )
    assert "settle" not in rest
    none, rest = told(spec, make_runs(n=2).assign(status="failed"))
    assert "no seed has a finished run of both" in none
    assert "seed 0 (from epoch 0: failed)" in rest


def test_another_ruling_by_accuracy_is_said_first(spec, make_runs):
    shift = {"train_loss": 0.02, "train_accuracy": -0.02, "test_accuracy": -0.02}
    verdict = judge_claim(make_runs({TREATMENT: shift}), spec)
    assert sentence(verdict).endswith("; but by accuracy the claim is supported.")
    (objection,) = objections(verdict)
    assert objection.startswith(
        'Loss and accuracy disagree: the outcome is "slower fit, harmless" by loss'
    )
    assert '"underfit" by accuracy' in objection
    assert "test accuracy ends 0.02 lower" in objection
    assert not any("Accuracy" in text for text in evidence(verdict))


def test_the_same_ruling_for_another_reason_is_no_but(spec, make_runs):
    shift = {"train_loss": 0.02, "test_loss": -0.02}
    verdict = judge_claim(make_runs({TREATMENT: shift}), spec)
    assert sentence(verdict).endswith(", while by accuracy it has no effect that matters.")
    assert objections(verdict)[0].startswith("Loss and accuracy disagree")


def test_noise_is_an_objection_only_where_it_is_too_large(spec, make_runs):
    runs = make_runs({TREATMENT: UNDERFIT})
    replicate = runs[runs["variant"] == CONTROL].copy()
    quiet = judge_claim(runs, spec, replicate=replicate)
    assert objections(quiet) == ()
    assert any("so the margins are wider than the noise" in text for text in evidence(quiet))
    replicate["test_loss"] += np.random.default_rng(0).normal(0, 0.05, len(replicate))
    noisy = judge_claim(runs, spec, replicate=replicate)
    (objection,) = objections(noisy)
    assert objection.startswith("At 40 seeds the margins are finer than the noise")
    assert not any("noise" in text for text in evidence(noisy))


def test_early_stopping_in_the_contrast_is_an_objection(spec, make_runs):
    tree = spec.model_dump()
    tree["variants"][2]["early_stopping"] = {}
    verdict = judge_claim(make_runs({TREATMENT: UNDERFIT}), StudySpec.model_validate(tree))
    assert 'Early stopping is part of the contrast ("delayed")' in objections(verdict)[0]


@pytest.mark.parametrize(
    ("vary", "said"),
    [
        (("data", "split", "order", "init"), "varied the initial weights, the order of the"),
        ((), "varied nothing; the initial weights"),
        (("init", "order", "split"), "; the data set stayed as it was"),
    ],
)
def test_the_scope_follows_from_what_varied(spec, make_runs, vary, said):
    verdict = replace(judge_claim(make_runs(), spec), vary=vary)
    scope = evidence(verdict)[-1]
    assert said in scope
    assert ("stayed as" in scope) == (len(vary) < 4)


def test_more_than_two_outcomes_are_undetermined(spec, make_runs):
    assert outcome(judge_claim(make_runs(n=1), spec).primary) == "undetermined"
    assert outcome(judge_claim(make_runs(), spec).primary) == '"no effect"'


def test_every_sentence_ends(spec, make_runs):
    verdict = judge_claim(make_runs({TREATMENT: UNDERFIT}, n=5), spec)
    said = (sentence(verdict), *objections(verdict), *evidence(verdict))
    assert all(text.endswith(".") for text in said)
