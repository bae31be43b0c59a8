"""What every kind of claim in the registry must obey."""

import pytest

from finetune.claims.registry import KINDS, judge_claim
from finetune.claims.underfits import Underfits
from finetune.claims.words import sentence
from finetune.errors import SpecError
from finetune.spec.study import StudySpec
from finetune.stats.pairs import RunsError
from tests.made_comparisons import CONTROL, TREATMENT, judge

KIND_NAMES = list(KINDS)


def claiming(spec: StudySpec, kind: str) -> StudySpec:
    """Return the study with one claim, of a kind."""
    claim = {"kind": kind, "treatment": TREATMENT, "control": CONTROL}
    if kind != "underfits":
        claim["metric"] = "test_loss"
    return StudySpec.model_validate(spec.model_dump() | {"claims": (claim,)})


@pytest.mark.parametrize("name", KIND_NAMES)
def test_a_kind_is_registered_by_its_name_and_signs_its_verdicts(spec, make_runs, name):
    verdict = judge(make_runs(), claiming(spec, name))
    assert KINDS[name].name == verdict.kind == verdict.name == name
    assert (verdict.treatment, verdict.control) == (TREATMENT, CONTROL)
    assert verdict.rule
    assert verdict.reason
    assert verdict.comparisons


@pytest.mark.parametrize("name", KIND_NAMES)
def test_the_order_of_rows_changes_nothing(spec, make_runs, name):
    runs = make_runs({TREATMENT: {"train_loss": 0.02, "test_loss": 0.01}})
    shuffled = runs.sample(frac=1, random_state=0)
    assert judge(runs, claiming(spec, name)) == judge(shuffled, claiming(spec, name))


@pytest.mark.parametrize("name", KIND_NAMES)
def test_a_missing_run_is_refused(spec, make_runs, name):
    with pytest.raises(RunsError, match=r"seed 40 .*is missing"):
        judge(make_runs(), claiming(spec, name), seeds=range(50))


@pytest.mark.parametrize("name", KIND_NAMES)
def test_the_same_runs_test_nothing(spec, make_runs, name):
    study = claiming(spec, name)
    runs = make_runs(noise=0.0, cut=float("nan"))
    verdict = judge(runs, study)
    assert (verdict.verdict, verdict.tested_seeds) == ("not tested", 0)


@pytest.mark.parametrize("name", KIND_NAMES)
@pytest.mark.parametrize("runs", [{}, {"cut": float("nan"), "noise": 0.0}, {"n": 1}, {"n": 3}])
def test_statements_are_clauses_and_the_rest_sentences(spec, make_runs, name, runs):
    kind, verdict = KINDS[name], judge(make_runs(**runs), claiming(spec, name))
    assert not kind.statement(verdict).endswith(".")
    assert "nan" not in kind.statement(verdict)
    assert all(text.endswith(".") for text in (*kind.evidence(verdict), *kind.objections(verdict)))


def test_the_words_are_those_of_the_verdicts_kind(spec, make_runs, monkeypatch):
    class Other(Underfits):
        name = "other"

        def statement(self, verdict):
            return "these are other words"

    monkeypatch.setitem(KINDS, Other.name, Other())
    verdict = Other().judge(make_runs(), spec.claim, spec=spec)
    assert sentence(verdict) == "Refuted: these are other words."


@pytest.mark.parametrize("name", sorted(set(KIND_NAMES) - {"underfits"}))
def test_a_metric_that_was_not_measured_is_refused(spec, make_runs, name):
    study = claiming(spec, name)
    claim = study.claims[0].model_copy(update={"metric": "test_auc"})
    with pytest.raises(SpecError, match=r"'test_auc'.*not measured; allowed are .*test_loss"):
        judge_claim(make_runs(), claim, study)
