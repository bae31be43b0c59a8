"""Several claims as one family: Holm's correction, and the verdicts that hang on it."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.multitest import multipletests

from finetune.claims.family import decided_by_chance, holm_p_values
from finetune.claims.registry import judge_claim
from finetune.claims.verdict import Verdict
from finetune.claims.words import holm_sentence
from finetune.stats.multiple_testing import union_p_value
from tests.made_comparisons import CONTROL, TREATMENT, make_runs, make_spec

ANSWERS = ["supported", "refuted", "inconclusive", "not tested"]
P = st.floats(0, 1)
MADE = judge_claim(make_runs(), make_spec().claims[0], make_spec())


def verdict(name: str, answer: str, p_supported: float, p_refuted: float = 1.0) -> Verdict:
    return replace(MADE, name=name, verdict=answer, p_supported=p_supported, p_refuted=p_refuted)


families = st.lists(st.tuples(st.sampled_from(ANSWERS), P, P), max_size=6).map(
    lambda rows: [verdict(f"claim {place}", *row) for place, row in enumerate(rows)]
)


@given(families)
def test_decisions_are_corrected_as_statsmodels_does_among_all_that_were_tested(verdicts):
    tested = [one for one in verdicts if one.verdict != "not tested"]
    corrected = {}
    for answer, p in (("supported", "p_supported"), ("refuted", "p_refuted")):
        values = [getattr(one, p) for one in tested]
        holm = multipletests(values, method="holm")[1] if values else []
        pairs = zip(tested, holm, strict=True)
        corrected |= {one.name: value for one, value in pairs if one.verdict == answer}
    assert holm_p_values(verdicts) == pytest.approx(corrected)
    hanging = [one.name for one in verdicts if corrected.get(one.name, 0) >= one.alpha]
    assert decided_by_chance(verdicts) == hanging


@given(families)
def test_more_claims_decide_nothing_that_fewer_do_not(verdicts):
    alone = {name for one in verdicts for name in decided_by_chance([one])}
    assert alone <= set(decided_by_chance(verdicts))


def test_a_verdict_that_hangs_on_the_number_of_claims_is_named():
    strong, weak = verdict("strong", "supported", 0.001), verdict("weak", "supported", 0.04)
    other = verdict("other", "inconclusive", 0.3, 0.6)
    assert holm_p_values([strong, weak, other]) == pytest.approx({"strong": 0.003, "weak": 0.08})
    assert decided_by_chance([strong, weak, other]) == ["weak"]
    assert '"weak" would be inconclusive' in holm_sentence([strong, weak, other])
    assert decided_by_chance([weak]) == []
    assert holm_sentence([weak]) == ""
    assert "every verdict stays as it is" in holm_sentence([strong, replace(weak, alpha=0.1)])


def test_what_was_not_tested_is_in_no_family():
    weak, untested = verdict("weak", "refuted", 1.0, 0.04), verdict("same", "not tested", 0.0, 0.0)
    assert holm_p_values([weak, untested]) == pytest.approx({"weak": 0.04})
    assert decided_by_chance([weak, untested]) == []


def test_judged_claims_of_a_study_hang_on_it_where_one_of_many_barely_holds():
    spec = make_spec()
    arms = {"treatment": TREATMENT, "control": CONTROL, "kind": "better", "margin": 0.005}
    metrics = ("test_loss", "train_loss", "test_accuracy", "train_accuracy")
    claims = tuple(arms | {"name": metric, "metric": metric} for metric in metrics)
    spec = type(spec).model_validate(spec.model_dump() | {"claims": claims})
    # One barely better than its margin among three that are at theirs.
    shifts = {"test_loss": -0.0066, "train_loss": -0.005, "test_accuracy": 0.005}
    runs = make_runs({TREATMENT: shifts | {"train_accuracy": 0.005}}, n=20, noise=0.002)
    verdicts = [judge_claim(runs, claim, spec) for claim in spec.claims]
    assert [one.verdict for one in verdicts].count("supported") == 1
    found = verdicts[0]
    assert found.p_supported < found.alpha <= 4 * found.p_supported
    assert decided_by_chance(verdicts) == ["test_loss"]


@given(st.lists(P, min_size=1, max_size=5))
def test_the_union_of_alternatives_is_corrected_as_statsmodels_does(values):
    assert union_p_value(values) == pytest.approx(
        multipletests(values, method="bonferroni")[1].min()
    )
