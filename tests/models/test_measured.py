"""What is watched or claimed of is measured; else a study is refused, the sooner the better."""

import pytest

from finetune.engines.problem import Problem
from finetune.engines.registry import engine_names, get_engine
from finetune.errors import SpecError
from finetune.models.measured import check_measured, check_measured_early
from finetune.spec.study import StudySpec
from finetune.spec.study_file import parse_spec
from finetune.studies.load import load_spec
from finetune.studies.run import run_study
from tests.small_studies import task

NUMBERS = {"source": "make_regression", "args": {"n_samples": 60, "n_features": 3}}
CLASSES = {"source": "make_classification", "args": {"n_samples": 60, "random_state": 1}}
ARMS = {"treatment": "a", "control": "b"}
CLAIM = {"kind": "underfits", **ARMS}
CLAIMS = {
    "margins": CLAIM | {"margins": {"test_accuracy": 0.2}},
    "metric": {"kind": "better", "metric": "test_accuracy", **ARMS},
}
USES = {
    r"variants\.1\.early_stopping\.monitor": {"early_stopping": {"monitor": "val_accuracy"}},
    r"variants\.1\.reduce_lr\.monitor": {"reduce_lr": {"monitor": "val_accuracy"}},
    r"variants\.1\.callbacks\.0\.args\.monitor": {
        "callbacks": [{"callback": "own:Stop", "args": {"monitor": "accuracy"}}]
    },
    r"claims\.0\.margins\.test_accuracy": {},
    r"claims\.0\.metric": {},
}


def study(data, use, *, claim=None, **training) -> StudySpec:
    variants = [{"name": "a"}, {"name": "b", **use}]
    tree = {"name": "s", "data": data, "variants": variants, "model": {"hidden": [2]}}
    training = {"epochs": 1, **training}
    return parse_spec({**tree, "training": training, "claims": [claim] if claim else []})


def claim_for(field):
    return next((claim for key, claim in CLAIMS.items() if key in field), CLAIM)


@pytest.mark.parametrize("engine", engine_names())
@pytest.mark.parametrize("field", USES)
def test_every_engine_refuses_what_is_not_measured_before_it_trains(field, engine):
    spec = study(NUMBERS, USES[field], claim=claim_for(field))
    with pytest.raises(SpecError, match=rf"^{field}: received .* allowed is .* val_loss"):
        get_engine(engine).train(task(spec, engine=engine, variants=spec.variants[:1]))


@pytest.mark.parametrize("field", USES)
@pytest.mark.parametrize("known", ["task", "loss"])
def test_what_the_study_itself_tells_is_refused_before_the_data_are_read(field, known):
    data = {**CLASSES, "task": "regression"} if known == "task" else CLASSES
    training = {"loss": "mean_squared_error"} if known == "loss" else {}
    with pytest.raises(SpecError, match=rf"^{field}: received"):
        check_measured_early(study(data, USES[field], claim=claim_for(field), **training))


def test_a_run_is_refused_before_any_task_is_made(tmp_path):
    spec = load_spec(
        overrides=["training.loss=hinge", "claims=[]", "variants.2.reduce_lr.monitor=val_accuracy"]
    )
    with pytest.raises(SpecError, match=r"variants\.2\.reduce_lr\.monitor: .*'hinge'"):
        run_study(spec, tmp_path)


@pytest.mark.parametrize("field", USES)
def test_what_is_measured_may_be_watched_and_claimed_of(field):
    claim = claim_for(field)
    for training in ({}, {"loss": "hinge", "accuracy": "binary_accuracy"}):
        spec = study(CLASSES, USES[field], claim=claim, **training)
        check_measured_early(spec)
        check_measured(Problem(spec).spec)


def test_losses_are_always_measured():
    for monitor in ("loss", "val_loss"):
        Problem(study(NUMBERS, {"early_stopping": {"monitor": monitor}}, claim=CLAIM))


def test_a_metric_that_the_task_has_not_is_not_claimed_of():
    claim = {"kind": "better", "metric": "test_mae", "margin": 0.1, **ARMS}
    with pytest.raises(SpecError, match=r"claims\.0\.metric: received 'test_mae', .*not measured"):
        Problem(study(CLASSES, {}, claim=claim))
    assert Problem(study(NUMBERS, {}, claim=claim)).spec.training.metrics
