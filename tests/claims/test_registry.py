"""What every kind of claim in the registry must obey."""

import pytest

from finetune.claims.registry import KINDS, judge_claim
from finetune.claims.underfits import Underfits
from finetune.claims.words import sentence
from finetune.errors import SpecError
from finetune.stats.pairs import RunsError
from tests.made_comparisons import CONTROL, TREATMENT

KIND_NAMES = list(KINDS)


@pytest.mark.parametrize("name", KIND_NAMES)
def test_a_kind_is_registered_by_its_name_and_signs_its_verdicts(spec, make_runs, name):
    kind = KINDS[name]
    verdict = kind.judge(make_runs(), spec.claim, spec=spec)
    assert kind.name == verdict.kind == name
    assert (verdict.treatment, verdict.control) == (TREATMENT, CONTROL)
    assert verdict.rule
    assert verdict.reason


@pytest.mark.parametrize("name", KIND_NAMES)
def test_the_order_of_rows_changes_nothing(spec, make_runs, name):
    runs = make_runs({TREATMENT: {"train_loss": 0.02, "test_loss": 0.01}})
    shuffled = runs.sample(frac=1, random_state=0)
    one, other = (KINDS[name].judge(table, spec.claim, spec=spec) for table in (runs, shuffled))
    assert one == other


@pytest.mark.parametrize("name", KIND_NAMES)
def test_a_missing_run_is_refused(spec, make_runs, name):
    with pytest.raises(RunsError, match=r"seed 40 .*is missing"):
        KINDS[name].judge(make_runs(), spec.claim, spec=spec, seeds=range(50))


@pytest.mark.parametrize("name", KIND_NAMES)
@pytest.mark.parametrize("cut", [5, float("nan")])
def test_statements_are_clauses_and_the_rest_sentences(spec, make_runs, name, cut):
    kind = KINDS[name]
    verdict = kind.judge(make_runs(cut=cut), spec.claim, spec=spec)
    assert not kind.statement(verdict).endswith(".")
    assert all(text.endswith(".") for text in (*kind.evidence(verdict), *kind.objections(verdict)))


def test_the_words_are_those_of_the_verdicts_kind(spec, make_runs, monkeypatch):
    class Other(Underfits):
        name = "other"

        def statement(self, verdict):
            return "these are other words"

    monkeypatch.setitem(KINDS, Other.name, Other())
    verdict = Other().judge(make_runs(), spec.claim, spec=spec)
    assert sentence(verdict) == "Refuted: these are other words."
    assert "kind" not in verdict.to_dict()


def test_a_study_without_a_claim_is_refused(spec, make_runs):
    with pytest.raises(SpecError, match="claim: missing"):
        judge_claim(make_runs(), spec.model_copy(update={"claim": None}))
