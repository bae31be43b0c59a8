"""A network that only `fit` trains exactly, from the study to the report."""

import pytest

from finetune.engines.registry import DEFAULT, REFERENCE
from finetune.execution.progress import Progress
from finetune.execution.training import Options
from finetune.planning.plan import Plan
from finetune.spec.study import StudySpec
from finetune.studies.claim_map import map_claim
from finetune.studies.run import read_study, run_study, train_slice
from tests.small_studies import small_study

SAID = "Trained by keras.Model.fit, run by run: Halved.train_step is the network's own"


class Heard(Progress):
    def __init__(self):
        self.notes: list[str] = []

    def note(self, text: str) -> None:
        self.notes.append(text)


@pytest.fixture(scope="module")
def spec() -> StudySpec:
    network = "model.factory=tests.engines.networks:halved"
    return small_study(network, "training.epochs=2", "seeds=2", "variants.2.reduce_lr.patience=1")


@pytest.fixture(scope="module")
def folder(spec, tmp_path_factory):
    return tmp_path_factory.mktemp("halved")


@pytest.fixture(scope="module")
def told(spec, folder) -> tuple[list[str], object]:
    heard = Heard()
    results = run_study(spec, folder, options=Options(progress=heard, figures=False))
    return heard.notes, results


def test_it_is_said_once_and_stands_in_the_report(told, folder):
    notes, results = told
    assert notes.count(SAID) == 1
    assert results.manifest.notes.count(SAID) == 1
    assert "Halved.train\\_step" in (folder / "report.md").read_text().replace("`", "")


def test_its_runs_are_those_of_the_reference_engine(told, spec, tmp_path):
    theirs = run_study(spec, tmp_path, engine=REFERENCE.name, options=Options(figures=False))
    metrics = ["variant", "seed", "train_loss", "test_loss", "best_epoch"]
    assert told[1].runs[metrics].equals(theirs.runs[metrics])


def test_the_plan_knows_it_from_then_on(told):
    known = told[1].manifest.spec
    plan = Plan.of(known, DEFAULT.name)
    assert [block.run_counts[0].engine for block in plan.blocks] == [REFERENCE]


def test_what_is_stored_is_trained_no_more(told, spec, folder):
    again = run_study(spec, folder, options=Options(figures=False)).manifest
    assert (again.runs_trained, again.runs_reused) == (0, 2 * len(spec.variants))
    assert read_study(folder, figures=False).manifest.notes == again.notes


def test_slices_train_it_too(spec, tmp_path):
    assert train_slice(spec, tmp_path, 1, 2) == len(spec.variants)
    assert train_slice(spec, tmp_path, 2, 2) == 0


def test_an_optimizer_that_rows_cannot_share_is_trained_by_fit(tmp_path):
    spec = small_study("training.optimizer.args={use_ema=true}", "training.epochs=1", "seeds=1")
    heard = Heard()
    results = run_study(spec, tmp_path, options=Options(progress=heard, figures=False))
    (note,) = results.manifest.notes
    assert note in heard.notes
    assert "training.optimizer.args.use_ema is True" in note
    assert (results.runs["status"] == "ok").all()


@pytest.mark.slow
def test_a_map_trains_it_too(spec, tmp_path):
    grid = {"factor": (0.5,), "patience": (1,), "delay": (1,), "seeds": 1}
    spec = spec.model_copy(update={"map": spec.map.model_copy(update=grid)})
    heard = Heard()
    assert len(map_claim(spec, tmp_path, options=Options(progress=heard)).table) == 1
    assert SAID in heard.notes
