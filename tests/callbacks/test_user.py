"""Keras callbacks of the user's own: trained by `fit`, reported, and named in one line if wrong."""

import sys
from pathlib import Path

import numpy as np
import pytest

from finetune.engines.keras_fit import KerasEngine
from finetune.engines.population import PopulationEngine
from finetune.errors import EngineError, FinetuneError, SpecError
from finetune.execution.training import Options
from finetune.planning.plan import Plan
from finetune.planning.reduction import reducing_variants
from finetune.report.sections.setup import setup
from finetune.spec.study import StudySpec
from finetune.store.results import ResultStore
from finetune.studies.load import load_spec
from finetune.studies.run import read_study, run_study
from tests.made_runs import Recorded
from tests.processes import finetune
from tests.small_studies import recipes_of, task

STUDY = """
name = "own"
seeds = 2
data = { source = "make_moons", args = { n_samples = 60, random_state = 1 } }
model = { hidden = [4] }
training = { epochs = 3, dtype = "float64" }
claims = [{ kind = "underfits", treatment = "plain", control = "stops" }]

[[variants]]
name = "plain"
[[variants]]
name = "halves"
callbacks = [{ callback = "own_callbacks:Halve", args = { factor = 0.5 } }]
[[variants]]
name = "stops"
early_stopping = { patience = 1 }
"""
CODE = """
import keras

class Halve(keras.callbacks.Callback):
    def __init__(self, factor):
        super().__init__()
        self.factor = factor

    def on_epoch_end(self, epoch, logs=None):
        self.model.optimizer.learning_rate = self.model.optimizer.learning_rate * self.factor

class Freeze(Halve):
    def on_train_begin(self, logs=None):
        self.model.layers[0].trainable = False

class Raises(keras.callbacks.Callback):
    def on_train_batch_end(self, batch, logs=None):
        raise RuntimeError("no\\nmore")

class Stranger:
    pass

def function():
    return keras.callbacks.Callback()
"""
OWN = "variants.1.callbacks"


@pytest.fixture(autouse=True)
def _own_path(monkeypatch):
    monkeypatch.setattr(sys, "path", list(sys.path))


@pytest.fixture
def study(tmp_path) -> Path:
    """A study file beside the user's module, in another folder than the current one."""
    folder = tmp_path / "studies"
    folder.mkdir()
    (folder / "own_callbacks.py").write_text(CODE)
    (folder / "own.toml").write_text(STUDY)
    return folder / "own.toml"


def one(study: Path, callback: str, *, args: str = "{}") -> StudySpec:
    own = f"{OWN}=[{{callback='own_callbacks:{callback}', args={args}}}]"
    return load_spec(study, overrides=[own])


def trained(spec: StudySpec, *, seeds=(0,)):
    variants = (spec.variants[1],)
    return KerasEngine().train(task(spec, seeds=seeds, variants=variants, engine="keras"))


def complaint(spec: StudySpec) -> str:
    with pytest.raises(FinetuneError) as caught:
        trained(spec)
    line = str(caught.value)
    assert len(line.splitlines()) == 1
    return line


@pytest.mark.slow
def test_a_study_with_one_runs_and_is_reported(study, tmp_path):
    spec, recorded = load_spec(study), Recorded()
    folder = tmp_path / "out"
    options = Options(progress=recorded)
    results = run_study(spec, folder, options=options)
    runs = results.runs.set_index(["variant", "seed"])
    assert runs.loc["halves", "lr_reductions"].tolist() == [3, 3]
    assert runs.loc["halves", "first_reduction_epoch"].tolist() == [0, 0]
    np.testing.assert_allclose(runs.loc["halves", "final_lr"], 0.00125)
    assert runs.loc["plain", "lr_reductions"].tolist() == [0, 0]
    report = (folder / "report.md").read_text()
    assert "`own_callbacks:Halve(factor=0.5)` (trained by `keras.Model.fit`" in report
    assert 'callbacks:** the runs of "halves" were trained by `keras.Model.fit`' in report
    assert "2 of these runs, 0 of them with LR cuts, were trained again" in report
    assert str(study.parent) not in report
    # Nothing is trained anew, and the report needs the module no more.
    run_study(spec, folder, options=options)
    assert recorded.counts[1][1] == 0
    (study.parent / "own_callbacks.py").unlink()
    assert read_study(folder).runs.equals(results.runs)


def test_its_runs_are_those_of_the_same_policy_of_ours(study):
    own = trained(load_spec(study))
    ours = "variants.1={name='halves', schedule={kind='exponential', factor=0.5}}"
    scheduled = trained(load_spec(study, overrides=[ours]))
    assert own.runs.drop(columns="recipe").equals(scheduled.runs.drop(columns="recipe"))


def test_it_acts_after_the_other_policies(study):
    schedule = "variants.1.schedule={kind='constant', factor=0.1}"
    rates = trained(load_spec(study, overrides=[schedule])).epochs["learning_rate"]
    np.testing.assert_allclose(rates, [0.001, 0.0005, 0.0005])


