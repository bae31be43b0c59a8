from dataclasses import replace

import numpy as np
import pytest

from finetune.spec import StudySpec
from finetune.stats.verdict import judge_claim
from finetune.stats.wording import sentence, sentences

TREATMENT, CONTROL = "from epoch 0", "delayed"
UNDERFIT = {"train_loss": 0.02, "test_loss": 0.01, "train_accuracy": -0.02, "test_accuracy": -0.01}


def told(spec, runs, **how) -> tuple[str, str]:
    verdict = judge_claim(runs, spec, **how)
    return sentence(verdict), " ".join(sentences(verdict))


def test_supported(spec, make_runs):
    first, rest = told(spec, make_runs({TREATMENT: UNDERFIT}))
    assert first.startswith("Supported: over 40 paired seeds 'from epoch 0' underfits")
    assert "training loss ends 0.02 higher" in first
    assert "margins (0.01 and 0.005)" in first
    assert "Accuracy agrees, supported (underfit): training accuracy -0.0" in rest
    assert "in 40 of 40 paired seeds (100 %)" in rest
    assert "seeds would have been enough" in rest
    assert "varied: init, order; split, data stayed the same" in rest


def test_refuted(spec, make_runs):
    first, _ = told(spec, make_runs(noise=0.0))
    assert first.startswith("Refuted: ")
    assert "does not underfit compared with 'delayed' (no effect)" in first
    assert "training loss ends unchanged" in first


def test_inconclusive(spec, make_runs):
    shift = {"train_loss": 0.02, "test_loss": 0.008}
    first, _ = told(spec, make_runs({TREATMENT: shift}, n=10, noise=0.004))
    assert first.startswith("Inconclusive: 10 paired seeds do not settle whether")
    assert "more would, were the differences to stay as they are" in first
    one, _ = told(spec, make_runs(n=1))
    assert "(exploratory, fewer than 8 seeds): 1 paired seed does not settle" in one
    assert "two are the least" in one


def test_not_tested(spec, make_runs):
    first, _ = told(spec, make_runs(cut=float("nan")))
    assert first == (
        "Not tested: 'from epoch 0' cut its learning rate before the delay ended (epoch 20, "
        "counted from 0) in 0 of 40 paired seeds, and the rule asks for 80 %."
    )
    none, rest = told(spec, make_runs(n=2).assign(status="failed"))
    assert "no seed has a finished run of both" in none
    assert "seed 0 (from epoch 0: failed)" in rest


def test_a_disagreement_comes_first(spec, make_runs):
    shift = {"train_loss": 0.02, "train_accuracy": -0.02, "test_accuracy": -0.02}
    verdict = judge_claim(make_runs({TREATMENT: shift}), spec)
    assert sentence(verdict).endswith(", but accuracy disagrees: supported (underfit).")
    assert sentences(verdict)[0].startswith(
        "Loss and accuracy disagree: by loss (declared primary)"
    )
    assert "test accuracy ends 0.02 lower" in sentences(verdict)[0]


def test_noise_comes_next(spec, make_runs):
    runs = make_runs({TREATMENT: UNDERFIT})
    replicate = runs[runs["variant"] == CONTROL].copy()
    quiet = judge_claim(runs, spec, replicate=replicate)
    assert sentences(quiet)[0].startswith("The control against itself under another batch order")
    replicate["test_loss"] += np.random.default_rng(0).normal(0, 0.05, len(replicate))
    noisy = judge_claim(runs, spec, replicate=replicate)
    assert sentences(noisy)[0].startswith("The margins are finer than the noise")


def test_early_stopping_in_the_contrast(spec, make_runs):
    tree = spec.model_dump()
    tree["variants"][2]["early_stopping"] = {}
    _, rest = told(StudySpec.model_validate(tree), make_runs({TREATMENT: UNDERFIT}))
    assert "Early stopping is part of the contrast ('delayed')" in rest


@pytest.mark.parametrize("vary", [("init", "order", "split", "data"), ()])
def test_the_scope_follows_from_what_varied(spec, make_runs, vary):
    verdict = replace(judge_claim(make_runs(), spec), vary=vary)
    scope = sentences(verdict)[-1]
    assert ("stayed the same" in scope) == (not vary)


def test_every_sentence_ends(spec, make_runs):
    verdict = judge_claim(make_runs({TREATMENT: UNDERFIT}, n=5), spec)
    assert all(text.endswith(".") for text in (sentence(verdict), *sentences(verdict)))
