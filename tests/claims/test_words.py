"""That every verdict has its sentences, and which fact of a verdict brings which sentence.

The full English of a report is compared once, elsewhere; here only what decides about it.
"""

from dataclasses import replace
from typing import get_args

import numpy as np
import pytest

from finetune.claims.fit_outcome import FitOutcome
from finetune.claims.fit_table import FIT_TABLE
from finetune.claims.phrases import does, outcome
from finetune.claims.verdict import Verdict
from finetune.claims.words import evidence, objections, plan_sentence, sentence
from finetune.spec.claims import VerdictName
from finetune.stats.power import detectable_effect
from tests.made_comparisons import CONTROL, TREATMENT, judge

UNDERFIT = {"train_loss": 0.02, "test_loss": 0.01, "train_accuracy": -0.02, "test_accuracy": -0.01}
SHIFTS = {
    "supported": {"shifts": {TREATMENT: UNDERFIT}},
    "refuted": {"noise": 0.0},
    "inconclusive": {"shifts": {TREATMENT: UNDERFIT}, "n": 5, "noise": 0.05},
    "not tested": {"cut": float("nan")},
}


def all_sentences(verdict: Verdict) -> tuple[str, ...]:
    return (sentence(verdict), *objections(verdict), *evidence(verdict))


@pytest.mark.parametrize("name", get_args(VerdictName))
def test_every_verdict_has_a_sentence_that_names_it_and_both_variants(spec, make_runs, name):
    verdict = judge(make_runs(**SHIFTS[name]), spec)
    assert verdict.verdict == name
    first = sentence(verdict)
    assert first.startswith(name.capitalize())
    assert f'"{TREATMENT}"' in first
    assert ("exploratory" in first) == verdict.exploratory
    assert all(text.endswith(".") and "nan" not in text for text in all_sentences(verdict))


@pytest.mark.parametrize("n", [0, 1])
def test_too_few_pairs_have_sentences_too(spec, make_runs, n):
    runs = make_runs(n=1) if n else make_runs(n=2).assign(status="failed")
    verdict = judge(runs, spec)
    assert verdict.n == n
    assert all(text.endswith(".") and "nan" not in text for text in all_sentences(verdict))
    assert ("seed 0 (from epoch 0: failed)" in " ".join(evidence(verdict))) == (n == 0)


def test_every_outcome_has_words_for_what_the_treatment_does(spec, make_runs):
    fit = judge(make_runs(), spec).primary
    words = [does(replace(fit, cells=(name,))) for name in FIT_TABLE.values()]
    assert len(set(words)) == 9


@pytest.mark.parametrize("left", [1, 2, 3, 9])
def test_up_to_two_outcomes_are_named(spec, make_runs, left):
    names = tuple(FIT_TABLE.values())[:left]
    fit: FitOutcome = replace(judge(make_runs(), spec).primary, cells=names)
    assert all((name in outcome(fit)) == (left <= 2) for name in names)
    assert bool(does(fit)) == (left <= 2)
    if left > 2:
        assert outcome(fit) == "undetermined"


@pytest.mark.parametrize(
    ("shift", "end"),
    [
        # Another verdict by accuracy contradicts; the same one for another reason does not.
        (
            {"train_loss": 0.02, "train_accuracy": -0.02, "test_accuracy": -0.02},
            "; but by accuracy the claim is supported.",
        ),
        (
            {"train_loss": 0.02, "test_loss": -0.02},
            ", while by accuracy it has no effect that matters.",
        ),
    ],
)
def test_disagreement_is_in_the_sentence_and_the_first_objection(spec, make_runs, shift, end):
    verdict = judge(make_runs({TREATMENT: shift}), spec)
    assert sentence(verdict).endswith(end)
    (objection,) = objections(verdict)
    assert does(verdict.primary) in objection
    assert verdict.secondary is not None
    assert does(verdict.secondary) in objection
    assert not any("Accuracy" in text for text in evidence(verdict))


@pytest.mark.parametrize("passes", [True, False])
def test_the_aa_check_is_evidence_or_an_objection(spec, make_runs, passes):
    runs = make_runs({TREATMENT: UNDERFIT})
    replicate = runs[runs["variant"] == CONTROL].copy()
    if not passes:
        replicate["test_loss"] += np.random.default_rng(0).normal(0, 0.05, len(replicate))
    verdict = judge(runs, spec, replicate=replicate)
    assert any("noise" in text for text in evidence(verdict)) == passes
    assert any("noise" in text for text in objections(verdict)) != passes


def test_early_stopping_in_the_contrast_is_an_objection(spec, make_runs):
    verdict = judge(make_runs({TREATMENT: UNDERFIT}), spec)
    assert objections(verdict) == ()
    (objection,) = objections(replace(verdict, stops_early=(CONTROL,)))
    assert f'"{CONTROL}"' in objection


def test_what_did_not_vary_is_named(spec, make_runs):
    verdict = judge(make_runs(), spec)
    sources = {"init": "initial weights", "order": "order of", "split": "split", "data": "data set"}
    for vary in ((), ("init",), ("init", "order", "split"), tuple(sources)):
        scope = evidence(replace(verdict, vary=vary))[-1]
        assert all(words in scope for words in sources.values())
        assert ("stayed as" in scope) == (len(vary) < 4)


def test_a_plan_is_in_units_where_the_spread_is_known():
    plan = detectable_effect(
        40, alpha=0.05, deviations={"test_loss": 0.01}, margins={"test_loss": 0.005}
    )
    assert "test loss 0.00991" in plan_sentence(plan)
    assert "test loss" not in plan_sentence(detectable_effect(40, alpha=0.05))
    assert plan_sentence(detectable_effect(1, alpha=0.05)).startswith("1 seed cannot detect")