@pytest.mark.slow
def test_what_it_changes_in_the_model_is_seen_by_no_other_run(study):
    spec = one(study, "Freeze", args="{factor=0.5}")
    engine = KerasEngine()

    def plain():
        return engine.train(task(spec, seeds=(0,), variants=spec.variants[:1], engine="keras")).runs

    before = plain()
    engine.train(task(spec, seeds=(0, 1), variants=spec.variants[1:2], engine="keras"))
    assert plain().equals(before)


def test_tasks_are_of_one_engine_each_and_those_of_fit_come_first(study, tmp_path):
    spec = load_spec(study)
    store = ResultStore(tmp_path / "store")
    store.open()
    plan = Plan.of(spec, "population")
    tasks = list(plan.runs.tasks(store, workers=1, memory=2**30))
    named = [(t.engine, [v.name for v in t.variants], t.seeds) for t in tasks]
    assert named == [
        ("keras", ["halves"], (0,)),
        ("keras", ["halves"], (1,)),
        ("population", ["plain", "stops"], (0, 1)),
    ]
    recipes = {v.name: t.spec.recipe(v, t.engine) for t in tasks for v in t.variants}
    assert recipes == plan.runs.recipes == recipes_of(spec)


def test_the_parity_certificate_leaves_it_out(study):
    parity = Plan.of(load_spec(study), "population").parity
    assert parity is not None
    assert [variant.name for variant in parity.variants] == ["stops", "plain"]
    alone = load_spec(study).model_copy(update={"claims": ()})
    alone = alone.model_copy(update={"variants": alone.variants[1:2]})
    assert Plan.of(alone, "population").parity is None


def test_the_probe_and_the_map_leave_it_out(study):
    own = "variants.0={name='plain', reduce_lr={}, callbacks=[{callback='own_callbacks:Halve'}]}"
    spec = load_spec(study, overrides=[own])
    assert Plan.of(spec, "population").probe is None
    with pytest.raises(SpecError, match=r"'plain' has callbacks"):
        reducing_variants(spec)


def test_the_population_engine_refuses_it(study):
    spec = load_spec(study)
    with pytest.raises(EngineError, match=r"own_callbacks:Halve is a callback of your"):
        PopulationEngine().train(task(spec, seeds=(0,)))


def test_it_counts_by_what_its_file_holds(study):
    first = load_spec(study)
    code = study.parent / "own_callbacks.py"
    code.write_text(code.read_text() + "\n# another word\n")
    changed = load_spec(study)
    recipes = [recipes_of(spec) for spec in (first, changed)]
    assert recipes[0]["plain"] == recipes[1]["plain"]
    assert recipes[0]["halves"] != recipes[1]["halves"]
    assert f"{OWN}.0.content: received {first.variants[1].callbacks[0].content}" in complaint(first)


MISTAKES = {
    "module": ("missing:Halve", "{}", f"{OWN}.0.callback: cannot import 'missing:Halve'"),
    "class": ("own_callbacks:Half", "{}", f"{OWN}.0.callback: cannot import", "'Half'"),
    "function": ("own_callbacks:function", "{}", f"{OWN}.0.callback", "function; allowed is a cl"),
    "stranger": (
        "own_callbacks:Stranger", "{}",
        f"{OWN}.0.callback", "class Stranger; allowed is a subclass of keras.callbacks.Callback",
    ),
    "arguments": (
        "own_callbacks:Halve", "{factr=2}",
        f"{OWN}.0.args: own_callbacks:Halve(factr=2) raised TypeError", "'factr'",
    ),
    "raises": (
        "own_callbacks:Raises", "{}",
        f"{OWN}.0: own_callbacks:Raises raised RuntimeError: no more (own_callbacks.py, line 18)",
    ),
}  # fmt: skip


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_named_in_one_line(mistake, study):
    callback, args, *parts = MISTAKES[mistake]
    own = f"{OWN}=[{{callback='{callback}', args={args}}}]"
    line = complaint(load_spec(study, overrides=[own]))
    assert [part for part in parts if part not in line] == []


def test_callbacks_of_keras_are_found_the_same_way(study):
    own = f"{OWN}=[{{callback='keras.callbacks:TerminateOnNaN'}}]"
    assert trained(load_spec(study, overrides=[own])).runs["status"].tolist() == ["ok"]


def test_the_setup_shows_all_of_it_in_a_table_that_holds(study):
    own = f"{OWN}=[{{callback='own_callbacks:Halve', args={{words='a|b'}}}}]"
    body = setup(load_spec(study, overrides=[own]))
    assert r"`own_callbacks:Halve(words='a\|b')`" in body


@pytest.mark.slow
def test_one_that_raises_in_a_worker_ends_the_study_with_one_line(study, tmp_path):
    own = f"{OWN}=[{{callback='own_callbacks:Raises'}}]"
    run = ["run", str(study), "--out", "out", "--set", own]
    answer = finetune(*run, "--workers", "2", cwd=tmp_path)
    assert answer.returncode == 2, answer.stderr
    assert f"{OWN}.0: own_callbacks:Raises raised RuntimeError" in answer.stderr
    assert "Traceback" not in answer.stderr
