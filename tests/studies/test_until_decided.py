"""Studies that train as many seeds as it takes."""

import json
from pathlib import Path

import pytest

from finetune.errors import SpecError
from finetune.execution.choice import choose_executor
from finetune.execution.in_process import InProcessExecutor
from finetune.execution.training import Options
from finetune.spec.looks import SeedRange
from finetune.spec.study import StudySpec
from finetune.studies.run import read_study, run_study, train_slice
from finetune.studies.search import search_study
from tests.clusters import free_address, scheduler, worker_processes, workers
from tests.made_runs import MadeUpExecutor, Recorded
from tests.small_studies import small_study

ARMS = {"metric": "test_loss", "treatment": "early stopping", "control": "no callbacks"}
# Made-up losses lie between 0 and 1: within a margin of 5 is plain, and better by 0 is open.
PLAIN = {"kind": "not worse", "name": "plain", "margin": 5.0, **ARMS}
OPEN = {"kind": "better", "name": "open", "margin": 0.0, **ARMS}


def study(*claims: dict, first: int = 20, to: int = 45) -> StudySpec:
    seeds = SeedRange.model_validate({"from": first, "to": to})
    tree = small_study("training.epochs=4").model_dump()
    return StudySpec.model_validate(tree | {"seeds": seeds, "claims": claims})


def run(spec: StudySpec, folder: Path, executor, *, progress=None, engine="population"):
    options = Options(executor, progress or Recorded(), figures=False)
    return run_study(spec, folder, engine=engine, options=options)


def own_seeds(executor: MadeUpExecutor) -> set[int]:
    """Return the seeds of the control's own runs that were trained."""
    return {
        seed
        for name, seed, engine, replicate in executor.trained
        if (name, engine, replicate) == ("early stopping", "population", 0)
    }


def test_it_ends_with_the_first_look_where_that_decides_every_claim(tmp_path):
    executor, progress = MadeUpExecutor(failed_share=0), Recorded()
    results = run(study(PLAIN), tmp_path, executor, progress=progress)
    assert own_seeds(executor) == set(range(20))
    assert results.verdict.verdict == "supported"
    assert results.manifest.seeds == results.analysis.n_seeds == 20
    assert any('Look at 20 seeds: "plain" is supported' in note for note in progress.notes)


def test_it_goes_on_for_the_claims_that_are_open_and_those_settled_stay(tmp_path):
    executor = MadeUpExecutor(failed_share=0)
    results = run(study(PLAIN, OPEN), tmp_path, executor)
    assert own_seeds(executor) == set(range(45))
    assert (results.verdict_on("plain").n, results.verdict_on("open").n) == (20, 45)


def test_the_same_command_again_trains_nothing_and_says_the_same(tmp_path):
    spec = study(PLAIN, OPEN)
    first = run(spec, tmp_path, MadeUpExecutor(failed_share=0))
    verdicts = (tmp_path / "verdict.json").read_bytes()
    executor = MadeUpExecutor(failed_share=0)
    again = run(spec, tmp_path, executor)
    assert executor.trained == []
    assert (tmp_path / "verdict.json").read_bytes() == verdicts
    assert again.manifest.looks == first.manifest.looks
    assert read_study(tmp_path, figures=False).analysis.verdicts == again.analysis.verdicts


@pytest.mark.parametrize("tasks", [1, 3])
def test_a_study_that_is_killed_ends_as_one_that_is_not(tmp_path, tasks: int):
    spec = study(PLAIN, OPEN)
    whole = run(spec, tmp_path / "whole", MadeUpExecutor(failed_share=0))
    cut = MadeUpExecutor(failed_share=0)
    cut.stop_after = tasks
    # Each call stops after so many tasks of a look; the next one goes on.
    for _ in range(60):
        try:
            run(spec, tmp_path / "cut", cut)
            break
        except KeyboardInterrupt:
            continue
    found = (tmp_path / "cut" / "verdict.json").read_bytes()
    assert found == (tmp_path / "whole" / "verdict.json").read_bytes()
    assert json.loads(found)["claims"][1]["looks"][-1]["seeds"] == whole.manifest.seeds == 45


def test_seeds_beyond_a_look_that_are_stored_change_nothing(tmp_path):
    spec = study(PLAIN, OPEN)
    lone = run(spec, tmp_path / "lone", MadeUpExecutor(failed_share=0))
    fixed = spec.model_copy(update={"seeds": 60})
    run(fixed, tmp_path / "more", MadeUpExecutor(failed_share=0))
    more = run(spec, tmp_path / "more", MadeUpExecutor(failed_share=0))
    assert more.analysis.verdicts == lone.analysis.verdicts
    assert more.analysis.n_seeds == 45


def test_its_checks_are_those_of_a_study_with_the_seeds_that_it_took(tmp_path):
    executor = MadeUpExecutor(failed_share=0)
    run(study(PLAIN), tmp_path, executor)
    again = {seed for name, seed, _, replicate in executor.trained if replicate == 1}
    assert again
    assert max(again) < 20


def test_a_task_that_fails_ends_it_with_what_there_is(tmp_path):
    executor = MadeUpExecutor(failed_share=0)
    executor.failing = lambda task: 25 in task.seeds and task.engine == "population"
    results = run(study(OPEN), tmp_path, executor)
    assert results.manifest.failures
    assert results.analysis.n_seeds == 30


def test_a_slice_is_refused(tmp_path):
    with pytest.raises(SpecError, match=r"--slice: .* give --seeds N"):
        train_slice(study(PLAIN), tmp_path, 1, 2)


def test_a_search_is_refused(tmp_path):
    with pytest.raises(SpecError, match=r"seeds: .* give --set seeds=45"):
        search_study(study(PLAIN), tmp_path)


@pytest.mark.slow
def test_wherever_it_is_trained_it_takes_the_same_seeds_to_the_same_verdict(tmp_path):
    spec = small_study("seeds={from=5, to=12}", "training.epochs=6")
    found = {}
    with InProcessExecutor() as executor:
        found["this process"] = run(spec, tmp_path / "one", executor)
    with choose_executor(2) as executor:
        found["two workers"] = run(spec, tmp_path / "two", executor)
    address = free_address()
    with scheduler(address, tmp_path / "s"), workers(address, tmp_path / "w"):
        worker_processes(address, 2)
        with choose_executor(None, address=address) as executor:
            found["Dask"] = run(spec, tmp_path / "dask", executor)
    verdicts = {(tmp_path / name / "verdict.json").read_bytes() for name in ("one", "two", "dask")}
    assert len(verdicts) == 1
    assert len({one.manifest.seeds for one in found.values()}) == 1
